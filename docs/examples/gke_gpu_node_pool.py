"""A pool of one node with eight H100 on a GKE cluster."""

import pulumi

from corral import GkeGpuNodePool

pool = GkeGpuNodePool(
    "chat",
    {
        "pool": "chat",
        "gpu": "H100-80GB",
        "machine_type": "a3-highgpu-8g",
        "cluster": "projects/acme/locations/europe-west4/clusters/models",
        "zone": "europe-west4-b",
        "secure_boot": False,  # the operator's driver is not signed
        "disk": {"key": "projects/acme/locations/europe-west4/keyRings/corral/cryptoKeys/disks"},
    },
)
pulumi.export("labels", pool.labels)
