"""What the profile demands of the stack file: what its controls would stop of everything that comes of it."""

from collections.abc import Callable, Iterator, Mapping

from corral.catalogue.vocabulary import Addon, AddonState, DataClass, StorageKind
from corral.controls.profiles import PROFILES, Profile
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.defaults import namespaces
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.sovereignty import QUOTAS, stopping

Demand = Callable[[StackConfig, AddonStates], Iterator[tuple[str, str, str]]]
"""(path, value, what to do) of each place of a stack file that a control stops."""
EXTERNAL = "external"
"""Origin of keys that a profile takes from outside a provider alone."""


def check_demands(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """What controls of the profile stop, where no exception from them is stated."""
    section = config.sovereignty
    for identity, demand in DEMANDS.items():
        if stopping(section, identity):
            for path, value, use in demand(config, states):
                yield Problem(path, value, f"profile {section.profile.value} stops that ({identity}): {use}")


def _operator(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    if _made(config) and PROFILES[config.sovereignty.profile.value].operators == frozenset():
        yield "cluster.kind", config.cluster.kind.value, "it takes no cloud provider: use existing"


def _unprotected(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    if _made(config) and config.cluster.deletion_protection is False:
        use = (
            "leave it out; to remove the stack, add an exception to sovereignty.exceptions, see docs/state.md"
        )
        yield "cluster.deletion-protection", "false", use


def _logs(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    section, days = config.cluster.eks or config.cluster.gke, _limits(config).retention_days
    if _made(config) and section is not None and section.log_days < days:
        path = f"cluster.{config.cluster.kind.value}.log-days"
        yield path, str(section.log_days), f"it keeps logs for {days} days: use {days} or more"


def _keys(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    section, stored = config.cluster.eks or config.cluster.gke, config.model_storage.kind
    if not _made(config) or section is None or _limits(config).key_origin != EXTERNAL:
        return
    wanted = ("secrets", "logs", "disks", *(("models",) if stored in _CLOUD_STORES else ()))
    for purpose in wanted:
        if getattr(section.keys, purpose) is None:
            use = "a key that is made here is the provider's: name one of an external key store"
            yield f"cluster.{config.cluster.kind.value}.keys.{purpose}", "missing", use


def _control_plane(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    if _made(config) and config.cluster.gke is not None and config.cluster.gke.control_plane_keys is None:
        use = "without it the keys of the control plane are Google's: name your authorities and keys"
        yield "cluster.gke.control-plane-keys", "missing", use


def _owned_spaces(config: StackConfig, states: AddonStates) -> Iterator[tuple[str, str, str]]:
    if states[Addon.TENANCY] is AddonState.MANAGED:
        yield from _unclassified(config, set(namespaces(config.tenants)))


def _classified_models(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    first = next(iter(namespaces(config.tenants)))
    yield from _unclassified(config, {model.tenant or first for model in config.models})


def _unclassified(config: StackConfig, tenants: set[str]) -> Iterator[tuple[str, str, str]]:
    words = ", ".join(one.value for one in DataClass)
    if tenants and not config.tenants:
        (name,) = namespaces(())
        yield "tenants", "missing", f"name {name}, and data-class there, one of {words}"
    for index, tenant in enumerate(config.tenants):
        if tenant.name in tenants and tenant.data_class is None:
            yield f"tenants[{index}].data-class", "missing", f"use one of {words}"


def _counted(config: StackConfig, states: AddonStates) -> Iterator[tuple[str, str, str]]:
    kept = states[Addon.TENANCY] is AddonState.MANAGED or states[Addon.KUEUE] is not AddonState.OFF
    if config.models and not kept:
        use = "nothing of the stack counts the GPUs of models: use managed, or the section fair-sharing"
        yield "addons.tenancy", states[Addon.TENANCY].value, use


def _attested(config: StackConfig, _: AddonStates) -> Iterator[tuple[str, str, str]]:
    first = next(iter(namespaces(config.tenants)))
    served = {model.tenant or first for model in config.models}
    for index, tenant in enumerate(config.tenants):
        if tenant.name in served and tenant.data_class is DataClass.RESTRICTED:
            use = (
                "models of such data need a machine that proves what it is, and none does here: use "
                f"{DataClass.CONFIDENTIAL.value}, or add an exception to sovereignty.exceptions"
            )
            yield f"tenants[{index}].data-class", tenant.data_class.value, use


def _attestations(config: StackConfig, states: AddonStates) -> Iterator[tuple[str, str, str]]:
    signatures = config.sovereignty.signatures
    enforced = states[Addon.ADMISSION] is AddonState.MANAGED and states[Addon.KYVERNO] is not AddonState.OFF
    if signatures is not None and not signatures.attestations and enforced:
        yield "sovereignty.signatures.attestations", "false", "leave it out"


def _made(config: StackConfig) -> bool:
    return config.cluster.capabilities.cloud is not None


def _limits(config: StackConfig) -> Profile:
    return PROFILES[config.sovereignty.profile.value]


_CLOUD_STORES = (StorageKind.S3, StorageKind.GCS)
DEMANDS: Mapping[str, Demand] = {
    "SOV-OPR-01": _operator,
    "SOV-OPS-06": _unprotected,
    "SOV-AUD-02": _logs,
    "SOV-KEY-07": _keys,
    "SOV-KEY-10": _control_plane,
    "SOV-GOV-02": _owned_spaces,
    "SOV-MOD-09": _classified_models,
    QUOTAS: _counted,
    "SOV-TEE-02": _attested,
    "SOV-SUP-04": _attestations,
}
"""By control, in the order in which problems are reported."""
