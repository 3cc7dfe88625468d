"""The language host as the pulumi command meets it: a process, its port, and gRPC."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from corral.embedded.toolchain.sources import LANGUAGE_HOST

EXECUTOR = """
import json, os, sys
from pathlib import Path
Path(os.environ["TOLD"]).write_text(json.dumps({
    "arguments": sys.argv[1:],
    "config": json.loads(os.environ["PULUMI_CONFIG"]),
    "secret": json.loads(os.environ["PULUMI_CONFIG_SECRET_KEYS"]),
    "cwd": os.getcwd(),
    "prefix": sys.prefix,
}))
sys.exit(int(os.environ["CODE_FILE"] and Path(os.environ["CODE_FILE"]).read_text()))
"""


class Host:
    """A running language host with an executor that records how it was called."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.reported = folder / "told.json"
        self.code = folder / "code"
        self.code.write_text("0")
        launcher = folder / "pulumi-language-python"
        shutil.copy(LANGUAGE_HOST, launcher)
        launcher.chmod(0o755)
        (folder / "pulumi-language-python-exec").write_text(EXECUTOR)
        path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
        self.process = subprocess.Popen(
            [launcher, "127.0.0.1:1"],
            env={
                "PATH": path,
                "TOLD": str(self.reported),
                "CODE_FILE": str(self.code),
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.service = language_pb2_grpc.LanguageRuntimeStub(self.channel)

    def run(self, **options: Any) -> Any:
        program = language_pb2.ProgramInfo(
            root_directory=str(self.folder), program_directory=str(self.folder), entry_point=".", **options
        )
        return self.service.Run(
            language_pb2.RunRequest(
                project="shop",
                stack="dev",
                pwd=str(self.folder),
                config={"shop:size": "3"},
                configSecretKeys=["shop:key"],
                dryRun=True,
                parallel=7,
                monitor_address="127.0.0.1:2",
                organization="organization",
                info=program,
            ),
            timeout=30,
        )

    def run_plugin(self, kind: str) -> list[Any]:
        info = language_pb2.ProgramInfo(root_directory=str(self.folder), program_directory=str(self.folder))
        request = language_pb2.RunPluginRequest(
            pwd=str(self.folder), args=["127.0.0.1:9"], env=["GREETING=hello"], info=info, kind=kind
        )
        return list(self.service.RunPlugin(request, timeout=30))

    def interrupt(self) -> tuple[int, str]:
        """Exit code and what was written to standard error after SIGINT."""
        self.channel.close()
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    started = Host(tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def test_a_program_is_run_with_its_project_config_and_engine(host: Host) -> None:
    answer = host.run()
    assert (answer.error, answer.bail) == ("", False)
    messages = json.loads(host.reported.read_text())
    arguments = messages["arguments"]
    named = dict(zip(arguments[::2], arguments[1::2], strict=False))
    assert named["--engine"] == "127.0.0.1:1"
    assert named["--monitor"] == "127.0.0.1:2"
    assert (named["--project"], named["--stack"], named["--organization"]) == ("shop", "dev", "organization")
    assert (named["--dry_run"], named["--parallel"]) == ("true", "7")
    assert arguments[-1] == str(host.folder)
    assert (messages["config"], messages["secret"]) == ({"shop:size": "3"}, ["shop:key"])
    assert messages["cwd"] == str(host.folder)


def test_a_program_that_explained_itself_ends_without_a_second_message(host: Host) -> None:
    host.code.write_text("32")
    answer = host.run()
    assert (answer.error, answer.bail) == ("", True)


def test_a_program_that_failed_otherwise_is_reported_with_its_exit_code(host: Host) -> None:
    host.code.write_text("5")
    assert host.run().error == "the program exited with code 5"


def test_the_virtualenv_option_chooses_the_interpreter(host: Host) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", host.folder / "own"], check=True)
    assert host.run(options={"virtualenv": "own"}).error == ""
    assert json.loads(host.reported.read_text())["prefix"] == str(host.folder / "own")
    assert "virtualenv 'gone'" in host.run(options={"virtualenv": "gone"}).error


def test_a_component_provider_is_streamed_until_its_exit_code(host: Host) -> None:
    (host.folder / "__main__.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1], os.environ['GREETING'], flush=True)\n"
        "print('odd', file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    answers = host.run_plugin("resource")
    assert b"".join(answer.stdout for answer in answers) == b"127.0.0.1:9 hello\n"
    assert b"".join(answer.stderr for answer in answers) == b"odd\n"
    assert answers[-1].exitcode == 3


def test_a_plugin_of_another_kind_is_refused_by_name(host: Host) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        host.run_plugin("converter")
    assert "kind 'converter' is not supported" in str(refused.value.details())  # type: ignore[attr-defined]


def test_questions_about_plugins_are_answered_empty(host: Host) -> None:
    assert list(host.service.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages) == []
    assert host.service.About(language_pb2.AboutRequest()).version == sys.version.split()[0]
    assert list(host.service.InstallDependencies(language_pb2.InstallDependenciesRequest())) == []


def test_an_interrupted_host_exits_quietly(host: Host) -> None:
    assert host.interrupt() == (0, "")


def test_a_host_does_not_outlive_the_command_that_started_it(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        f"command = [sys.executable, {str(LANGUAGE_HOST)!r}, '127.0.0.1:1']\n"
        "host = subprocess.Popen(command, stdout=subprocess.PIPE)\n"
        "host.stdout.readline()\nprint(host.pid, flush=True)\nsys.stdin.read()\n"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert command.stdout
    ended = os.pidfd_open(int(command.stdout.readline()))
    command.kill()
    command.communicate()
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)


def test_a_program_does_not_outlive_its_host(host: Host) -> None:
    marker = host.folder / "pid"
    (host.folder / "__main__.py").write_text(
        f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\n"
        "print('up', flush=True)\ntime.sleep(600)\n"
    )
    info = language_pb2.ProgramInfo(root_directory=str(host.folder), program_directory=str(host.folder))
    request = language_pb2.RunPluginRequest(
        pwd=str(host.folder), args=["127.0.0.1:9"], env=["A=b"], info=info, kind="resource"
    )
    stream = host.service.RunPlugin(request, timeout=30)
    assert next(stream).stdout.startswith(b"up")
    ended = os.pidfd_open(int(marker.read_text()))
    assert host.interrupt() == (0, "")
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)


def test_a_python_without_the_sdk_is_told_what_to_do(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    answer = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", LANGUAGE_HOST, "127.0.0.1:1"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "put a Python with the `pulumi` package first on PATH" in answer.stderr
    assert "Traceback" not in answer.stderr
