"""Where the policies at admission hold: chosen by the stack file, else by whose cluster it is."""

from collections.abc import Mapping

from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope, Profile
from corral.controls.scope import ENFORCED, EXEMPT, SCOPE_LABEL, Scope
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.addons import state
from corral.stacks.planning.results.sovereignty import AdmissionPlan

POD_SECURITY = "restricted"


def admission_plan(config: StackConfig, tenants: Mapping[str, str]) -> AdmissionPlan:
    """The scope of the policies; `tenants`: namespace by tenant.

    A cluster that Corral started is in scope as a whole. On any other one others may have workloads, which
    nothing that Corral installs refuses.
    """
    section = config.sovereignty.admission
    chosen = section and section.scope
    own = AdmissionScope.CLUSTER if config.cluster.capabilities.started_here else AdmissionScope.NAMESPACES
    scope = chosen or own
    listed = (section and section.exempt) or EXEMPT
    kyverno = state(config, Addon.KYVERNO) is not AddonState.OFF
    open_ = config.sovereignty.profile is Profile.OPEN
    foreign = state(config, Addon.TENANCY) is AddonState.EXISTING and scope is AdmissionScope.NAMESPACES
    return AdmissionPlan(
        enforced=state(config, Addon.ADMISSION) is AddonState.MANAGED,
        scope=scope,
        chosen=chosen is not None,
        label=f"{SCOPE_LABEL}={ENFORCED}",
        exempt=tuple(Scope(listed if scope is AdmissionScope.CLUSTER else None).exemptions),
        default_deny=kyverno,
        pod_security=None if open_ else POD_SECURITY,
        unlabelled=tuple(tenants.values()) if foreign else (),
    )
