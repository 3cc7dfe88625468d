"""No volume brings models out of a bucket of strangers."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity
from corral.controls.models.mounts import addresses, endpoint_outside, option_outside
from corral.controls.models.sources import served_from

_CSI = "object.spec.csi"
_EXPRESSION = (
    f"!has(object.spec.csi) || ({addresses(_CSI)}.all(u, variables.sources.exists(s, u.startsWith(s))) && "
    f"!{endpoint_outside(_CSI)} && !{option_outside('object.spec.?mountOptions.orValue([])')})"
)


def _volume(driver: str, handle: str = "v", options: tuple[str, ...] = (), **attributes: object) -> Any:
    csi: dict[str, Any] = {"driver": driver, "volumeHandle": handle}
    if attributes:
        csi["volumeAttributes"] = attributes
    spec = {"accessModes": ["ReadOnlyMany"], "capacity": {"storage": "1Gi"}, "csi": csi}
    if options:
        spec["mountOptions"] = list(options)
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec}


_REFERENCE: dict[str, Any] = {"m.csi.example.org/reference": "docker.io/a/b:1"}
_S3, _GCS, _AZURE = "s3.csi.aws.com", "gcsfuse.csi.storage.gke.io", "blob.csi.azure.com"
_STORES = ("s3://models/", "gs://models/")

CONTROL = Control(
    id="SOV-MOD-13",
    title="No volume mounts a bucket that is not the platform's",
    severity=Severity.HIGH,
    sources=("OWASP LLM03",),
    remedy="Import what is in the bucket into the platform's store, or name an exception for this volume.",
    rule=ObjectRule(
        kinds=("PersistentVolume",),
        parameters=lambda profile: {"sources": text(served_from(profile))},
        expression=_EXPRESSION,
        message="a volume mounts a bucket that is not the platform's",
        reads=("spec.csi", "spec.mountOptions"),
        instead="volumes are the cluster's, and no tenant may make one",
    ),
    cases=(
        *(
            Case(title, verdict, subject, stores=_STORES)
            for title, verdict, subject in (
                ("the platform's bucket", Verdict.GOOD, _volume(_S3, bucketName="models")),
                ("a bucket of strangers", Verdict.BAD, _volume(_S3, bucketName="modelshop")),
                ("a name that only begins alike", Verdict.BAD, _volume(_S3, bucketName="models-2")),
                (
                    "the platform's bucket at another endpoint",
                    Verdict.BAD,
                    _volume(_S3, options=("endpoint-url https://s3.example.com",), bucketName="models"),
                ),
                (
                    "the platform's bucket in the cluster",
                    Verdict.GOOD,
                    _volume(_S3, options=("endpoint-url http://store.models.svc:8333",), bucketName="models"),
                ),
                ("Google's, the platform's", Verdict.GOOD, _volume(_GCS, "models")),
                ("Google's, of strangers", Verdict.BAD, _volume(_GCS, "modelshop")),
                ("Google's, all buckets", Verdict.BAD, _volume(_GCS, "_")),
                ("Google's, by attribute", Verdict.BAD, _volume(_GCS, "models", bucketName="modelshop")),
                (
                    "Azure's",
                    Verdict.BAD,
                    _volume(_AZURE, containerName="models", storageAccount="shop"),
                ),
                ("another driver's bucket", Verdict.BAD, _volume("ru.yandex.s3.csi", bucket="modelshop")),
                (
                    "an artifact",
                    Verdict.BAD,
                    _volume("m.csi.example.org", **_REFERENCE),
                ),
                ("a disk", Verdict.GOOD, _volume("ebs.csi.aws.com", "vol-1")),
                ("a disk with attributes", Verdict.GOOD, _volume("pd.csi.storage.gke.io", type="ssd")),
                ("a bucket not known yet", Verdict.UNDECIDED, _volume(_S3, bucketName=UNKNOWN)),
            )
        ),
        Case("profile open", Verdict.GOOD, _volume(_S3, bucketName="modelshop"), profile="open"),
    ),
)
