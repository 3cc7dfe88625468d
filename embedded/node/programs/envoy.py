"""Envoy Gateway: its controller, its certificates, the proxies that it makes and what ends them in order."""

from collections.abc import Iterator
from typing import Any, cast

import yaml

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flag, Flags, arguments, keep, keeps, switch, switches, written

GATEWAY = "envoyproxy/gateway"
PROXY = "envoyproxy/envoy"
ADDRESS_KEY = "corral.dev/address"
"""Key of a proxy's metadata by which the controller knows where to put its listeners."""
EVERY_INTERFACE = ("0.0.0.0", "::")

COMMANDS = {
    ("server",): Flags(documented(GATEWAY), (keep("config-path", "c"),)),
    ("certgen",): Flags(
        documented(GATEWAY), (switch("overwrite", "o"), *switches("disable-topology-injector"))
    ),
    ("envoy", "shutdown-manager"): Flags(documented(GATEWAY), (keep("ready-timeout"),)),
}


def gateway(context: Context) -> Launch:
    """The controller, the hook that makes certificates, or the shutdown manager beside a proxy."""
    context.require_mounts(GATEWAY, "reads its certificates in /certs")
    args = arguments(context, GATEWAY, "envoy-gateway")
    command = next((words for words in COMMANDS if tuple(args[: len(words)]) == words), None)
    if command is None:
        known = ", ".join(" ".join(words) for words in COMMANDS)
        raise Refused(f"image {GATEWAY} runs {known} here, not {' '.join(args[:2]) or 'nothing'!r}")
    flags = COMMANDS[command].translate(context, args[len(command) :])
    executable = installed.program("envoy-gateway")
    # Its proxies' hooks name the program without a folder.
    environment = {"CORRAL_ADDRESS": context.bind, "PATH": f"{executable.parent}:/usr/bin:/bin"}
    return Launch([str(executable), *command, *flags], environment, (executable.parent,))


def _bootstrap(context: Context, stated: str) -> list[str]:
    return written("config-yaml", yaml.safe_dump(local(stated, context.bind), sort_keys=False))


PROXY_FLAGS = Flags(
    documented(PROXY),
    (
        Flag(("config-yaml",), _bootstrap),
        *keeps("service-cluster", "service-node", "log-level", "component-log-level", "log-format"),
        *keeps("drain-strategy", "drain-time-s", "concurrency"),
        switch("cpuset-threads"),
    ),
)


def proxy(context: Context) -> Launch:
    """An Envoy proxy; where it listens stands in its bootstrap, which is rewritten."""
    context.require_mounts(PROXY, "reads its certificates in /certs")
    flags = PROXY_FLAGS.translate(context, arguments(context, PROXY, "envoy"))
    if not any(part.startswith("--config-yaml=") for part in flags):
        raise Refused(f"image {PROXY} needs --config-yaml here, as Envoy Gateway states it")
    executable = installed.program("envoy")
    # It takes no `--name=value`.
    parts = [part for flag in flags for part in flag.split("=", 1)]
    # Hot restart has sockets that proxies of one machine would share.
    return Launch([str(executable), *parts, "--disable-hot-restart"], {}, (executable.parent,))


def local(bootstrap: str, bind: str) -> dict[str, Any]:
    """`bootstrap` with every listener on the pod's own address, the administration included.

    >>> local("admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9}}}", "127.0.0.2")["admin"]
    {'address': {'socket_address': {'address': '127.0.0.2', 'port_value': 9}}}
    """
    content: object = yaml.safe_load(bootstrap)
    if not isinstance(content, dict):
        raise Refused(f"the bootstrap of image {PROXY} is not a mapping")
    result = cast(dict[str, Any], content)
    administration = [*_sockets(result.get("admin"))]
    moved = {(socket["address"], socket["port_value"]) for socket in administration}
    for socket in _sockets(result.get("static_resources")):
        every = socket["address"] in EVERY_INTERFACE
        if every or (socket["address"], socket.get("port_value")) in moved:
            socket["address"] = bind
    for socket in administration:
        socket["address"] = bind
    node = result.setdefault("node", {})
    node["metadata"] = {**(node.get("metadata") or {}), ADDRESS_KEY: bind}
    return result


def _sockets(part: object) -> Iterator[dict[str, Any]]:
    """Every socket address in a part of a configuration."""
    if isinstance(part, list):
        for entry in cast(list[object], part):
            yield from _sockets(entry)
    elif isinstance(part, dict):
        for key, value in cast(dict[str, object], part).items():
            if key == "socket_address" and isinstance(value, dict):
                yield cast(dict[str, Any], value)
            else:
                yield from _sockets(value)


PROGRAMS = (
    ProgramSpec("envoy-gateway", GATEWAY, gateway, documented(GATEWAY).source),
    ProgramSpec("envoy", PROXY, proxy, documented(PROXY).source),
)
