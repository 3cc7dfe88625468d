"""Where the platform and its pods are, and where the policies hold with which exceptions, in words."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import AdmissionScope
from corral.stacks.planning.results.cluster import ClusterPlan
from corral.stacks.planning.results.eks import EksPlan
from corral.stacks.planning.results.gke import GkePlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import AdmissionPlan, ExceptionPlan, PolicyPlan


def place_of(plan: Plan) -> str:
    """The region of a cloud, or the site of one's own with its country."""
    return plan.region if plan.country is None else f"{plan.region} ({plan.country})"


def exception_lines(plan: PolicyPlan) -> Iterator[str]:
    """Controls that the stack enforces harder than its profile, and those that are excepted until a day."""
    for identity, level in plan.levels:
        yield f"{identity}: {level.value} in this stack"
    yield from map(exception_line, plan.exceptions)


def exception_line(one: ExceptionPlan) -> str:
    """An exception in words; a warning where it ends soon."""
    soon = f"warning, {left(one)}: " if one.ends_soon else ""
    until = f"excepted until {one.expires} by {one.approver}"
    return f"{soon}{one.control} for {covered(one)}: {until}: {one.reason}"


def covered(one: ExceptionPlan) -> str:
    """What an exception is for."""
    return ", ".join(one.resources) or "everything"


def left(one: ExceptionPlan) -> str:
    """Days that an exception holds after today's."""
    days = f"{one.days_left} day{'s' if one.days_left > 1 else ''} left"
    return days if one.days_left else "its last day"


def scope_lines(plan: AdmissionPlan) -> Iterator[str]:
    """The scope with its exemptions, what a namespace gets there, and what is not in it yet."""
    if not plan.enforced:
        yield "not enforced by this stack"
        return
    yield f"scope {plan.scope.value} ({_why(plan)}): {_where(plan)}"
    yield f"exempt: {', '.join(plan.exempt)}"
    gets = [
        *(["a network policy that denies all traffic"] if plan.default_deny else []),
        *([] if plan.pod_security is None else [f"Pod Security level {plan.pod_security}"]),
    ]
    if gets:
        yield f"a namespace that comes into scope gets {', '.join(gets)}"
    if plan.unlabelled:
        yield f"not in scope until labelled: {', '.join(plan.unlabelled)}"


def _where(plan: AdmissionPlan) -> str:
    if plan.scope is AdmissionScope.CLUSTER:
        return "all namespaces but the exempt"
    return f"namespaces with label {plan.label}, which all of Corral's have; no others"


def _why(plan: AdmissionPlan) -> str:
    if plan.chosen:
        return "chosen"
    if plan.scope is AdmissionScope.CLUSTER:
        return "default of a cluster started here"
    return "default of a cluster with others on it"


def cluster_lines(plan: ClusterPlan) -> Iterator[str]:
    """What the stack makes its cluster of, and where pods run that need no GPU."""
    if plan.eks is not None:
        yield from _eks_lines(plan.eks)
    if plan.stack is not None:
        yield f"reaches its cluster by output kubeconfig of stack {plan.stack}"
        yield (
            "only a preview tells whether that output is there, where it leads to, and whether the cluster "
            "has what the platform needs"
        )
    if plan.gke is not None:
        yield from _gke_lines(plan.gke)
    if not plan.deletion_protection:
        yield "deletion protection is off: `pulumi destroy` removes every store, with what is in it"
    yield from _nodes_lines(plan)
    if plan.dns_addresses:
        yield f"pods ask for names at {', '.join(plan.dns_addresses)} as well"


def system_node_lines(plan: Plan) -> Iterator[str]:
    """What nodes that the stack makes must have room for; no catalogue has the memory of their types."""
    base, made = plan.vector_db, plan.cluster.eks or plan.cluster.gke
    if base is not None and made is not None:
        yield (
            "not checked: whether system nodes have the memory; a replica of the vector database, "
            f"{base.replicas} in all, takes {base.memory_mib} MiB of one node"
        )


def _eks_lines(eks: EksPlan) -> Iterator[str]:
    number = _number(eks.nodes.minimum, eks.nodes.maximum)
    clients = ", ".join(eks.api_clients)
    yield (
        f"makes EKS cluster {eks.name}, Kubernetes {eks.version}, partition {eks.partition}, in "
        f"{', '.join(eks.zones)}"
    )
    yield f"{number} system nodes {eks.nodes.instance}; way to the internet: {eks.egress.value}"
    yield f"its API is reached from {eks.cidr}{f' and {clients}' if clients else ''} alone"
    yield "only the update tells whether EC2 has the machines, and what quotas the account has"


def _gke_lines(gke: GkePlan) -> Iterator[str]:
    number, network = _number(gke.nodes.minimum, gke.nodes.maximum), gke.network
    clients = ", ".join(network.api_clients)
    yield (
        f"makes GKE cluster {gke.name}, Kubernetes {gke.version}, channel {gke.channel.value}, project "
        f"{gke.project}, in {', '.join(gke.zones) or f'three zones of {gke.region}'}"
    )
    yield f"{number} system nodes {gke.nodes.machine}; way to the internet: {network.egress.value}"
    yield f"its API is reached from {network.nodes}{f' and {clients}' if clients else ''} alone"
    yield "only the update tells whether the zones have the machines, and what quotas the project has"


def _number(least: int, most: int) -> str:
    return f"{least} to {most}" if most > least else str(least)


def _nodes_lines(plan: ClusterPlan) -> Iterator[str]:
    """The nodes that pods run on which need no GPU; none: any node."""
    if plan.node_selector:
        labels = ", ".join(f"{key}={value}" for key, value in plan.node_selector.items())
        yield f"pods that need no GPU run on nodes with {labels}"
    if plan.tolerations:
        taints = ", ".join(
            f"{one.key}{'' if one.value is None else f'={one.value}'}"
            f"{'' if one.effect is None else f':{one.effect.value}'}"
            for one in plan.tolerations
        )
        yield (
            f"and bear the taints {taints}" if plan.node_selector else f"pods that need no GPU bear {taints}"
        )
