"""A plane for real: up, stop, down, crashes, and what listens. Needs the toolchain."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from corral.embedded.home import Home
from corral.embedded.plane import kubeconfig, plane, supervisor
from corral.embedded.plane.addresses import AddressesInUse
from corral.embedded.plane.processes import Process
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState

pytestmark = pytest.mark.engine


def quiet(_line):
    """Nobody listens."""


@contextmanager
def home_in(folder):
    """A CORRAL_HOME of its own with the toolchain of this machine; every plane in it is gone afterwards."""
    toolchain = Home.find().toolchain
    home = Home(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORRAL_HOME", str(home.root))
        patch.setenv("CORRAL_TOOLCHAIN", str(toolchain))
        yield home
        for plane_file in home.root.glob("*/plane.json"):
            plane.down(home, plane_file.parent.name, quiet)


@pytest.fixture
def home(tmp_path_factory):
    """For one test alone."""
    with home_in(tmp_path_factory.mktemp("h")) as home:
        yield home


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """For the tests that start from a plane that runs, however it came to."""
    with home_in(tmp_path_factory.mktemp("s")) as home:
        yield home


@pytest.fixture
def shared(shared_home):
    """The same, with plane `dev` up: what the test before did to it is over."""
    plane.up(shared_home, "dev", quiet)
    return shared_home


def state(home, name="dev"):
    return PlaneState.load(home.plane(name))


def processes(home, name="dev"):
    result = state(home, name)
    return {"supervisor": result.supervisor, **{n: e.process for n, e in result.programs.items()}}


def client(home, name="dev"):
    record = PlaneRecord.load(home.plane(name))
    return httpx.Client(base_url=record.server, verify=kubeconfig.tls(home.plane(name)), timeout=10)


def ask(home, path, name="dev"):
    with client(home, name) as api:
        answer = api.get(path)
        answer.raise_for_status()
        return answer.json()


def config_map(home, name="dev", called="kept"):
    with client(home, name) as api:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": called}}
        api.post("/api/v1/namespaces/default/configmaps", json=body).raise_for_status()


def wait_for(condition, seconds=30):
    """Return once `condition` holds; the plane tells nobody outside, so it is asked."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.05)


def listening(pids):
    """Addresses on which processes of `pids` listen, as the kernel writes them."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    result = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            bound_udp = table.startswith("udp") and fields[3] == "07"
            if fields[9] in inodes and (fields[3] == "0A" or bound_udp):
                result.append((table, fields[1].rpartition(":")[0]))
    return result


def test_up_stop_up_down(home):
    lines = []
    record = plane.up(home, "dev", lines.append)
    dev = home.plane("dev")
    nodes = ask(home, "/api/v1/nodes")["items"]
    assert nodes
    for node in nodes:
        ready = [c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"]
        assert ready == ["True"]
    config_map(home)

    before = processes(home)
    assert len(before) > 4
    plane.up(home, "dev", lines.append)
    assert lines[-1] == "plane dev is running"
    assert processes(home) == before

    plane.stop(home, "dev", quiet)
    assert not any(process.alive for process in before.values())
    assert not dev.kubeconfig.exists()
    plane.stop(home, "dev", quiet)

    assert plane.up(home, "dev", quiet) == record
    assert ask(home, "/api/v1/namespaces/default/configmaps/kept")

    last = processes(home)
    assert last.keys() == before.keys()
    plane.down(home, "dev", quiet)
    assert not any(process.alive for process in last.values())
    assert not dev.root.exists()
    assert not record.egress.exists()
    assert list(home.root.iterdir()) == []
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(home.root) not in mounts


def test_everything_that_listens_listens_on_loopback(shared):
    result = listening([process.pid for process in processes(shared).values()])
    assert len([entry for entry in result if entry[0].startswith("tcp")]) >= 6
    for table, address in result:
        # The kernel writes addresses byte-swapped: 127.a.b.c ends in 7F.
        assert not table.endswith("6") and address.endswith("7F"), (table, address)


def test_two_planes_live_side_by_side(shared):
    first, second = PlaneRecord.load(shared.plane("dev")), plane.up(shared, "two", quiet)
    assert first.service_range != second.service_range
    config_map(shared, "two", called="of-two")
    assert ask(shared, "/api/v1/namespaces/default/configmaps/of-two", "two")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        ask(shared, "/api/v1/namespaces/default/configmaps/of-two", "dev")
    plane.down(shared, "two", quiet)
    assert ask(shared, "/api/v1/nodes", "dev")


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd", "node", "hardware"])
def test_a_killed_program_is_started_again(shared, name):
    before = state(shared).programs[name]
    os.kill(before.process.pid, signal.SIGKILL)
    wait_for(lambda: state(shared).programs[name].process not in (None, before.process))
    assert state(shared).programs[name].restarts == before.restarts + 1

    def answers():
        try:
            return bool(ask(shared, "/api/v1/nodes"))
        except httpx.HTTPError:
            return False

    wait_for(answers)


@contextmanager
def simulated_pod(api):
    """The path of a pod that KWOK has; it is made, and gone in the end."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "system-0", "containers": [{"name": "c", "image": "example.eu/no/row"}]},
    }
    wait_for(lambda: api.get("/api/v1/namespaces/default/serviceaccounts/default").status_code == 200)
    api.post("/api/v1/namespaces/default/pods", json=body).raise_for_status()
    path = "/api/v1/namespaces/default/pods/p"
    yield path
    api.delete(path).raise_for_status()
    wait_for(lambda: api.get(path).status_code == 404)


def test_simulated_pods_come_and_go_at_once_after_kwok_was_replaced(shared):
    plane.stop(shared, "dev", quiet)
    plane.up(shared, "dev", quiet)
    killed = processes(shared)["kwok-controller"]
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: state(shared).programs["kwok-controller"].process not in (None, killed))
    with client(shared) as api, simulated_pod(api) as pod:
        wait_for(lambda: api.get(pod).json()["status"]["phase"] == "Running")


def test_kwok_is_started_anew_with_the_api_server(shared):
    """It drops what a dying API server does not answer: heartbeats of machines, ends of pods."""
    before = state(shared).programs
    os.kill(before["kube-apiserver"].process.pid, signal.SIGKILL)
    old = before["kwok-controller"].process
    wait_for(lambda: state(shared).programs["kwok-controller"].process not in (None, old))
    assert not old.alive


def test_a_simulated_pod_of_a_machine_that_was_silent_is_ready_again(shared):
    said = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "NodeNotReady"}]}}
    kind = {"Content-Type": "application/strategic-merge-patch+json"}

    def ready(api, pod):
        conditions = api.get(pod).json()["status"].get("conditions") or []
        return [one["status"] for one in conditions if one["type"] == "Ready"]

    with client(shared) as api, simulated_pod(api) as pod:
        wait_for(lambda: ready(api, pod) == ["True"])
        told = api.patch(f"{pod}/status", content=json.dumps(said), headers=kind).raise_for_status()
        assert "NodeNotReady" in told.text
        wait_for(lambda: ready(api, pod) == ["True"])


def test_a_killed_supervisor_is_replaced_and_what_runs_goes_on(shared):
    before = processes(shared)
    os.kill(before["supervisor"].pid, signal.SIGKILL)
    wait_for(lambda: not before["supervisor"].alive)
    plane.up(shared, "dev", quiet)
    after = processes(shared)
    assert after.pop("supervisor") != before.pop("supervisor")
    assert after == before


def test_killing_everything_is_recovered_by_the_next_up(shared):
    config_map(shared)
    before = processes(shared)
    for process in before.values():
        os.kill(process.pid, signal.SIGKILL)
    plane.up(shared, "dev", quiet)
    assert ask(shared, "/api/v1/namespaces/default/configmaps/kept")


def test_an_interrupted_up_is_finished_by_the_next(home):
    program = (
        "import sys\n"
        "from corral.embedded.home import Home\n"
        "from corral.embedded.plane import plane\n"
        "plane.up(Home.find(), 'dev', lambda line: print(line, flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout.readline() == "starting the control plane\n"
        up.kill()
    plane.up(home, "dev", quiet)
    assert ask(home, "/api/v1/nodes")["items"]


def test_a_port_in_use_is_said_and_nothing_is_lost(shared):
    record = PlaneRecord.load(shared.plane("dev"))
    plane.stop(shared, "dev", quiet)
    with (
        socket.create_server(("127.0.0.1", record.api_port)),
        pytest.raises(AddressesInUse, match=rf"port {record.api_port} .*kube-apiserver"),
    ):
        plane.up(shared, "dev", quiet)
    plane.up(shared, "dev", quiet)
    assert ask(shared, "/api/v1/nodes")["items"]


def test_a_program_that_always_ends_is_given_up_with_its_log(home, monkeypatch):
    monkeypatch.setenv("CORRAL_NODE_PROGRAMS", "no.such.module")
    with pytest.raises(plane.PlaneError, match=r"node exited with 1, 6 times(.|\n)*no\.such|No module named"):
        plane.up(home, "dev", quiet)
    assert state(home).programs["node"].phase == "failed"
    assert state(home).programs["node"].restarts == supervisor.RESTARTS
    monkeypatch.delenv("CORRAL_NODE_PROGRAMS")
    plane.up(home, "dev", quiet)
    assert state(home).programs["node"].phase == "running"


def test_files_are_the_owners_alone(shared):
    # kwok's discovery cache sets modes of its own, in a folder that nobody else enters.
    own = [
        path
        for path in shared.plane("dev").root.rglob("*")
        if not path.is_symlink() and not {"pods", ".kube"} & set(path.parts)
    ]
    assert shared.plane("dev").kubeconfig in own
    assert [path for path in own if path.stat().st_mode & 0o077] == []


def test_memory_and_pid_of_each_program_are_known(shared):
    assert len(processes(shared)) > 4
    for name, process in processes(shared).items():
        assert process == Process.of(process.pid), name
        assert process.memory > 1_000_000, name


def test_a_lost_state_file_loses_no_process(shared):
    before = processes(shared)
    (shared.plane("dev").run / "state.json").write_text("{")
    os.kill(before["supervisor"].pid, signal.SIGKILL)
    wait_for(lambda: not before["supervisor"].alive)
    plane.down(shared, "dev", quiet)
    assert not any(process.alive for process in before.values())
