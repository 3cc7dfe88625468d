"""What a container's process sees of this machine, as root and as an ordinary user."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from corral.embedded.node.attempts import SHIM

NOBODY = 65534


def prefix(kind: str) -> list[str]:
    if kind == "this user":
        return []
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become another user here")
    ids = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return ["setpriv", *ids, "--bounding-set=-all", "--no-new-privs"]


@dataclass
class Box:
    """Runs scripts in a container root of their own."""

    folder: Path
    command: list[str]
    ordinary: bool

    @property
    def ids(self) -> tuple[int, int]:
        if self.ordinary:
            return NOBODY, NOBODY
        return (NOBODY, NOBODY) if os.geteuid() == 0 else (os.geteuid(), os.getegid())

    def run(self, script: str, binds=(), hidden=(), **more) -> tuple[int, str]:
        """Exit code and output."""
        scratch, root = self.folder / "scratch", self.folder / "root"
        for path in (scratch, root):
            path.mkdir(exist_ok=True)
        uid, gid = self.ids
        if os.geteuid() == 0:
            os.chown(scratch, uid, gid)
            os.chown(self.folder, *((uid, gid) if self.ordinary else (0, 0)))
            os.chown(root, *((uid, gid) if self.ordinary else (0, 0)))
        attempt = {
            "argv": ["sh", "-c", script],
            "cwd": "/data",
            "uid": uid,
            "gid": gid,
            "groups": [gid],
            "root": str(root),
            "binds": [[str(scratch), "/data", "rw"], *([str(s), t, m] for s, t, m in binds)],
            "hidden": [str(path) for path in hidden],
            "log": str(self.folder / "log"),
            "process": str(self.folder / "process.json"),
            "exit": str(self.folder / "exit.json"),
            "started": None,
            **more,
        }
        (self.folder / "attempt.json").write_text(json.dumps(attempt))
        subprocess.run(
            [*self.command, str(self.folder / "attempt.json")],
            input=json.dumps({"PATH": "/usr/bin:/bin"}),
            text=True,
            check=True,
            cwd="/",
            umask=0o077,
        )
        output = (self.folder / "log").read_text()
        (self.folder / "log").unlink()
        return json.loads((self.folder / "exit.json").read_text())["code"], output


@pytest.fixture(autouse=True)
def private_umask():
    """The volumes made here are for every user; the shim itself starts with the plane's umask."""


@pytest.fixture(params=["this user", "ordinary user"])
def box(request, open_folder: Path) -> Box:
    kind = request.param
    ordinary = kind == "ordinary user"
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if python is None:
        pytest.skip("no Python outside this user's own folders")
    command = [*prefix(kind), python, "-I", "-S", str(SHIM)]
    place = open_folder / "try"
    place.mkdir()
    if ordinary:
        os.chown(place, NOBODY, NOBODY)
    tried = subprocess.run([*command, "--try", str(place)], capture_output=True, text=True, cwd="/")
    if tried.returncode != 0:
        pytest.skip(f"this kernel gives {kind} no mount namespace: {tried.stderr.strip()[-80:]}")
    folder = open_folder / "box"
    folder.mkdir()
    return Box(folder, command, ordinary)


def test_mounts_stand_at_their_real_paths_and_this_machine_is_left_alone(box):
    volume = box.folder / "volume"
    volume.mkdir()
    (volume / "model").write_text("weights")
    targets = [f"/mnt/{name}/deep" for name in ("corral-models",)] + ["/etc/corral-config", "/srv/corral/x"]
    binds = [(volume, target, "ro") for target in targets]
    code, output = box.run("".join(f"cat {target}/model;" for target in targets) + "ls /etc/hostname", binds)
    assert (code, output) == (0, "weights" * 3 + "/etc/hostname\n")
    assert not any(Path(target).exists() for target in targets)


def test_a_single_file_can_stand_in_a_folder_of_this_machine(box):
    file = box.folder / "users"
    file.write_text("only one\n")
    code, output = box.run("cat /etc/passwd", [(file, "/etc/passwd", "ro")])
    assert (code, output) == (0, "only one\n")


def test_a_read_only_mount_cannot_be_written_and_a_writable_one_can(box):
    volume = box.folder / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    code, _output = box.run("echo x > /mnt/corral/f", [(volume, "/mnt/corral", "ro")])
    assert code != 0
    code, _output = box.run("echo x > /mnt/corral/f", [(volume, "/mnt/corral", "rw")])
    assert (code, (volume / "f").read_text()) == (0, "x\n")


def test_a_mount_inside_a_volume_shows_there(box):
    outer, inner = box.folder / "outer", box.folder / "inner"
    for folder in (outer, inner):
        folder.mkdir()
        folder.chmod(0o777)
        (folder / folder.name).write_text(folder.name)
        if os.geteuid() == 0 and box.ordinary:
            os.chown(folder, NOBODY, NOBODY)
    code, output = box.run(
        "cat /mnt/corral/outer /mnt/corral/sub/inner; touch /mnt/corral/new",
        [(inner, "/mnt/corral/sub", "ro"), (outer, "/mnt/corral", "rw")],
    )
    assert (code, output) == (0, "outerinner")
    assert (outer / "new").exists()


def test_home_folders_and_temporary_files_of_this_machine_are_out_of_sight(box):
    secret = box.folder / "private"
    secret.mkdir()
    shown = secret / "shown"
    shown.mkdir()
    (secret / "key").write_text("canary")
    (shown / "program").write_text("program")
    code, output = box.run(
        f"ls -A /root /home /run; cat {secret}/key; cat {shown}/program",
        [(shown, str(shown), "see")],
        [secret],
    )
    assert (code, "canary" in output, output.endswith("program")) == (0, False, True)
    assert "/root:\n\n/run:" in output.replace("/home:\n\n", "")


def test_the_process_is_the_wanted_user_without_new_privileges(box):
    _code, output = box.run("id -u; id -g; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status")
    uid, gid = box.ids
    assert output.split() == [str(uid), str(gid), "NoNewPrivs:", "1", "CapEff:", "0" * 16]


def test_how_a_process_ended_is_recorded(box):
    assert box.run("exit 3")[0] == 3
    assert box.run("kill -9 $$")[0] == -9


def test_a_program_that_does_not_exist_is_told(box):
    code, output = box.run("", argv=["/no/such/program"])
    assert code == 128
    assert "/no/such/program" in output
    assert "No such file" in json.loads((box.folder / "exit.json").read_text())["problem"]


def test_what_the_program_started_ends_with_it(box):
    code, output = box.run("setsid sleep 1000 & echo $!")
    assert code == 0
    assert not Path(f"/proc/{output.strip()}").exists()
