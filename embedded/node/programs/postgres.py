"""PostgreSQL with pgvector, with the contract of the official image that the pgvector image inherits."""

from collections.abc import Sequence
from pathlib import Path

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import arguments

IMAGE = "pgvector/pgvector"
SCRIPTS_FOLDER = "/docker-entrypoint-initdb.d"
SOCKETS = "/var/run/postgresql"
"""Where the image's server and its clients meet without a network."""
SHELL = "/bin/sh"
DATA = "/var/lib/postgresql/18/docker"
"""The image's PGDATA since PostgreSQL 18."""

VARIABLES = frozenset(
    {
        "POSTGRES_USER", "POSTGRES_USER_FILE", "POSTGRES_DB", "POSTGRES_DB_FILE", "POSTGRES_PASSWORD",
        "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS",
    }
)  # fmt: skip
"""The image's variables that are honoured; PGDATA besides."""

PATHS = frozenset(
    {"hba_file", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_dh_params_file"}
)
"""Settings whose value is a path of the container."""

KEPT = frozenset(
    {
        "autovacuum", "checkpoint_completion_target", "default_statistics_target",
        "default_transaction_isolation", "effective_cache_size", "effective_io_concurrency",
        "hot_standby", "huge_pages", "idle_in_transaction_session_timeout", "idle_session_timeout",
        "jit", "lock_timeout", "log_checkpoints", "log_connections", "log_destination",
        "log_disconnections", "log_error_verbosity", "log_line_prefix", "log_lock_waits",
        "log_min_duration_statement", "log_min_messages", "log_statement", "log_timezone",
        "maintenance_work_mem", "max_connections", "max_parallel_maintenance_workers",
        "max_parallel_workers", "max_parallel_workers_per_gather", "max_wal_senders",
        "max_wal_size", "max_worker_processes", "min_wal_size", "password_encryption", "port",
        "random_page_cost", "shared_buffers", "shared_preload_libraries", "ssl", "ssl_ciphers",
        "ssl_max_protocol_version", "ssl_min_protocol_version", "ssl_prefer_server_ciphers",
        "statement_timeout", "superuser_reserved_connections", "synchronous_commit",
        "tcp_keepalives_idle", "tcp_keepalives_interval", "temp_buffers", "timezone", "wal_buffers",
        "wal_compression", "wal_level", "work_mem",
    }
)  # fmt: skip
"""Settings passed on as they are."""

HONOURED = PATHS | KEPT | {"listen_addresses"}


def settings(context: Context, args: Sequence[str]) -> list[str]:
    """`name=value` for each `-c name=value` of the pod.

    Raises:
        Refused: another argument, or a setting that is not honoured.
    """
    rest = list(args)
    pairs: list[str] = []
    while rest:
        first = rest.pop(0)
        pair = rest.pop(0) if first == "-c" and rest else first.removeprefix("-c").removeprefix("--")
        name, equals, value = pair.partition("=")
        if not first.startswith("-") or not equals:
            raise Refused(
                f"argument {first!r} of image {IMAGE} is not honoured here; honoured: -c name=value"
            )
        pairs += _setting(context, name.replace("-", "_").lower(), value)
    return pairs


def _setting(context: Context, name: str, value: str) -> list[str]:
    if name not in HONOURED:
        honoured = ", ".join(sorted(HONOURED))
        raise Refused(f"setting {name} of image {IMAGE} is not honoured here; honoured: {honoured}")
    if name == "listen_addresses":
        return []  # the pod's own address, always
    return [f"{name}={context.path(value) if name in PATHS else value}"]


def launch(context: Context) -> Launch:
    """The server, its data folder made first where it is empty; or a script that calls its clients."""
    return _script(context) if list(context.command[:1]) == [SHELL] else _server(context)


def _script(context: Context) -> Launch:
    """A mounted shell script beside the server, with PostgreSQL's clients on its PATH.

    It runs in the folder of the sockets, since another way to them may be longer than a socket's name can be.
    """
    file, *rest = [*context.command[1:], *context.args]
    if file.startswith("-"):
        raise Refused(f"argument {file!r} of {SHELL} is not honoured here; honoured: the path of a script")
    programs = installed.postgres()
    files = {n: context.path(v) for n, v in context.env.items() if n.endswith("_FILE")}
    sockets = context.env.get("PGHOST") == SOCKETS
    clients = {"PATH": f"{programs}:/usr/bin:/bin", "LD_LIBRARY_PATH": str(programs.parent / "lib")}
    return Launch(
        [SHELL, context.path(file), *rest],
        files | clients | ({"PGHOST": "/proc/self/cwd"} if sockets else {}),
        (installed.folder(programs),),
        Path(context.path(SOCKETS)) if sockets else None,
    )


def _server(context: Context) -> Launch:
    unknown = sorted(n for n in context.env if n.startswith("POSTGRES_") and n not in VARIABLES)
    if unknown:
        honoured = ", ".join(sorted(VARIABLES))
        raise Refused(f"variable {unknown[0]} of image {IMAGE} is not honoured here; honoured: {honoured}")
    args = arguments(context, IMAGE, "docker-entrypoint.sh", "postgres")
    if args[:1] == ["postgres"]:
        args = args[1:]
    pairs = settings(context, args)
    programs = installed.postgres()
    files = {n: context.path(v) for n, v in context.env.items() if n in VARIABLES and n.endswith("_FILE")}
    sockets = context.path(SOCKETS) if SOCKETS in context.mounts else str(context.scratch)
    paths = {
        "CORRAL_POSTGRES_PROGRAMS": str(programs),
        "CORRAL_POSTGRES_BIND": context.bind,
        "CORRAL_POSTGRES_SCRATCH": str(context.scratch),
        "CORRAL_POSTGRES_SCRIPTS": context.path(SCRIPTS_FOLDER),
        "CORRAL_POSTGRES_SOCKETS": sockets,
        "PGDATA": context.path(context.env.get("PGDATA", DATA)),
        "PGHOST": context.bind,  # for pg_isready and psql of exec probes
        "PATH": f"{programs}:/usr/bin:/bin",
    }
    python = installed.this_interpreter()
    return Launch(
        [*installed.script(python, "postgres_entry.py"), *pairs],
        files | paths,
        (installed.folder(programs), programs.parent, *installed.seen_by(python)),
    )


PROGRAMS = (ProgramSpec("postgres", IMAGE, launch, documented(IMAGE).source),)
