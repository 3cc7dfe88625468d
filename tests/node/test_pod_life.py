"""Whole pods over a fake API: what a kubelet would do, seen in the pod's status."""

import asyncio
import base64
import json
import os
import signal
import time
from pathlib import Path

import pytest

from corral.embedded.kube import ApiError
from corral.embedded.node import logs
from corral.embedded.node.shutdown import end_all, left_of, processes


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch):
    monkeypatch.setenv("CORRAL_NODE_BACKOFF", "0.2")


def secret(**values: str) -> dict:
    return {
        "metadata": {"namespace": "llm"},
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()},
    }


def main_container(script: str, **more) -> dict:
    return {"name": "main", "image": "test/shell:1", "args": [script], **more}


def command_line(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes() if path.exists() else b""


async def eventually(true) -> None:
    """Wait for what only a file tells."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def read(path: Path):
    return json.loads(path.read_text())


DATA = {"volumes": [{"name": "data", "emptyDir": {}}]}
MOUNT = [{"name": "data", "mountPath": "/mnt/data"}]


def test_init_containers_run_in_order_and_share_a_volume_with_the_main_one(lab_test, plane_home, real_paths):
    async def work(lab):
        init = [
            {**main_container("echo one > @/f", volumeMounts=MOUNT), "name": "first"},
            {**main_container("echo two >> @/f", volumeMounts=MOUNT), "name": "second"},
        ]
        spec = {
            **DATA,
            "initContainers": init,
            "containers": [main_container("cat @/f; sleep 100", volumeMounts=MOUNT)],
        }
        await lab.api.add("p", spec)
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        assert lab.api.phase("p") == "Running"
        assert [
            c["state"]["terminated"]["exitCode"] for c in lab.api.pods["p"]["status"]["initContainerStatuses"]
        ] == [0, 0]
        await eventually(lambda: "two" in lab.log("p"))
        assert lab.log("p") == "one\ntwo\n"

    lab_test(plane_home, real_paths, work)


def test_a_pod_has_an_address_of_its_own_that_status_and_program_have(lab_test, plane_home, real_paths):
    async def work(lab):
        for name in ("a", "b"):
            await lab.api.add(name, {"containers": [main_container("echo $BIND; sleep 100")]})
        await lab.api.until(lambda: all(lab.api.condition(n, "Ready") == "True" for n in ("a", "b")))
        addresses = {name: lab.api.pods[name]["status"]["podIP"] for name in ("a", "b")}
        assert addresses["a"] != addresses["b"]
        for name, address in addresses.items():
            await eventually(lambda name=name: lab.log(name))
            assert lab.log(name).strip() == address.replace("10.", "127.", 1)
            assert lab.api.condition(name, "corral.dev/Process") == "True"

    lab_test(plane_home, real_paths, work)


def test_a_failing_container_backs_off_and_says_how_it_ended(lab_test, plane_home, real_paths):
    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("exit 7")]})
        await lab.api.until(lambda: lab.api.container("p").get("restartCount", 0) >= 2)
        await lab.api.until(lambda: "waiting" in lab.api.container("p")["state"])
        reported = lab.api.container("p")
        assert reported["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert reported["lastState"]["terminated"]["exitCode"] == 7
        assert reported["lastState"]["terminated"]["reason"] == "Error"

    lab_test(plane_home, real_paths, work)


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
def test_a_jobs_pod_ends_by_its_exit_code(lab_test, plane_home, real_paths, code, phase):
    async def work(lab):
        await lab.api.add("p", {"restartPolicy": "Never", "containers": [main_container(f"exit {code}")]})
        await lab.api.until(lambda: lab.api.phase("p") == phase)
        assert lab.api.container("p")["state"]["terminated"]["exitCode"] == code
        assert lab.api.condition("p", "Ready") == "False"

    lab_test(plane_home, real_paths, work)


def test_a_failed_init_container_fails_a_pod_that_is_never_restarted(lab_test, plane_home, real_paths):
    async def work(lab):
        init = [{**main_container("exit 1"), "name": "init"}]
        await lab.api.add(
            "p", {"restartPolicy": "Never", "initContainers": init, "containers": [main_container("true")]}
        )
        await lab.api.until(lambda: lab.api.phase("p") == "Failed")
        assert lab.api.container("p")["restartCount"] == 0
        assert "waiting" in lab.api.container("p")["state"]

    lab_test(plane_home, real_paths, work)


def test_a_pod_waits_for_its_secret_and_starts_when_it_appears(lab_test, plane_home, real_paths):
    async def work(lab):
        env = [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]
        await lab.api.add(
            "p", {"restartPolicy": "Never", "containers": [main_container("echo got $S", env=env)]}
        )
        await lab.api.until(lambda: "waiting" in lab.api.container("p")["state"])
        await lab.api.until(
            lambda: lab.api.container("p")["state"]["waiting"]["reason"] == "CreateContainerConfigError"
        )
        assert 'secret "late" not found' in lab.api.container("p")["state"]["waiting"]["message"]
        lab.secrets["llm", "late"] = secret(k="v")
        lab.node.notify("set", lab.secrets["llm", "late"])
        await lab.api.until(lambda: lab.api.phase("p") == "Succeeded")
        assert lab.log("p") == "got v\n"

    lab_test(plane_home, real_paths, work)


def test_a_secret_in_the_environment_stands_in_no_file_and_no_argument(lab_test, plane_home, real_paths):
    async def work(lab):
        lab.secrets["llm", "s"] = secret(k="canary-3141")
        env = [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
        await lab.api.add("p", {"containers": [main_container("sleep 100", env=env)]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        files = [path for path in lab.home.root.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"canary-3141" in path.read_bytes()]
        pid = lab.pid("p")
        shim = read(lab.home.pods / "uid-p" / "main" / "0.process.json")["shim"]
        for number in (pid, shim):
            assert b"canary-3141" not in command_line(number)

    lab_test(plane_home, real_paths, work)


def test_changed_config_reaches_the_running_container(lab_test, plane_home, real_paths):
    async def work(lab):
        key = ("llm", "c")
        lab.config_maps[key] = {"metadata": {"namespace": "llm"}, "data": {"f": "old"}}
        volumes = {"volumes": [{"name": "data", "configMap": {"name": "c"}}]}
        script = "cat @/f; until grep -q new @/f; do sleep 0.05; done; cat @/f"
        await lab.api.add(
            "p",
            {**volumes, "restartPolicy": "Never", "containers": [main_container(script, volumeMounts=MOUNT)]},
        )
        await lab.api.until(lambda: "running" in lab.api.container("p")["state"])
        await eventually(lambda: lab.log("p") == "old")
        lab.config_maps[key] = {"metadata": {"namespace": "llm"}, "data": {"f": "new"}}
        lab.node.notify("set", lab.config_maps[key])
        await lab.api.until(lambda: lab.api.phase("p") == "Succeeded")
        assert lab.log("p") == "oldnew"

    lab_test(plane_home, real_paths, work)


def test_readiness_follows_its_probe(lab_test, plane_home, real_paths):
    async def work(lab):
        probe = {
            "exec": {"command": ["sh", "-c", "test -e $HOME/ready"]},
            "periodSeconds": 0.1,
            "failureThreshold": 1,
        }
        script = "sleep 0.5; touch $HOME/ready; sleep 1; rm $HOME/ready; sleep 100"
        await lab.api.add("p", {"containers": [main_container(script, readinessProbe=probe)]})
        await lab.api.until(lambda: "running" in lab.api.container("p")["state"])
        assert lab.api.condition("p", "Ready") == "False"
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "False")
        assert lab.api.container("p")["restartCount"] == 0

    lab_test(plane_home, real_paths, work)


def test_a_pod_that_was_said_to_be_unready_while_its_machine_was_silent_is_said_to_be_ready_again(
    lab_test, plane_home, real_paths
):
    """The controller of nodes does so, and leaves it to the kubelet to correct it."""

    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        for _ in range(2):
            said = {"conditions": [{"type": "Ready", "status": "False"}]}
            await lab.api.patch("/p/status", {"status": said})
            assert lab.api.condition("p", "Ready") == "False"
            await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        written = lab.api.patches
        await lab.api.tell("p")
        await asyncio.sleep(0.2)
        assert lab.api.patches == written

    lab_test(plane_home, real_paths, work)


def test_a_failed_liveness_probe_restarts_the_container(lab_test, plane_home, real_paths):
    async def work(lab):
        probe = {"tcpSocket": {"port": 1}, "periodSeconds": 0.1, "failureThreshold": 2}
        await lab.api.add("p", {"containers": [main_container("sleep 100", livenessProbe=probe)]})
        await lab.api.until(lambda: lab.api.container("p").get("restartCount") == 1)
        assert lab.api.container("p")["lastState"]["terminated"]["message"] == "liveness probe failed"

    lab_test(plane_home, real_paths, work)


def test_a_sidecar_starts_first_and_does_not_keep_a_job_alive(lab_test, plane_home, real_paths):
    async def work(lab):
        probe = {"exec": {"command": ["test", "-e", "up"]}, "periodSeconds": 0.1}
        sidecar = {
            **main_container("touch up; sleep 100", startupProbe=probe),
            "name": "side",
            "restartPolicy": "Always",
        }
        spec = {
            "restartPolicy": "Never",
            "initContainers": [sidecar],
            "containers": [main_container("echo main")],
        }
        await lab.api.add("p", spec)
        await lab.api.until(lambda: lab.api.phase("p") == "Succeeded")
        reported = lab.api.container("p", "initContainerStatuses")
        assert "terminated" in reported["state"]
        assert not processes(lab.home)

    lab_test(plane_home, real_paths, work)


def test_deletion_lets_the_program_finish_and_keeps_its_log(lab_test, plane_home, real_paths):
    async def work(lab):
        script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
        await lab.api.add("p", {"containers": [main_container(script)]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        await eventually(lambda: "hello" in lab.log("p"))
        await lab.api.remove("p", grace=10)
        await lab.api.until(lambda: "p" not in lab.api.pods)
        await eventually(lambda: not (lab.home.pods / "uid-p").exists())
        assert logs.find(lab.home, "llm", "p").read_text() == "hello\nbye\n"
        assert not processes(lab.home)

    lab_test(plane_home, real_paths, work)


def test_a_hook_before_the_end_is_called_and_answered_first(lab_test, plane_home, real_paths):
    async def work(lab):
        ended_before: list[bool] = []

        async def drain(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            ended_before.append("bye" in lab.log("p"))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(drain, "127.0.0.1", 0)
        action = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "path": "/drain"}
        script = "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"
        container = main_container(script, lifecycle={"preStop": {"httpGet": action}})
        await lab.api.add("p", {"containers": [container]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        await eventually(lambda: "hello" in lab.log("p"))
        await lab.api.remove("p", grace=10)
        await lab.api.until(lambda: "p" not in lab.api.pods)
        server.close()
        assert ended_before == [False]
        assert logs.find(lab.home, "llm", "p").read_text() == "hello\nbye\n"

    lab_test(plane_home, real_paths, work)


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace_period(lab_test, plane_home, real_paths):
    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("trap '' TERM; while :; do sleep 0.05; done")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        await lab.api.remove("p", grace=1)
        await lab.api.until(lambda: "p" not in lab.api.pods)
        assert 0.9 < time.monotonic() - begun < 10
        assert not processes(lab.home)

    lab_test(plane_home, real_paths, work)


@pytest.mark.parametrize(("grace", "spent", "left"), [(30, 5, 25), (30, 29, 2), (30, 31, 2), (1, 0.5, 2)])
def test_a_hook_before_the_end_takes_its_time_from_the_grace_period(grace, spent, left):
    """As the kubelet's `killContainer` counts it."""
    assert left_of(grace, spent) == left


def test_a_restarted_node_adopts_running_pods_and_loses_no_exit_code(lab_test, plane_home, real_paths):
    pods: dict = {}

    async def first(lab):
        await lab.api.add("stays", {"containers": [main_container("sleep 100")]})
        await lab.api.add(
            "ends",
            {
                "restartPolicy": "Never",
                "containers": [main_container("while [ ! -e go ]; do sleep 0.05; done; exit 42")],
            },
        )
        await lab.api.until(lambda: all(lab.api.condition(n, "Ready") == "True" for n in ("stays", "ends")))
        pods.update(lab.api.pods)
        return lab.pid("stays"), lab.api.pods["stays"]["status"]["podIP"]

    before = lab_test(plane_home, real_paths, first)
    (plane_home.pods / "uid-ends" / "main" / "scratch" / "go").touch()
    gone = plane_home.pods / "uid-ends" / "main" / "0.exit.json"
    while not gone.exists():
        time.sleep(0.01)

    async def second(lab):
        lab.api.pods = dict(pods)
        for name in pods:
            await lab.api.tell(name)
        await lab.api.until(lambda: lab.api.phase("ends") == "Failed")
        assert lab.api.container("ends")["state"]["terminated"]["exitCode"] == 42
        assert (lab.pid("stays"), lab.api.pods["stays"]["status"]["podIP"]) == before
        assert lab.api.condition("stays", "Ready") == "True"
        os.kill(lab.pid("stays"), signal.SIGKILL)
        await lab.api.until(lambda: lab.api.container("stays").get("restartCount") == 1)
        assert lab.api.container("stays")["lastState"]["terminated"]["exitCode"] == 137

    lab_test(plane_home, real_paths, second)


def test_stopping_the_plane_ends_everything_and_counts_as_no_crash(lab_test, plane_home, real_paths):
    pods: dict = {}

    async def first(lab):
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        pods.update(lab.api.pods)

    lab_test(plane_home, real_paths, first)
    assert end_all(plane_home, grace=5) == 2
    assert not processes(plane_home)

    async def second(lab):
        lab.api.pods = dict(pods)
        await lab.api.tell("p")
        await lab.api.until(lambda: lab.api.container("p").get("restartCount") == 1)
        assert read(lab.home.pods / "uid-p" / "main" / "1.attempt.json")["level"] == 0

    lab_test(plane_home, real_paths, second)


def test_what_a_pod_left_behind_while_no_node_ran_is_swept_away(lab_test, plane_home, real_paths):
    async def first(lab):
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")

    lab_test(plane_home, real_paths, first)

    async def second(lab):
        await lab.node.sweep(set())
        assert not processes(lab.home)
        assert not list(lab.home.pods.iterdir())

    lab_test(plane_home, real_paths, second)


def test_a_flag_that_is_not_honoured_is_refused_with_the_pods_reason(lab_test, plane_home):
    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("--unknown")]})
        await lab.api.until(lambda: "waiting" in lab.api.container("p")["state"])
        await lab.api.until(lambda: lab.api.condition("p", "corral.dev/Refused") == "True")
        waiting = lab.api.container("p")["state"]["waiting"]
        assert waiting == {"reason": "CorralRefused", "message": "flag --unknown is not honoured"}
        assert lab.api.phase("p") == "Pending"
        await lab.api.remove("p", grace=0)
        await lab.api.until(lambda: "p" not in lab.api.pods)

    lab_test(plane_home, False, work)


def test_what_the_node_cannot_do_is_refused_by_name(lab_test, plane_home):
    async def work(lab):
        await lab.api.add("net", {"hostNetwork": True, "containers": [main_container("true")]})
        volumes = {"volumes": [{"name": "v", "nfs": {"server": "nfs.example.eu", "path": "/"}}]}
        await lab.api.add("host", {**volumes, "containers": [main_container("true")]})
        for name, word in (("net", "hostNetwork"), ("host", "nfs")):
            await lab.api.until(lambda name=name: lab.api.condition(name, "corral.dev/Refused") == "True")
            assert word in lab.api.container(name)["state"]["waiting"]["message"]

    lab_test(plane_home, False, work)


def test_pods_without_a_program_are_marked_simulated_and_left_alone(lab_test, plane_home):
    async def work(lab):
        await lab.api.add("p", {"containers": [{"name": "a", "image": "vllm/vllm-openai:v1"}]})
        await lab.api.until(lambda: lab.api.condition("p", "corral.dev/Simulated") == "True")
        assert lab.api.phase("p") is None

    lab_test(plane_home, False, work)


def test_a_chart_hook_without_a_row_fails_instead_of_passing(lab_test, plane_home):
    async def work(lab):
        lab.api.jobs = [{"metadata": {"name": "j", "annotations": {"helm.sh/hook": "pre-delete"}}}]
        spec = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "example/hook"}]}
        await lab.api.add("p", spec, ownerReferences=[{"kind": "Job", "name": "j"}])
        await lab.api.until(lambda: lab.api.phase("p") == "Failed")
        assert lab.api.pods["p"]["status"]["reason"] == "CorralNoProgram"

    lab_test(plane_home, False, work)


def test_an_omitted_container_is_named_in_the_status_and_does_not_hold_up_the_pod(lab_test, plane_home):
    async def work(lab):
        skipped = {"name": "side", "image": "test/skip"}
        await lab.api.add("p", {"containers": [main_container("sleep 100"), skipped]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        conditions = lab.api.pods["p"]["status"]["conditions"]
        assert (
            next(c["message"] for c in conditions if c["type"] == "corral.dev/Omitted") == "side: not needed"
        )

    lab_test(plane_home, False, work)


def test_the_kubeconfig_names_a_token_that_is_replaced_before_it_ends(lab_test, plane_home):
    async def work(lab):
        lab.api.token_life = 2
        token = {"serviceAccountToken": {"path": "token"}}
        volumes = {"volumes": [{"name": "data", "projected": {"sources": [token]}}]}
        await lab.api.add("p", {**volumes, "containers": [main_container("sleep 100", volumeMounts=MOUNT)]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        identity = lab.home.pods / "uid-p" / "_identity"
        user = read(identity / "kubeconfig")["users"][0]["user"]
        token = lab.home.root / user["tokenFile"]
        first = token.read_text()
        await eventually(lambda: token.read_text() != first)

    lab_test(plane_home, False, work)


def test_a_pod_that_mounts_no_token_is_anonymous(lab_test, plane_home):
    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        assert read(lab.home.pods / "uid-p" / "_identity" / "kubeconfig")["users"][0]["user"] == {}
        assert lab.api.tokens == 0

    lab_test(plane_home, False, work)


def test_a_container_waits_for_its_claim_and_is_told_its_devices(lab_test, plane_home):
    claims: dict = {("llm", "c"): {"metadata": {"namespace": "llm"}, "status": {}}}

    async def work(lab):
        spec = {
            "restartPolicy": "Never",
            "resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}],
            "containers": [main_container("echo $CORRAL_DEVICES", resources={"claims": [{"name": "gpu"}]})],
        }
        await lab.api.add("p", spec)
        await lab.api.until(lambda: "not allocated" in str(lab.api.container("p")))
        devices = {"results": [{"pool": "slices-0", "device": "gpu-0-mig-1g5gb-0"}]}
        claims["llm", "c"] = {
            "metadata": {"namespace": "llm"},
            "status": {"allocation": {"devices": devices}},
        }
        lab.node.notify("set", claims["llm", "c"])
        await lab.api.until(lambda: lab.api.phase("p") == "Succeeded")
        assert lab.log("p") == "gpu-0-mig-1g5gb-0\n"

    lab_test(plane_home, False, work, resource_claims=claims)


def test_a_row_that_breaks_takes_down_its_pod_only(lab_test, plane_home):
    async def work(lab):
        await lab.api.add("broken", {"containers": [{"name": "main", "image": "test/shell", "args": []}]})
        await lab.api.add("fine", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("broken", "corral.dev/Refused") == "True")
        assert "IndexError" in lab.api.container("broken")["state"]["waiting"]["message"]
        await lab.api.until(lambda: lab.api.condition("fine", "Ready") == "True")

    lab_test(plane_home, False, work)


def test_a_killed_shim_takes_its_program_along_and_counts_as_one_restart(lab_test, plane_home, real_paths):
    async def work(lab):
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        pid = lab.pid("p")
        os.kill(read(lab.home.pods / "uid-p" / "main" / "0.process.json")["shim"], signal.SIGKILL)
        await lab.api.until(lambda: lab.api.container("p").get("restartCount") == 1)
        assert lab.api.container("p")["lastState"]["terminated"]["exitCode"] == 137
        assert not command_line(pid)
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        assert lab.api.container("p")["restartCount"] == 1

    lab_test(plane_home, real_paths, work)


def test_a_program_that_ignores_the_stop_is_killed_and_its_end_recorded(lab_test, plane_home, real_paths):
    async def work(lab):
        await lab.api.add(
            "p", {"containers": [main_container("trap '' TERM; echo up; while :; do sleep 0.05; done")]}
        )
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        await eventually(lambda: "up" in lab.log("p"))

    lab_test(plane_home, real_paths, work)
    end_all(plane_home, grace=0.3)
    assert read(plane_home.pods / "uid-p" / "main" / "0.exit.json")["code"] == -9
    assert not processes(plane_home)


@pytest.mark.parametrize("status", [429, 409, 503])
def test_a_status_that_was_not_accepted_is_sent_again(
    lab_test, plane_home, real_paths, monkeypatch, caplog, status
):
    monkeypatch.setattr("corral.embedded.node.status_writer.RETRY_SECONDS", 0.01)

    async def work(lab):
        lab.api.refusals = [ApiError(status, "Later", "not now")] * 3
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")
        assert not lab.api.refusals

    lab_test(plane_home, real_paths, work)
    assert sum("not now" in record.getMessage() for record in caplog.records) == 1


def test_a_status_that_is_refused_for_good_is_logged_and_sent_anew_with_the_next_change(
    lab_test, plane_home, real_paths, caplog
):
    async def work(lab):
        lab.api.refusals = [ApiError(422, "Invalid", "podIP: no such address")]
        await lab.api.add("p", {"containers": [main_container("sleep 100")]})
        await lab.api.until(lambda: lab.api.condition("p", "Ready") == "True")

    lab_test(plane_home, real_paths, work)
    assert any("podIP: no such address" in record.getMessage() for record in caplog.records)


def test_a_simulated_pod_whose_mark_was_not_accepted_is_met_again(lab_test, plane_home, real_paths):
    async def work(lab):
        lab.api.refusals = [ApiError(429, "TooManyRequests", "storage is (re)initializing")]
        await lab.api.add("p", {"containers": [{"name": "main", "image": "unknown/image:1"}]})
        await eventually(lambda: not lab.api.refusals)
        assert lab.api.condition("p", "corral.dev/Simulated") is None
        await lab.api.tell("p")  # An informer does so after the refusal.
        await lab.api.until(lambda: lab.api.condition("p", "corral.dev/Simulated") == "True")

    lab_test(plane_home, real_paths, work)
