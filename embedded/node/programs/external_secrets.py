"""External Secrets: the operator, its webhook, and what keeps the webhook's certificate."""

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flags, arguments, bind, keeps, path, switches

IMAGE = "external-secrets/external-secrets"
COMMON = (
    *keeps("loglevel", "zap-time-encoding"),
    bind("metrics-addr", absent=":8080"),
)
OPERATOR_FLAGS = Flags(
    documented(IMAGE),
    (
        *COMMON,
        bind("live-addr", absent=":8082"),
        *switches(
            "enable-leader-election", "enable-cluster-store-reconciler", "enable-secret-store-reconciler"
        ),
        *switches("enable-cluster-external-secret-reconciler", "enable-push-secret-reconciler"),
        *switches("enable-cluster-push-secret-reconciler"),
        *keeps("concurrent", "controller-class", "store-requeue-interval"),
    ),
)
COMMANDS = {
    "webhook": Flags(
        documented(IMAGE),
        (
            *COMMON,
            bind("healthz-addr", absent=":8081"),
            path("cert-dir"),
            *keeps("port", "dns-name", "check-interval", "lookahead-interval"),
        ),
    ),
    "certcontroller": Flags(
        documented(IMAGE),
        (
            *COMMON,
            bind("healthz-addr", absent=":8081"),
            *switches("enable-leader-election", "enable-partial-cache"),
            *keeps("crd-names", "crd-requeue-interval", "secret-name", "secret-namespace"),
            *keeps("service-name", "service-namespace"),
        ),
    ),
}
"""Flags of the commands of the program, which is the operator without one."""


def operator(context: Context) -> Launch:
    """What the container's first argument names: the operator, its webhook or the keeper of certificates."""
    context.require_mounts(IMAGE, "reads its account's token where a pod has it")
    given = arguments(context, IMAGE, "external-secrets")
    command = given[:1] if given and given[0] in COMMANDS else []
    flags = (COMMANDS[command[0]] if command else OPERATOR_FLAGS).translate(context, given[len(command) :])
    executable = installed.program("external-secrets")
    argv = [str(executable), *command, *flags]
    return Launch(argv, {"CORRAL_ADDRESS": context.bind}, (executable.parent,))


PROGRAMS = (
    # Its webhook's certificate is for the name of its Service.
    ProgramSpec("external-secrets", IMAGE, operator, documented(IMAGE).source, serves_names=True),
)
