"""Secrets stay secret, and nothing is open beyond this machine."""

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_door import UP_SECONDS, Platform, is_loopback, listening

pytestmark = pytest.mark.engine

LEAST = 16
"""Shorter values are names or numbers."""


@pytest.fixture(scope="module")
def canaries(platform: Platform) -> dict[str, bytes]:
    """Every secret value that the stack gave its cluster: by name."""
    found: dict[str, bytes] = {}
    for one in platform.items("secrets", "-A"):
        space, name = one["metadata"]["namespace"], one["metadata"]["name"]
        if space in ("kube-system", "kyverno", "kserve", "cert-manager") or one["type"].startswith(
            ("helm.sh/", "kubernetes.io/service-account-token")
        ):
            continue
        for key, value in one.get("data", {}).items():
            for part in values(base64.b64decode(value)):
                found[f"{space}/{name}/{key}"] = part
    assert any(name.startswith("model-storage/model-storage-writer/AWS_SECRET") for name in found), sorted(
        found
    )
    assert any(name.startswith("monitoring/") for name in found), sorted(found)
    return found


def values(content: bytes) -> Iterator[bytes]:
    """The secret itself: the whole of a short value, the longest word of a file."""
    if content.startswith(b"-----BEGIN"):
        if b"PRIVATE KEY" in content:
            yield content.splitlines()[1]
        return
    words = content.replace(b'"', b" ").replace(b"'", b" ").split()
    longest = max(words, key=len, default=b"")
    if len(longest) >= LEAST and b"://" not in longest:
        yield longest


def shown(content: bytes, canaries: dict[str, bytes]) -> list[str]:
    """Canaries in `content`, as they are or as Kubernetes writes them."""
    return [
        name
        for name, value in canaries.items()
        if value in content or base64.b64encode(value).rstrip(b"=") in content
    ]


def test_the_state_of_pulumi_shows_no_secret(platform, canaries):
    files = [path for path in (platform.plane.engine / "state").rglob("*") if path.is_file()]
    assert any(path.name == "dev.json" for path in files)
    assert {path.name: found for path in files if (found := shown(path.read_bytes(), canaries))} == {}
    assert shown(platform.plane.engine.joinpath("Pulumi.dev.yaml").read_bytes(), canaries) == []


def test_outputs_show_no_secret(platform, canaries):
    assert shown(platform.pulumi("stack", "output", "--json").out.encode(), canaries) == []


def test_logs_show_no_secret(platform, canaries):
    logs = [path for path in platform.plane.root.rglob("*") if path.is_file() and is_log(path)]
    assert len(logs) > 20, logs
    assert {str(path): found for path in logs if (found := shown(path.read_bytes(), canaries))} == {}


def is_log(path: Path) -> bool:
    return "log" in path.suffix or "logs" in path.parts or path.name in ("stdout", "stderr", "output")


def test_process_arguments_show_no_secret(platform, canaries):
    running = platform.processes()
    assert len(running) > 15, running
    assert {
        one.command[:80]: found for one in running if (found := shown(one.command.encode(), canaries))
    } == {}


def test_everything_is_written_for_its_owner_alone(platform):
    engine, control = platform.plane.engine, platform.plane.control
    for folder in (platform.plane.root, engine, control, platform.plane.logs):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0, folder
    for path in (platform.plane.kubeconfig, engine / "passphrase", engine / "Pulumi.dev.yaml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_every_listening_socket_is_on_the_loopback(platform):
    running = {one.pid: one.command for one in platform.processes()}
    sockets = listening(set(running))
    assert len(sockets) > 8, "sockets of few processes were seen"
    outside = {
        running[pid][:120]: several
        for pid, found in sockets.items()
        if (several := {one for one in found if not is_loopback(one[1])})
    }
    assert outside == {}
    assert os.getpid() not in sockets


def test_kubectl_leaves_nothing_in_the_users_home(platform):
    platform.kubectl("get", "pods")
    assert list(Path(platform.environment["HOME"]).rglob("*")) == []


def test_a_changed_password_of_the_vector_database_is_in_force_after_up(platform):
    old, new = platform.secret("vector-db", "vector-db-credential")["password"], f"rotated-{os.getpid()}"
    assert platform.log_in(old).code == 0
    config = str(platform.plane.engine / "Pulumi.dev.yaml")
    done = platform.pulumi(
        "config", "set", "--secret", "corral:vector-db-password", new, "--config-file", config
    )
    assert done.code == 0, done.said
    done = platform.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.said[-3000:]
    assert platform.log_in(new).code == 0
    assert "password authentication failed" in platform.log_in(old).err
