"""The process that waits for a container's program, by itself."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from corral.embedded.node.attempts import SHIM


def test_a_signal_that_comes_as_the_program_has_ended_loses_no_exit_code(tmp_path: Path):
    files = {key: str(tmp_path / key) for key in ("log", "process", "exit")}
    program = {"argv": ["sh", "-c", "exit 3"], "cwd": "/", "root": None, "binds": [], "hidden": []}
    user = {"uid": os.getuid(), "gid": os.getgid(), "groups": []}
    (tmp_path / "attempt.json").write_text(json.dumps({**files, **program, **user}))
    for _ in range(20):
        for one in files.values():
            Path(one).unlink(missing_ok=True)
        command = [sys.executable, "-I", "-S", str(SHIM), str(tmp_path / "attempt.json")]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as shim:
            assert shim.stdin
            shim.stdin.write(b'{"PATH": "/usr/bin:/bin"}')
            shim.stdin.close()
            while shim.poll() is None:
                with contextlib.suppress(FileNotFoundError):
                    if "pid" in Path(files["process"]).read_text():
                        shim.send_signal(signal.SIGTERM)
        assert Path(files["log"]).read_text() == ""
        assert json.loads(Path(files["exit"]).read_text())["code"] in (3, -signal.SIGTERM)
