"""KEDA: operator, metrics server, and the HTTP add-on's interceptor, scaler and operator."""

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import (
    Flag,
    Flags,
    arguments,
    bind,
    keeps,
    path,
    switch,
    switches,
    written,
)

OPERATOR = "kedacore/keda"
METRICS = "kedacore/keda-metrics-apiserver"
INTERCEPTOR = "kedacore/http-add-on-interceptor"
SCALER = "kedacore/http-add-on-scaler"
ROUTES = "kedacore/http-add-on-operator"
CERTIFIED = "keda-operator.{}.svc"
"""Name in the certificate of the operator's own server, by namespace; it is dialled by its address."""
LOGS = tuple(keeps("zap-log-level", "zap-encoder", "zap-time-encoding"))
OPERATOR_FLAGS = Flags(
    documented(OPERATOR),
    (
        *LOGS,
        *switches("leader-elect", "enable-cert-rotation"),
        *keeps("disable-compression", "enable-webhook-patching", "enable-prometheus-metrics"),
        *keeps("cert-secret-name", "operator-service-name", "metrics-server-service-name"),
        *keeps("webhooks-service-name", "k8s-cluster-name", "k8s-cluster-domain"),
        *keeps("http-max-idle-conns", "http-max-idle-conns-per-host", "http-idle-conn-timeout"),
        path("cert-dir", absent="/certs"),
        bind("metrics-bind-address", absent=":8080"),
        bind("health-probe-bind-address", absent=":8081"),
        bind("metrics-service-bind-address", absent=":9666"),
    ),
)
METRICS_FLAGS = Flags(
    documented(METRICS),
    (
        *LOGS,
        *keeps("port", "secure-port", "stderrthreshold", "metrics-service-address"),
        # One letter, and yet a long name.
        Flag(("v",), lambda _context, value: [f"--v={value}"]),
        *keeps("disable-compression", "logtostderr"),
        *(path(name) for name in ("client-ca-file", "tls-cert-file", "tls-private-key-file", "cert-dir")),
    ),
)
ROUTES_FLAGS = Flags(
    documented(ROUTES),
    (
        *LOGS,
        switch("leader-elect"),
        *keeps("metrics-secure", "metrics-auth"),
        bind("metrics-bind-address", absent=":8080"),
        bind("health-probe-bind-address", absent=":8081"),
    ),
)


def _launch(context: Context, program: str, image: str, flags: list[str]) -> Launch:
    context.require_mounts(image, "reads its account's token where a pod has it")
    executable = installed.program(program)
    return Launch([str(executable), *flags], {"CORRAL_ADDRESS": context.bind}, (executable.parent,))


def operator(context: Context) -> Launch:
    """KEDA's operator, which takes replicas from none to one and back, and makes HorizontalPodAutoscalers."""
    flags = OPERATOR_FLAGS.translate(context, arguments(context, OPERATOR, "keda"))
    return _launch(context, "keda", OPERATOR, flags)


def metrics(context: Context) -> Launch:
    """The API of external metrics, which HorizontalPodAutoscalers ask."""
    flags = METRICS_FLAGS.translate(context, arguments(context, METRICS, "keda-adapter"))
    named = written("metrics-service-grpc-authority", CERTIFIED.format(context.namespace))
    own = written("bind-address", context.bind)
    return _launch(context, "keda-adapter", METRICS, [*flags, *own, *named])


def interceptor(context: Context) -> Launch:
    """The proxy that counts requests, and holds them while nothing can answer."""
    flags = Flags(documented(INTERCEPTOR), LOGS).translate(context, arguments(context, INTERCEPTOR))
    return _launch(context, "keda-http-interceptor", INTERCEPTOR, flags)


def scaler(context: Context) -> Launch:
    """What tells KEDA the counts of all interceptors."""
    flags = Flags(documented(SCALER), LOGS).translate(context, arguments(context, SCALER))
    return _launch(context, "keda-http-scaler", SCALER, flags)


def routes(context: Context) -> Launch:
    """The add-on's operator."""
    flags = ROUTES_FLAGS.translate(context, arguments(context, ROUTES))
    return _launch(context, "keda-http-operator", ROUTES, flags)


PROGRAMS = tuple(
    ProgramSpec(image.rpartition("/")[2], image, launch, documented(image).source)
    for image, launch in (
        (OPERATOR, operator),
        (METRICS, metrics),
        (INTERCEPTOR, interceptor),
        (SCALER, scaler),
        (ROUTES, routes),
    )
)
