"""Secrets in etcd lie under a customer's key."""

from collections.abc import Iterator
from typing import Any

from corral.controls.cloud import CLUSTERS, EKS
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Undecided,
    Verdict,
)
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_BARE = "Secrets in etcd are not under a customer's key"


def _cluster_secrets(cluster: Resource, profile: Profile) -> Iterator[str]:
    if cluster.type == EKS:
        key = cluster.value("encryptionConfig.provider.keyArn")
        covered = cluster.value("encryptionConfig.resources", [])
        if not key:
            yield f"{_BARE}: `encryptionConfig.provider.keyArn` is absent"
        elif UNKNOWN in covered and "secrets" not in covered:
            raise Undecided("`encryptionConfig.resources` is not known yet")
        elif "secrets" not in covered:
            yield f"`encryptionConfig.resources` is {covered!r} and lacks 'secrets'"
        return
    if cluster.value("databaseEncryption.state") != "ENCRYPTED" or not cluster.value(
        "databaseEncryption.keyName"
    ):
        yield f"{_BARE}: `databaseEncryption` lacks ENCRYPTED with `keyName`"


def _eks(**props: Any) -> Resource:
    return Resource(EKS, "cluster", props)


def _gke(**props: Any) -> Resource:
    return Resource("gcp:container/cluster:Cluster", "cluster", props)


CONTROL = Control(
    id="SOV-KEY-01",
    title="Secrets in etcd lie under a customer's key",
    severity=Severity.CRITICAL,
    sources=("CIS EKS 5.3.1", "CIS GKE 5.3.1", "SOV-3"),
    remedy="EKS: `encryptionConfig` with `keyArn` and `resources: [secrets]`; GKE: `databaseEncryption`.",
    rule=ResourceRule(lambda token: token in CLUSTERS, _cluster_secrets),
    cases=(
        Case(
            "EKS under a key",
            Verdict.GOOD,
            _eks(encryptionConfig={"provider": {"keyArn": "arn:aws:kms:x"}, "resources": ["secrets"]}),
        ),
        Case("EKS without", Verdict.BAD, _eks()),
        Case(
            "EKS, a key for nothing",
            Verdict.BAD,
            _eks(encryptionConfig={"provider": {"keyArn": "a"}, "resources": []}),
        ),
        Case(
            "EKS, key not known yet",
            Verdict.UNDECIDED,
            _eks(encryptionConfig={"provider": {"keyArn": UNKNOWN}, "resources": ["secrets"]}),
        ),
        Case(
            "GKE under a key", Verdict.GOOD, _gke(databaseEncryption={"state": "ENCRYPTED", "keyName": "k"})
        ),
        Case(
            "GKE, Google's key", Verdict.BAD, _gke(databaseEncryption={"state": "DECRYPTED", "keyName": "k"})
        ),
        Case("GKE, no key named", Verdict.BAD, _gke(databaseEncryption={"state": "ENCRYPTED"})),
    ),
)
