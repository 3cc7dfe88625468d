"""A cluster that another stack made: its kubeconfig, and what else that stack says of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import pulumi

from corral.stacks.config.errors import one_line
from corral.stacks.planning.results.plan import Plan

KUBECONFIG = "kubeconfig"
CLUSTER = "cluster"
"""Output with plain facts of the cluster, by the keys of `stated`; a stack need not have it."""


def handed_out(stack: str, plan: Plan, examine: Callable[[str], None]) -> pulumi.Output[str]:
    """The kubeconfig of `stack`, a secret, once `examine` has looked at the cluster that it leads to.

    It fails with one line where the stack has no such output, or says of its cluster what `plan` does not.
    """
    reference = pulumi.StackReference(stack)

    def reached(outputs: Sequence[Any]) -> str:
        kubeconfig, facts = outputs
        if not isinstance(kubeconfig, str) or not kubeconfig.strip():
            raise pulumi.RunError(
                f"cluster.stack: {stack}: it has no output {KUBECONFIG} yet: bring it up first, and let its "
                f"program export {KUBECONFIG} as text"
            )
        wrong = list(_contradictions(stack, plan, facts))
        if wrong:
            raise pulumi.RunError("\n".join(wrong))
        pulumi.log.info(f"cluster: that of stack {stack}")
        examine(kubeconfig)
        return kubeconfig

    read = pulumi.Output.all(reference.get_output(KUBECONFIG), reference.get_output(CLUSTER))
    return pulumi.Output.secret(read.apply(reached))


def stated(plan: Plan) -> Mapping[str, tuple[str, str | None]]:
    """What a plan says of its cluster: path in the stack file and value, by key of that output."""
    cluster = plan.cluster
    return {
        "region": ("sovereignty.region", plan.region),
        "platform": ("cluster.platform", cluster.platform.value),
        "storage-class": ("cluster.storage-class", cluster.storage_class),
    }


def _contradictions(stack: str, plan: Plan, facts: Any) -> Iterator[str]:
    if facts is None:
        return
    if not isinstance(facts, Mapping):
        yield f"cluster.stack: {stack}: its output {CLUSTER} is no mapping: use {', '.join(stated(plan))}"
        return
    there = cast(Mapping[str, Any], facts)
    for key, (path, value) in stated(plan).items():
        if key in there and there[key] != value:
            yield one_line(f"{path}: {value or 'absent'}: stack {stack} has {there[key]}: use that")
