"""The engine tier once as a user who is not root and can never become it."""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.door.newcomer import CHECKOUT, SMALLEST_STACK, newcomer_in

from corral.embedded.home import Home

pytestmark = pytest.mark.engine

USER = 65534
# A HOME of root's may be closed to others, and the folder of the tools is: what the user needs of them is
# shown at its place.
ENTER = """
set -eu
scratch=$1; shift
for closed in $CLOSED; do
  mount --rbind "$closed" "$scratch"
  mount -t tmpfs -o mode=0755 tmpfs "$closed"
  for shown in $SHOWN; do
    case $shown in "$closed"/*)
      mkdir -p "$shown"
      mount --bind "$scratch/${shown#"$closed"/}" "$shown"
    esac
  done
  umount -l "$scratch"
done
unset CLOSED SHOWN
exec setpriv --reuid {user} --regid {user} --clear-groups --bounding-set=-all --inh-caps=-all \
  --no-new-privs "$@"
""".replace("{user}", str(USER))


@pytest.fixture(scope="module")
def user():
    """A newcomer without privileges; their HOME and checkout are their own."""
    if os.getuid() != 0:
        pytest.skip("the whole suite runs as an ordinary user already")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel gives no mount namespace, in which another user could see the programs")
    folder = Path(tempfile.mkdtemp(prefix="corral-door-"))
    folder.chmod(0o755)
    try:
        newcomer = newcomer_in(folder)
        scratch = folder / "scratch"
        scratch.mkdir()
        home, toolchain = Path("/root"), Home.find().toolchain.resolve()
        closed = [home] if toolchain.is_relative_to(home) else [home, toolchain]
        # The folder of the tools is its owner's alone, the tools in it are not.
        tools = (tool for tool in toolchain.iterdir() if tool.name[0] != ".")
        shown = sorted({Path(sys.base_prefix), CHECKOUT, *tools})
        for path in (folder / "home", folder / "corral", folder / "state", folder / "venv"):
            subprocess.run(["chown", "--recursive", f"{USER}:{USER}", str(path)], check=True)
        enter = ("unshare", "--mount", "--", "sh", "-c", ENTER, "enter", str(scratch))
        words = {"CLOSED": " ".join(map(str, closed)), "SHOWN": " ".join(map(str, shown))}
        environment = {**newcomer.environment, **words}
        somebody = dataclasses.replace(newcomer, enter=enter, environment=environment)
        somebody.write_stack("user", {**SMALLEST_STACK, "cluster": {"kind": "embedded"}})
        yield somebody
        somebody.run("corral", "down", "-s", "user")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_user_has_no_privileges(user):
    status = user.done("cat", "/proc/self/status")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == [str(USER)] * 4
    assert {int(lines[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert lines["NoNewPrivs"] == "1"


def test_corral_up_brings_a_model_that_answers(user):
    user.done("corral", "up", "-s", "user")
    assert user.done("corral", "chat", "-s", "user", "smollm2", "Say hello.").strip()
    owners = {path.lstat().st_uid for path in (user.home / ".cache" / "corral").rglob("*")}
    assert owners == {USER}


def test_down_leaves_no_process_of_the_user_that_knows_the_platform(user):
    user.done("corral", "down", "-s", "user")
    home = str(user.home).encode()
    left = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.stat().st_uid == USER and home in (entry / "cmdline").read_bytes():
                left.append((entry / "cmdline").read_bytes())
        except FileNotFoundError:
            continue
    assert left == []
    assert not (user.home / ".cache" / "corral" / "user").exists()
