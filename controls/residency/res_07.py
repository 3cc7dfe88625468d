"""Where a node is, its cluster says and nobody else."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.places import is_region

PLACE_LABEL = (
    r"^((topology|failure-domain\.beta)\.kubernetes\.io/(region|zone)|topology\.[a-z.]+/zone|"
    r"([^/]+/)?jurisdiction)$"
)
"""Keys of labels that say where a node is, as RE2 and Python take it."""
_REGIONS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_NODES = "kubernetes:core/v1:Node"


def _own_site(profile: Profile) -> str | None:
    """The site of one's own, whose operator the program is; None: the nodes are a cloud's, or anywhere."""
    single = next(iter(profile.regions), "") if profile.regions and len(profile.regions) == 1 else ""
    return single if single and not is_region(single) else None


def _placed(subject: Resource, profile: Profile) -> Iterator[str]:
    site, unknown = _own_site(profile), False
    for labels in (*subject.values("metadata.labels"), *subject.values("items.metadata.labels")):
        unknown = unknown or labels is UNKNOWN
        if not isinstance(labels, Mapping):
            continue
        for key, value in cast(Mapping[str, Any], labels).items():
            if not re.match(PLACE_LABEL, key):
                continue
            if site is None:
                yield f"the program sets {key} of a node, which is its cluster's to say"
            elif value is UNKNOWN:
                unknown = True
            elif key in _REGIONS and value != site:
                yield f"the program sets {key} of a node to {value}, and the site is {site}"
    if unknown:
        raise Undecided("labels of a node are not known yet")


def _node(labels: object, token: str = f"{_NODES}Patch") -> Resource:
    return Resource(token, "n", {"metadata": {"name": "gpu-1", "labels": labels}})


_REGION = _REGIONS[0]

CONTROL = Control(
    id="SOV-RES-07",
    title="Where a node is, its cluster says and nobody else",
    severity=Severity.MEDIUM,
    sources=("SOV-3",),
    remedy="Leave labels of places to kubelets and the cloud's controller; on a site of one's own: its name.",
    rule=ResourceRule(lambda token: token.startswith(_NODES), _placed),
    not_enforced=(
        "Kyverno does not evaluate it: who asks is the API server's to say, and its guard `corral-places` "
        "refuses there, where a violation stops, all but the cluster's own identities and administrators",
    ),
    cases=(
        Case("a label of one's own", Verdict.GOOD, _node({"corral.dev/pool": "slices"})),
        Case("a region", Verdict.BAD, _node({_REGION: "eu-central-1"})),
        Case("a zone", Verdict.BAD, _node({"topology.kubernetes.io/zone": "eu-central-1a"})),
        Case("an older label", Verdict.BAD, _node({_REGIONS[1]: "eu-central-1"})),
        Case("a driver's zone", Verdict.BAD, _node({"topology.ebs.csi.aws.com/zone": "eu-central-1a"})),
        Case("a jurisdiction", Verdict.BAD, _node({"example.com/jurisdiction": "eu"})),
        Case("a key that only ends alike", Verdict.GOOD, _node({"example.com/no-jurisdiction": "eu"})),
        Case("a node that the program makes", Verdict.BAD, _node({_REGION: "eu-central-1"}, _NODES)),
        Case(
            "one of several",
            Verdict.BAD,
            Resource(f"{_NODES}List", "n", {"items": [{"metadata": {"labels": {_REGION: "eu-central-1"}}}]}),
        ),
        Case("a site of one's own", Verdict.GOOD, _node({_REGION: "fra-1"}), profile="site"),
        Case("another site", Verdict.BAD, _node({_REGION: "eu-central-1"}), profile="site"),
        Case("not known yet", Verdict.UNDECIDED, _node(UNKNOWN)),
        Case("a site not known yet", Verdict.UNDECIDED, _node({_REGION: UNKNOWN}), profile="site"),
    ),
)
