"""Kyverno: admission and background controllers, the init container and the readiness checker."""

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import (
    Flag,
    Flags,
    arguments,
    bind,
    host,
    keep,
    keeps,
    only,
    switch,
    switches,
    written,
)

ADMISSION = "kyverno/kyverno"
BACKGROUND = "kyverno/background-controller"
INIT = "kyverno/kyvernopre"
CHECKER = "kyverno/readiness-checker"

LOGGING: tuple[Flag, ...] = (
    *keeps("v", "loggingFormat", "loggingtsFormat"),
    *switches("disableLogColor", "autoMemLimitEnabled"),
    keep("autoMemLimitRatio"),
)

CLIENT: tuple[Flag, ...] = (
    *keeps("clientRateLimitQPS", "clientRateLimitBurst", "eventsRateLimitQPS", "eventsRateLimitBurst"),
    keep("resyncPeriod"),
    switch("crdWatcher"),
)

CONTROLLER: tuple[Flag, ...] = (
    *LOGGING,
    *CLIENT,
    *switches("disableMetrics"),
    host("metricsHost", absent=""),
    *keeps("metricsPort", "otelConfig", "otelCollector", "transportCreds", "exemplarFilter"),
    *keeps("metricsCASecretName", "metricsTLSSecretName", "metricsKeyAlgorithm", "metricsRenewBefore"),
    bind("controllerRuntimeMetricsAddress", absent=":8080"),
    switch("profile"),
    host("profileAddress", absent=""),
    keep("profilePort"),
    *switches("enablePolicyException", "enableConfigMapCaching", "enableDeferredLoading"),
    *keeps("exceptionNamespace", "imagePullSecrets", "registryCredentialHelpers"),
    switch("allowInsecureRegistry"),
    *keeps("leaderElectionRetryPeriod", "enableReporting", "allowedResults", "omitEvents"),
    *keeps("maxQueuedEvents", "maxAPICallResponseLength", "apiCallTimeout", "maxGlobalContextEntries"),
    *switches("allowHTTPInNamespacedPolicies"),
    *keeps("httpBlocklist", "httpAllowlist"),
    only("enableTracing", values=("false",), why="no collector takes traces here", boolean=True),
)

ADMISSION_FLAGS = Flags(
    documented(ADMISSION),
    (
        *CONTROLLER,
        host("webhookServerHost", absent=""),
        *keeps("webhookServerPort", "servicePort", "webhookTimeout", "webhookRegistrationTimeout"),
        *keeps("caSecretName", "tlsSecretName", "tlsKeyAlgorithm", "renewBefore"),
        *keeps("backgroundServiceAccountName", "reportsServiceAccountName"),
        *switches("disableCertManagerController", "autoUpdateWebhooks", "excludeBootstrapResources"),
        *switches("admissionReports", "dumpPayload", "dumpPatches", "protectManagedResources"),
        *switches("forceFailurePolicyIgnore", "imageVerifyCacheEnabled"),
        *switches("generateValidatingAdmissionPolicy", "generateMutatingAdmissionPolicy"),
        *keeps("maxAuditWorkers", "maxAuditCapacity", "maxAdmissionReports"),
        *keeps("imageVerifyCacheMaxSize", "imageVerifyCacheTTLDuration"),
        only("enableTuf", values=("false",), why="signatures are fetched from the internet", boolean=True),
    ),
)

BACKGROUND_FLAGS = Flags(
    documented(BACKGROUND), (*CONTROLLER, keep("genWorkers"), keep("maxBackgroundReports"))
)

INIT_FLAGS = Flags(documented(INIT), (*LOGGING, *CLIENT, switch("openreportsEnabled")))

CHECKS = {
    "scale-deploy": Flags(documented(CHECKER), tuple(keeps("namespace", "replicas", "label"))),
    "delete-webhooks": Flags(documented(CHECKER), (keep("label"),)),
    "check-endpoints": Flags(documented(CHECKER), tuple(keeps("namespace", "service-name", "timeout"))),
}
"""Commands of the readiness checker; its check-http dials a name and there is no DNS here."""


def _launch(context: Context, program: str, flags: Flags, *entry_points: str) -> Launch:
    words = flags.translate(context, arguments(context, flags.documented.image, *entry_points))
    # Kyverno's toggles are functions to Go's flag package, which demand a value where booleans do not.
    flags_with_values = [word if "=" in word else f"{word}=true" for word in words]
    identity = [] if context.real_paths else written("kubeconfig", str(context.kubeconfig))
    executable = installed.program(program)
    return Launch(
        [str(executable), *flags_with_values, *identity], {"POD_IP": context.bind}, (executable.parent,)
    )


def admission(context: Context) -> Launch:
    """The admission controller."""
    return _launch(context, "kyverno", ADMISSION_FLAGS, "kyverno")


def background(context: Context) -> Launch:
    """The background controller."""
    return _launch(context, "kyverno-background-controller", BACKGROUND_FLAGS, "background-controller")


def init(context: Context) -> Launch:
    """The init container, which removes what an earlier version left behind."""
    return _launch(context, "kyverno-init", INIT_FLAGS, "kyvernopre", "kyverno-init")


def checker(context: Context) -> Launch:
    """The program of the chart's hooks."""
    args = arguments(context, CHECKER, "readiness-checker")
    if not args or args[0] not in CHECKS:
        command = args[0] if args else "nothing"
        raise Refused(f"image {CHECKER} runs {', '.join(sorted(CHECKS))} here, not {command!r}")
    context.require_mounts(CHECKER, "knows its identity only from the mounted ServiceAccount folder")
    executable = installed.program("kyverno-readiness-checker")
    flags = CHECKS[args[0]].translate(context, args[1:])
    return Launch([str(executable), args[0], *flags], {}, (executable.parent,))


PROGRAMS = (
    ProgramSpec("kyverno", ADMISSION, admission, documented(ADMISSION).source),
    ProgramSpec("kyverno-background-controller", BACKGROUND, background, documented(BACKGROUND).source),
    ProgramSpec("kyverno-init", INIT, init, documented(INIT).source),
    ProgramSpec("kyverno-readiness-checker", CHECKER, checker, documented(CHECKER).source),
)
