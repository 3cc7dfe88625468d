"""Where the policies at admission hold: chosen by the stack file, else by whose cluster it is."""

from collections.abc import Mapping, Sequence

from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope, DataClass, Profile
from corral.controls.adjustments import enforced
from corral.controls.enforcement import stops
from corral.controls.register import control
from corral.controls.residency.res_06 import places
from corral.controls.scope import ENFORCED, EXEMPT, SCOPE_LABEL, Scope
from corral.stacks.config.stack_config import Cluster, Sovereignty, TenantSection
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.results.sovereignty import AdmissionPlan
from corral.stacks.planning.sovereignty import limits_of

POD_SECURITY = "restricted"
PLACED = "SOV-RES-06"
"""The control that says where pods with classified data run."""


def admission_plan(
    sovereignty: Sovereignty,
    cluster: Cluster,
    states: AddonStates,
    tenants: Mapping[str, str],
    sections: Sequence[TenantSection],
) -> AdmissionPlan:
    """The scope of the policies; `tenants`: namespace by tenant.

    A cluster that Corral started is in scope as a whole. On any other one others may have workloads, which
    nothing that Corral installs refuses.
    """
    section = sovereignty.admission
    chosen = section and section.scope
    own = AdmissionScope.CLUSTER if cluster.capabilities.started_here else AdmissionScope.NAMESPACES
    scope = chosen or own
    listed = (section and section.exempt) or EXEMPT
    kyverno = states[Addon.KYVERNO] is not AddonState.OFF
    open_ = sovereignty.profile is Profile.OPEN
    foreign = states[Addon.TENANCY] is not AddonState.MANAGED and scope is AdmissionScope.NAMESPACES
    return AdmissionPlan(
        enforced=states[Addon.ADMISSION] is AddonState.MANAGED,
        scope=scope,
        chosen=chosen is not None,
        label=f"{SCOPE_LABEL}={ENFORCED}",
        exempt=tuple(Scope(listed if scope is AdmissionScope.CLUSTER else None).exemptions),
        default_deny=kyverno,
        pod_security=None if open_ else POD_SECURITY,
        unlabelled=tuple(tenants.values()) if foreign else (),
        places=classified_places(sovereignty, states, sections),
    )


def is_classified(tenant: TenantSection) -> bool:
    """Whether a tenant works on data of a class above public."""
    return tenant.data_class not in (None, DataClass.PUBLIC)


def classified_places(
    sovereignty: Sovereignty, states: AddonStates, tenants: Sequence[TenantSection]
) -> tuple[str, ...]:
    """Regions that nodes must be labelled with to take pods of `tenants` with classified data; empty: any.

    Raises:
        ValueError: the region lies outside the profile.
    """
    limits = enforced(limits_of(sovereignty), sovereignty.controls)
    held = states[Addon.ADMISSION] is AddonState.MANAGED and stops(control(PLACED), limits)
    return tuple(places(limits)) if held and any(map(is_classified, tenants)) else ()
