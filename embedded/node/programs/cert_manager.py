"""cert-manager: controller, webhook, CA injector and the check of its API, all of them one program here."""

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flag, Flags, arguments, keep, keeps, only, switch, written

CONTROLLER = "jetstack/cert-manager-controller"
WEBHOOK = "jetstack/cert-manager-webhook"
INJECTOR = "jetstack/cert-manager-cainjector"
CHECK = "jetstack/cert-manager-startupapicheck"


def _without_acme(*names: str) -> Flag:
    """A flag of the ACME issuer, which this build does not have."""
    return Flag(names, lambda _context, _value: [])


METRICS = only("metrics-listen-address", values=("0",), why="metrics are served on the pod's own address")
CONTROLLER_FLAGS = Flags(
    documented(CONTROLLER),
    (
        *keeps("v", "cluster-resource-namespace", "leader-election-namespace"),
        switch("enable-certificate-owner-ref"),
        METRICS,
        _without_acme("acme-http01-solver-image"),
        _without_acme("max-concurrent-challenges"),
    ),
)
WEBHOOK_FLAGS = Flags(
    documented(WEBHOOK),
    (
        *keeps("v", "secure-port", "healthz-port", "tls-min-version", "dynamic-serving-leaf-duration"),
        *keeps("dynamic-serving-ca-secret-namespace", "dynamic-serving-ca-secret-name"),
        keep("dynamic-serving-dns-names"),
        METRICS,
    ),
)
INJECTOR_FLAGS = Flags(documented(INJECTOR), (*keeps("v", "leader-election-namespace"), METRICS))
CHECK_FLAGS = Flags(
    documented(CHECK), (keep("wait"), Flag(("v", "verbose"), lambda _context, _value: [], boolean=True))
)


def _launch(context: Context, program: str, flags: list[str]) -> Launch:
    identity = [] if context.real_paths else written("kubeconfig", str(context.kubeconfig))
    executable = installed.program("cert-manager")
    return Launch([str(executable), program, *flags, *identity], {}, (executable.parent,))


def _server(context: Context, program: str, flags: Flags) -> Launch:
    translated = flags.translate(context, arguments(context, flags.documented.image, program))
    return _launch(context, program, [*translated, *written("bind-address", context.bind)])


def controller(context: Context) -> Launch:
    """The controller, with the issuers `ca` and `selfSigned`."""
    return _server(context, "controller", CONTROLLER_FLAGS)


def webhook(context: Context) -> Launch:
    """The admission webhook; it makes its serving certificate itself."""
    return _server(context, "webhook", WEBHOOK_FLAGS)


def injector(context: Context) -> Launch:
    """The CA injector."""
    return _server(context, "cainjector", INJECTOR_FLAGS)


def check(context: Context) -> Launch:
    """The program of the chart's hook: `check api`."""
    args = arguments(context, CHECK, "startupapicheck")
    flags = args[2:] if args[:2] == ["check", "api"] else args
    return _launch(context, "startupapicheck", CHECK_FLAGS.translate(context, flags))


PROGRAMS = (
    ProgramSpec("cert-manager-controller", CONTROLLER, controller, documented(CONTROLLER).source),
    ProgramSpec("cert-manager-webhook", WEBHOOK, webhook, documented(WEBHOOK).source, serves_names=True),
    ProgramSpec("cert-manager-cainjector", INJECTOR, injector, documented(INJECTOR).source),
    ProgramSpec("cert-manager-startupapicheck", CHECK, check, documented(CHECK).source),
)
