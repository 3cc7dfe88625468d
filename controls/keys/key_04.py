"""Volumes of a cluster are under a customer's key."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_KEYS: Mapping[str, str] = {
    "ebs.csi.aws.com": "kmsKeyId",
    "ebs.csi.eks.amazonaws.com": "kmsKeyId",
    "kubernetes.io/aws-ebs": "kmsKeyId",
    "pd.csi.storage.gke.io": "disk-encryption-kms-key",
    "filestore.csi.storage.gke.io": "instance-encryption-kms-key",
}
"""Parameter that names the key, by driver; EFS has the key of a file system that is there."""
_SWITCHED = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")
_PARAMETERS = "object.?parameters.orValue({})"


def _class(provisioner: str, **parameters: Any) -> Mapping[str, Any]:
    return {"kind": "StorageClass", "provisioner": provisioner, "parameters": parameters}


CONTROL = Control(
    id="SOV-KEY-04",
    title="Volumes of a cluster are under a customer's key",
    severity=Severity.HIGH,
    sources=("CIS GKE 5.9.1", "SOV-3"),
    remedy="EBS: `encrypted` and `kmsKeyId`; GKE: `disk-encryption-kms-key`.",
    rule=ObjectRule(
        kinds=("StorageClass",),
        parameters=lambda profile: {
            "keys": text(dict(_KEYS)),
            "switched": text(list(_SWITCHED)),
            "driver": "object.?provisioner.orValue('')",
        },
        expression=(
            "!(variables.driver in variables.keys) || "
            f"(variables.keys[variables.driver] in {_PARAMETERS} && "
            f"{_PARAMETERS}[variables.keys[variables.driver]] != '' && "
            f"(!(variables.driver in variables.switched) || {_PARAMETERS}.exists(k, k == 'encrypted' && "
            f"{_PARAMETERS}[k] == 'true')))"
        ),
        message="volumes are not under a key of the customer's",
        demanded=("provisioner", "parameters"),
        instead="nothing: administrators alone make what is of the whole cluster",
    ),
    cases=(
        Case("under a key", Verdict.GOOD, _class("ebs.csi.aws.com", encrypted="true", kmsKeyId="arn:k")),
        Case("a key, but no encryption", Verdict.BAD, _class("ebs.csi.aws.com", kmsKeyId="arn:k")),
        Case("the provider's key", Verdict.BAD, _class("ebs.csi.aws.com", encrypted="true")),
        Case("nothing said", Verdict.BAD, _class("pd.csi.storage.gke.io")),
        Case(
            "Google, under a key",
            Verdict.GOOD,
            _class("pd.csi.storage.gke.io", **{"disk-encryption-kms-key": "k"}),
        ),
        Case("a file system that is there", Verdict.GOOD, _class("efs.csi.aws.com")),
        Case("on machines of one's own", Verdict.GOOD, _class("rancher.io/local-path")),
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            _class("ebs.csi.aws.com", encrypted="true", kmsKeyId="k", type=UNKNOWN),
        ),
    ),
)
