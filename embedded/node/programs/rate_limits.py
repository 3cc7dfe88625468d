"""Envoy's rate limit service, and the Valkey that it counts in."""

from pathlib import PurePosixPath

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flags, arguments, host, keeps, path

SERVICE = "envoyproxy/ratelimit"
STORE = "valkey/valkey"
CONTROLLER = "envoy-gateway"
"""Name in the certificate of the server that the service's configuration comes from."""


def service(context: Context) -> Launch:
    """The service on the pod's address; it is configured by its environment alone."""
    rest = arguments(context, SERVICE, "ratelimit")
    if rest:
        raise Refused(f"argument {rest[0]!r} of image {SERVICE} is not honoured here: it has none")
    context.require_mounts(SERVICE, "reads its certificates in /certs")
    own = dict.fromkeys(("HOST", "GRPC_HOST", "DEBUG_HOST"), context.bind)
    _, _, metrics = context.env.get("PROMETHEUS_ADDR", ":9090").rpartition(":")
    environment = {
        **own,
        "PROMETHEUS_ADDR": f"{context.bind}:{metrics}",
        # The server is dialled by its address.
        "CONFIG_GRPC_XDS_SERVER_TLS_SAN": CONTROLLER,
    }
    executable = installed.program("ratelimit")
    return Launch([str(executable)], environment, (executable.parent,))


STORE_FLAGS = Flags(
    documented(STORE),
    (
        host("bind", absent=""),
        path("dir", absent="/data"),
        *keeps("port", "appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy", "loglevel"),
    ),
    equals=False,
)


def store(context: Context) -> Launch:
    """`valkey-server` with a file of its configuration, which holds the password, and flags."""
    rest = arguments(context, STORE, "valkey-server")
    files = [rest.pop(0)] if rest and PurePosixPath(rest[0]).is_absolute() else []
    if not files:
        raise Refused(f"image {STORE} needs a file of configuration here, with a password")
    flags = STORE_FLAGS.translate(context, rest)
    executable = installed.program("valkey-server")
    # It takes no `--name=value`.
    parts = [part for flag in flags for part in flag.split("=", 1)]
    return Launch([str(executable), *map(context.path, files), *parts], {}, (installed.folder(executable),))


PROGRAMS = (
    ProgramSpec("ratelimit", SERVICE, service, documented(SERVICE).source),
    ProgramSpec("valkey", STORE, store, documented(STORE).source),
)
