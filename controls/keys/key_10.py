"""A managed control plane has no keys but the customer's."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import Table, filled, needed, required

_GKE = "gcp:container/cluster:Cluster"
_KEYS = (
    "aggregationCa",
    "clusterCa",
    "controlPlaneDiskEncryptionKey",
    "etcdApiCa",
    "etcdPeerCa",
    "gkeopsEtcdBackupEncryptionKey",
    "serviceAccountSigningKeys",
    "serviceAccountVerificationKeys",
)
_TABLE: Table = {
    _GKE: tuple(
        needed(f"userManagedKeysConfig.{key}", filled, "is absent, so the provider holds that key")
        for key in _KEYS
    )
}


def _cluster(**keys: object) -> Resource:
    return Resource(_GKE, "c", {"userManagedKeysConfig": keys})


_ALL: dict[str, object] = dict.fromkeys(_KEYS, "projects/p/k")

CONTROL = Control(
    id="SOV-KEY-10",
    title="A managed control plane has no keys but the customer's",
    severity=Severity.HIGH,
    sources=("SOV-3", "GKE control plane authority"),
    remedy="GKE: all keys and authorities of `userManagedKeysConfig`.",
    rule=required(_TABLE),
    cases=(
        Case("all of them", Verdict.GOOD, _cluster(**_ALL)),
        Case("none", Verdict.BAD, Resource(_GKE, "c", {})),
        Case("all but one", Verdict.BAD, _cluster(**{**_ALL, "etcdPeerCa": None})),
        Case("one not known yet", Verdict.UNDECIDED, _cluster(**{**_ALL, "clusterCa": UNKNOWN})),
    ),
)
