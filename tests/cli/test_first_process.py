"""The `corral` command as the first process of a container."""

import signal
import subprocess
import sys

from tests.doubles.servers import free_port

AS_FIRST = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as the kernel treats a first process without a handler
os.getpid = lambda: 1
from corral.cli import main
main.run()
"""


def test_a_container_of_the_tools_ends_as_soon_as_it_is_told_to():
    listen = ["probe", "listen", "--host=127.0.0.1", f"--port={free_port()}", "--seconds=60"]
    command = [sys.executable, "-c", AS_FIRST, *listen]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tool:
        try:
            assert tool.stdout is not None and tool.stdout.readline()
            tool.send_signal(signal.SIGTERM)
            assert tool.wait(timeout=10) == 128 + signal.SIGTERM
        finally:
            tool.kill()
