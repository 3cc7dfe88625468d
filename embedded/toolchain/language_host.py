#!/usr/bin/env python3
"""Pulumi's language host for Python: started by the CLI, it runs programs, policy packs and components.

The file stands alone: it is installed as `pulumi-language-python` beside `pulumi-language-python-exec` and
runs under the `python3` of PATH (or of `VIRTUAL_ENV`), which must have the Pulumi SDK. It prints its port and
serves until the CLI interrupts it.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, cast

try:
    import grpc
    from google.protobuf import empty_pb2, json_format
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
except ImportError as missing:
    activated = Path(os.environ.get("VIRTUAL_ENV", "/nonexistent"), "bin", "python3")
    if activated.exists() and Path(sys.prefix) != activated.parents[1]:
        os.execv(activated, [str(activated), *sys.argv])
    print(
        f"pulumi-language-python: {sys.executable} has no {missing.name}; "
        "put a Python with the `pulumi` package first on PATH or activate its virtual environment",
        file=sys.stderr,
    )
    sys.exit(1)

EXPLAINED = 32
"""Exit code of a program that has already told the user what is wrong."""
MESSAGE_BYTES = 400 * 1024 * 1024
WORKERS = 32
CLOSING_SECONDS = 5
"""How long calls that are still open may take to end once the host was told to."""


def interpreter(info: Any) -> str:
    """The Python for a program: of its `virtualenv` option, of `VIRTUAL_ENV`, else `python3` of PATH."""
    options: Mapping[str, Any] = json_format.MessageToDict(info.options)
    chosen = options.get("virtualenv")
    if chosen:
        python = Path(info.root_directory, chosen, "bin", "python")
        if not python.exists():
            raise FileNotFoundError(f"virtualenv {chosen!r} of the project's runtime options: no {python}")
        return str(python)
    activated = Path(os.environ.get("VIRTUAL_ENV", "/nonexistent"), "bin", "python")
    return str(activated) if activated.exists() else shutil.which("python3") or sys.executable


def program_command(request: Any, engine: str) -> list[str]:
    """The command line that executes the program of a Run request."""
    executor = Path(__file__).absolute().with_name("pulumi-language-python-exec")
    program = Path(request.info.program_directory, request.info.entry_point or ".")
    return [
        interpreter(request.info),
        "-u",
        str(executor),
        *("--monitor", request.monitor_address, "--engine", engine),
        *("--project", request.project, "--root_directory", request.info.root_directory),
        *("--stack", request.stack, "--pwd", request.pwd),
        *("--dry_run", "true" if request.dryRun else "false", "--parallel", str(request.parallel)),
        *("--organization", request.organization),
        str(program),
        *request.args,
    ]


def plugin_command(request: Any) -> list[str]:
    """The command line of a policy pack or of a component provider.

    Raises:
        ValueError: the plugin is of another kind.
    """
    folder = str(request.info.program_directory)
    commands = {
        "analyzer": [*request.args[:1], folder, *request.args[1:]],
        "resource": list(request.args),
    }
    if request.kind not in commands:
        raise ValueError(f"a Python plugin of kind {request.kind!r} is not supported: analyzer or resource")
    entry = ["-m", "pulumi.policy"] if request.kind == "analyzer" else [str(Path(folder, "__main__.py"))]
    return [interpreter(request.info), "-u", *entry, *commands[request.kind]]


class Children:
    """The processes that this host has started and must not outlive it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        child = cast(
            "subprocess.Popen[bytes]", subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        )
        with self._lock:
            self._running.add(child)
        return child

    def wait(self, child: subprocess.Popen[bytes]) -> int:
        code = child.wait()
        with self._lock:
            self._running.discard(child)
        return code

    def end(self) -> None:
        """Ask every child to end."""
        with self._lock:
            for child in self._running:
                child.terminate()


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service that the engine calls for projects with `runtime: python`."""

    def __init__(self, engine: str, children: Children) -> None:
        self._engine = engine
        self._children = children

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        return iter(())

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Cancel(self, request: Any, context: Any) -> Any:
        self._children.end()
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        """Run a program to its end; its output is the host's own, which the CLI shows."""
        environment = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        try:
            child = self._children.start(
                program_command(request, self._engine), cwd=request.pwd or None, env=environment
            )
        except OSError as error:
            return language_pb2.RunResponse(error=f"cannot start the Python program: {error}")
        context.add_callback(child.terminate)
        code = self._children.wait(child)
        if code == EXPLAINED:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program exited with code {code}" if code else "")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack or component provider, streaming what it prints and at last its exit code."""
        try:
            child = self._children.start(
                plugin_command(request),
                cwd=request.pwd or None,
                env=dict(line.split("=", 1) for line in request.env) or None,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            return
        context.add_callback(child.terminate)
        yield from _output(child)
        yield language_pb2.RunPluginResponse(exitcode=self._children.wait(child))


def _output(child: subprocess.Popen[bytes]) -> Iterator[Any]:
    """What the child writes, in pieces as it comes, until both of its streams have ended."""
    pieces: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def pump(name: str, stream: IO[bytes]) -> None:
        for piece in iter(lambda: os.read(stream.fileno(), 65536), b""):
            pieces.put((name, piece))
        pieces.put((name, b""))

    for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
        threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    ended = 0
    while ended < 2:
        name, piece = pieces.get()
        ended += not piece
        if piece:
            yield language_pb2.RunPluginResponse(**cast(Any, {name: piece}))


def stop_with_parent(stop: "SimpleQueue[None]") -> None:
    """Stop when the command that started this host is gone, however it ended."""

    def wait(parent: int) -> None:
        select.select([parent], [], [])
        stop.put(None)

    try:
        parent = os.pidfd_open(os.getppid())
    except OSError:
        return  # a kernel before 5.3: the command's interrupt is the only sign then
    threading.Thread(target=wait, args=(parent,), daemon=True).start()


def main(arguments: Sequence[str]) -> None:
    """Serve for the engine at the last argument's address until interrupted."""
    if not arguments:
        sys.exit("pulumi-language-python: expected the engine's address; it is started by the pulumi command")
    stop: SimpleQueue[None] = SimpleQueue()  # a signal may come while it is being used, unlike an Event
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.put(None))
    stop_with_parent(stop)
    children = Children()
    server = grpc.server(
        futures.ThreadPoolExecutor(WORKERS),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(PythonHost(arguments[-1], children), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    stop.get()
    children.end()
    server.stop(grace=None).wait(CLOSING_SECONDS)
    os._exit(0)  # the interpreter's own end would wait for every handler and for threads of gRPC


if __name__ == "__main__":
    main(sys.argv[1:])
