"""An interrupt of the terminal reaches Pulumi; the command waits for its end and then ends itself."""

import os
import signal
import subprocess
import sys
import time

SCRIPT = """
import signal, sys
# Who runs the tests in the background passes on that interrupts are ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from corral.embedded.engine.events import EventReporter
from corral.embedded.engine.follow import follow
from corral.cli import main
folder = Path(sys.argv[1])
program = "trap 'sleep 0.3; touch ended; exit 1' INT; touch begun; while :; do sleep 0.05; done"
main.COMMANDS["plan"] = ("__main__:deploy", "")
def deploy(_arguments):
    return follow(["sh", "-c", program], cwd=folder, environment={"PATH": "/usr/bin:/bin"},
                  log=folder / "log", reporter=EventReporter(print))
sys.exit(main.main(["plan"]))
"""


def test_an_interrupt_waits_for_the_end_of_the_program_and_exits_with_130(tmp_path):
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        limit = time.monotonic() + 20
        while not (tmp_path / "begun").exists():
            assert running.poll() is None and time.monotonic() < limit
            time.sleep(0.02)
        time.sleep(0.3)
        os.killpg(running.pid, signal.SIGINT)
        output, error = running.communicate(timeout=20)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert (tmp_path / "ended").exists(), "the program was given the time to end"
    assert (running.returncode, output, error) == (130, "", "corral: interrupted\n")
