"""Prometheus, the operator that runs it, and the reloader beside it."""

from urllib.parse import urlsplit

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import (
    Flag,
    Flags,
    arguments,
    bind,
    keep,
    keeps,
    path,
    switch,
    switches,
    written,
)

OPERATOR = "prometheus-operator/prometheus-operator"
RELOADER = "prometheus-operator/prometheus-config-reloader"
SERVER = "prometheus/prometheus"
OWN_HOST = ("localhost", "127.0.0.1")


def _own_address(name: str) -> Flag:
    """A URL of the pod itself, on the pod's own address."""

    def treatment(context: Context, value: str) -> list[str]:
        parts = urlsplit(value)
        if parts.hostname not in OWN_HOST:
            raise Refused(f"flag --{name} must lead to {' or '.join(OWN_HOST)} here, not {value}")
        return written(name, parts._replace(netloc=f"{context.bind}:{parts.port}").geturl())

    return Flag((name,), treatment)


OPERATOR_FLAGS = Flags(
    documented(OPERATOR),
    (
        bind("web.listen-address", absent=":8080"),
        *switches("web.enable-tls", "web.enable-http2", "kubelet-endpoints", "kubelet-endpointslice"),
        *keeps("kubelet-service", "localhost", "cluster-domain", "prometheus-config-reloader"),
        *keeps("config-reloader-cpu-request", "config-reloader-cpu-limit"),
        *keeps("config-reloader-memory-request", "config-reloader-memory-limit"),
        *keeps("prometheus-default-base-image", "alertmanager-default-base-image"),
        *keeps("thanos-default-base-image", "secret-field-selector", "alertmanager-instance-selector"),
        *keeps("log-level", "log-format"),
    ),
)

RELOADER_FLAGS = Flags(
    documented(RELOADER),
    (
        bind("listen-address"),
        _own_address("reload-url"),
        *(path(name) for name in ("config-file", "config-envsubst-file", "watched-dir", "web-config-file")),
        *keeps("watch-interval", "delay-interval", "retry-interval", "reload-timeout"),
        *keeps("log-level", "log-format"),
    ),
)

SERVER_FLAGS = Flags(
    documented(SERVER),
    (
        bind("web.listen-address", absent=":9090"),
        *(path(name) for name in ("config.file", "web.config.file", "storage.tsdb.path")),
        *keeps("web.external-url", "web.route-prefix", "web.console.templates", "web.console.libraries"),
        *keeps("storage.tsdb.retention.time", "storage.tsdb.retention.size"),
        *switches("web.enable-lifecycle", "web.enable-remote-write-receiver", "storage.tsdb.wal-compression"),
        keep("enable-feature"),
        keep("log.level"),
        keep("log.format"),
        switch("auto-gomemlimit"),
    ),
)


def _launch(context: Context, program: str, flags: Flags) -> Launch:
    words = flags.translate(context, arguments(context, flags.documented.image, program, "operator"))
    executable = installed.program(program)
    return Launch([str(executable), *words], {}, (installed.folder(executable),))


def operator(context: Context) -> Launch:
    """The operator, which makes a StatefulSet of each Prometheus object."""
    return _launch(context, "prometheus-operator", OPERATOR_FLAGS)


def reloader(context: Context) -> Launch:
    """What unpacks the operator's configuration, once or as long as the server beside it runs."""
    return _launch(context, "prometheus-config-reloader", RELOADER_FLAGS)


def server(context: Context) -> Launch:
    """Prometheus on the pod's own address."""
    return _launch(context, "prometheus", SERVER_FLAGS)


PROGRAMS = tuple(
    ProgramSpec(name, image, launch, documented(image).source, real_paths_only=True)
    for name, image, launch in (
        ("prometheus-operator", OPERATOR, operator),
        ("prometheus-config-reloader", RELOADER, reloader),
        ("prometheus", SERVER, server),
    )
)
