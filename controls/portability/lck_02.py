"""How each thing of a cloud is left is known."""

from collections.abc import Iterator

from corral.controls.cloud import is_cloud
from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile


def _without_exit(subject: Resource, profile: Profile) -> Iterator[str]:
    from corral.catalogue.exit import exit_of  # Few stacks are of a cloud; all load this module.

    if exit_of(subject.type) is None:
        yield f"the exit register has no entry of {subject.type}: nobody has said what replaces it"


CONTROL = Control(
    id="SOV-LCK-02",
    title="Everything of a cloud has an entry in the exit register",
    severity=Severity.MEDIUM,
    sources=("DORA 28(8)", "Data Act 25"),
    remedy="Use what docs/exit.md lists, or add replacement, export and test to catalogue/exit.yaml.",
    rule=ResourceRule(is_cloud, _without_exit),
    cases=(
        Case("a cluster", Verdict.GOOD, Resource("aws:eks/cluster:Cluster", "c", {})),
        Case("a bucket", Verdict.GOOD, Resource("gcp:storage/bucket:Bucket", "b", {})),
        Case("a service that it lacks", Verdict.BAD, Resource("aws:appflow/flow:Flow", "f", {})),
    ),
)
