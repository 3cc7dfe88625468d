"""KServe: the controller manager, the storage initializer, and what keeps models on nodes."""

from collections.abc import Sequence
from pathlib import Path

from corral.embedded.node.program_spec import Context, Launch, Omitted, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flags, arguments, bind, keep, keeps, switch, switches, written

MANAGER = "kserve/kserve-controller"
LLM_MANAGER = "kserve/llmisvc-controller"
INITIALIZER = "kserve/storage-initializer"
CACHES = "kserve/kserve-localmodel-controller"
AGENT = "kserve/kserve-localmodelnode-agent"
CERTIFICATES = "/tmp/k8s-webhook-server/serving-certs"

MANAGER_FLAGS = Flags(
    documented(MANAGER),
    (
        bind("metrics-addr", absent=":8080"),
        bind("health-probe-addr", absent=":8081"),
        keep("webhook-port"),
        switch("leader-elect"),
        switch("zap-devel"),
        *keeps("zap-encoder", "zap-log-level", "zap-stacktrace-level", "zap-time-encoding"),
    ),
)


LLM_FLAGS = Flags(
    documented(LLM_MANAGER),
    (
        bind("metrics-addr", absent=":8443"),
        bind("health-probe-addr", absent=":8081"),
        keep("webhook-port"),
        *switches("leader-elect", "metrics-secure", "enable-http2", "zap-devel"),
        *keeps("storage-migration-timeout", "storage-migration-poll-interval"),
        *keeps("zap-encoder", "zap-log-level", "zap-stacktrace-level", "zap-time-encoding"),
    ),
)


def manager(context: Context) -> Launch:
    """KServe's manager; its build takes the address of the webhook server, which upstream's cannot."""
    return _manager(
        context, "kserve-manager", MANAGER_FLAGS.translate(context, arguments(context, MANAGER, "manager"))
    )


def llm_manager(context: Context) -> Launch:
    """The manager of LLMInferenceServices, built alike."""
    return _manager(
        context, "llmisvc-manager", LLM_FLAGS.translate(context, arguments(context, LLM_MANAGER, "manager"))
    )


def _manager(context: Context, name: str, flags: Sequence[str]) -> Launch:
    identity = [] if context.real_paths else written("kubeconfig", str(context.kubeconfig))
    kserve = installed.program(name)
    return Launch(
        [str(kserve), *flags, *written("webhook-host", context.bind), *identity],
        {"TMPDIR": _temporary(context)},
        (kserve.parent,),
    )


def _temporary(context: Context) -> str:
    """The folder below which the manager finds its serving certificate at a fixed place."""
    if context.real_paths:
        return "/tmp"
    link = context.scratch / "tmp" / Path(CERTIFICATES).relative_to("/tmp")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(context.path(CERTIFICATES))
    return str(context.scratch / "tmp")


CACHE_FLAGS = Flags(
    documented(CACHES),
    (
        bind("metrics-addr", absent=":8080"),
        bind("health-probe-addr", absent=":8081"),
        keep("webhook-port"),
        switch("leader-elect"),
        switch("zap-devel"),
        *keeps("zap-encoder", "zap-log-level", "zap-stacktrace-level", "zap-time-encoding"),
    ),
)
AGENT_FLAGS = Flags(
    documented(AGENT),
    (
        switch("leader-elect"),
        switch("zap-devel"),
        *keeps("zap-encoder", "zap-log-level", "zap-stacktrace-level", "zap-time-encoding"),
    ),
)


def caches(context: Context) -> Launch:
    """The controller of local models; its build takes the address of its servers from the environment."""
    context.require_mounts(CACHES, f"reads its certificate in {CERTIFICATES}")
    return _local_models(context, "localmodel", CACHE_FLAGS.translate(context, _stated(context, CACHES)))


def agent(context: Context) -> Launch:
    """The agent of local models on a node."""
    context.require_mounts(AGENT, "looks for models in /mnt/models")
    return _local_models(context, "localmodelnode", AGENT_FLAGS.translate(context, _stated(context, AGENT)))


def _stated(context: Context, image: str) -> Sequence[str]:
    return arguments(context, image, "manager")


def _local_models(context: Context, command: str, flags: Sequence[str]) -> Launch:
    program = installed.program(f"kserve-{command}")
    return Launch([str(program), *flags], {"CORRAL_ADDRESS": context.bind}, (program.parent,))


def initializer(context: Context) -> Launch:
    """KServe's storage initializer: pairs of source and target."""
    pairs = arguments(context, INITIALIZER, "initializer-entrypoint")
    if not pairs or len(pairs) % 2:
        raise Refused(f"image {INITIALIZER} takes pairs of source and target, not {len(pairs)} arguments")
    mapped = [context.path(part) if part.startswith("/") else part for part in pairs]
    python = installed.interpreter("kserve-storage")
    return Launch(
        [*installed.script(python, "storage_initializer.py"), *mapped], {}, installed.seen_by(python)
    )


PROGRAMS: tuple[ProgramSpec | Omitted, ...] = (
    ProgramSpec("kserve-manager", MANAGER, manager, documented(MANAGER).source),
    ProgramSpec("llmisvc-manager", LLM_MANAGER, llm_manager, documented(LLM_MANAGER).source),
    ProgramSpec("kserve-storage-initializer", INITIALIZER, initializer, documented(INITIALIZER).source),
    ProgramSpec("kserve-localmodel", CACHES, caches, documented(CACHES).source),
    ProgramSpec("kserve-localmodelnode", AGENT, agent, documented(AGENT).source),
    Omitted(
        "brancz/kube-rbac-proxy",
        "a proxy that authorises readers of the manager's metrics; the metrics stay on a loopback address",
    ),
)
