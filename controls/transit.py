"""Encryption of what pods say to each other on other machines: SOV-NET-15.

Neither an object nor a resource of the program shows it for every network, so it is a fact that the stack
file states of its cluster; what is seen of a cluster is held against it before anything is made there.
"""

from collections.abc import Iterator

from corral.catalogue.vocabulary import PodEncryption
from corral.controls.levels import Level
from corral.controls.profiles import Profile
from corral.controls.workspace import Finding

TRANSIT = "SOV-NET-15"
WAY_OUT = (
    "state what encrypts by cluster.pod-encryption (wireguard, ipsec, mesh, cloud or single-node), such as "
    "Cilium with encryption.type=wireguard"
)


def transit_findings(stated: PodEncryption | None, constraints: Profile) -> Iterator[Finding]:
    """What `constraints` have against a cluster of which this is stated; None: nothing is."""
    level = constraints.workspace[TRANSIT]
    if level is Level.DISABLED or stated not in (None, PodEncryption.NONE):
        return
    reason = f"{TRANSIT}: what pods say to each other on other machines may be plain text: {WAY_OUT}"
    yield Finding(TRANSIT, level, "cluster.pod-encryption", stated.value if stated else "missing", reason)
