"""What a killed engine left is found by its environment, and nothing else is."""

import subprocess
import sys

from corral.embedded.plane.processes import end, with_variable


def test_processes_are_found_by_the_exact_value_of_a_variable(tmp_path):
    expected, near = str(tmp_path / "home"), str(tmp_path / "home-of-another")
    sleep = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    started = [
        subprocess.Popen(sleep, env={"LEFT": value}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for value in (expected, near)
    ]
    try:
        for one in started:
            assert one.stdout.readline() == b"up\n"
        result = with_variable("LEFT", expected)
        assert [one.pid for one in result] == [started[0].pid]
        end(result)
        assert with_variable("LEFT", expected) == []
        assert started[1].poll() is None
    finally:
        for one in started:
            one.kill()
            one.communicate()
