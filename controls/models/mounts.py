"""Buckets that a CSI driver mounts, as addresses of models; CEL."""

from corral.controls.cel import text
from corral.controls.models import hubs

_ATTRIBUTES = "[{0}.?volumeAttributes.orValue({{}})]"


def addresses(csi: str) -> str:
    """CEL: addresses of the buckets, containers or artifacts that the volume `csi` of a driver has.

    Drivers of S3 and of Google name a bucket, Azure's a container of an account, ModelPack's a reference of
    an artifact; Google's has the bucket as the handle of a volume that was made beforehand.
    """
    handle = f"{csi}.?volumeHandle.orValue('')"
    return (
        f"{_ATTRIBUTES.format(csi)}.map(a, {csi}.?driver.orValue('').startsWith('gcsfuse.') ? "
        f"['gs://' + a.?bucketName.orValue({handle}) + '/'] : "
        "has(a.bucketName) ? ['s3://' + string(a.bucketName) + '/'] : "
        "has(a.bucket) ? ['s3://' + string(a.bucket) + '/'] : "
        "has(a.containerName) ? ['https://' + a.?storageAccount.orValue('') + '.blob.core.windows.net/' + "
        "string(a.containerName) + '/'] : "
        "a.filter(k, k.endsWith('/reference')).map(k, 'oci://' + string(a[k])))[0]"
    )


def endpoint_outside(csi: str) -> str:
    """CEL: whether an attribute of the volume `csi` names an address outside the cluster."""
    return (
        f"{_ATTRIBUTES.format(csi)}[0].exists(k, "
        f"{_ATTRIBUTES.format(csi)}.exists(a, string(a[k]).contains('://') && {_outside('string(a[k])')}))"
    )


def option_outside(options: str) -> str:
    """CEL: whether one of the mount options names an address outside the cluster."""
    return f"{options}.exists(o, o.contains('://') && {hubs.words('o')}.exists(w, {_outside('w')}))"


def _outside(address: str) -> str:
    return f"({address}.matches({text(hubs.URL)}) && !{address}.matches({text(hubs.INSIDE)}))"
