"""A managed group of two H100 nodes on an EKS cluster."""

import pulumi

from corral import EksGpuNodePool

config = pulumi.Config()
pool = EksGpuNodePool(
    "chat",
    {
        "pool": "chat",
        "gpu": "H100-80GB",
        "instance_type": "p5.48xlarge",
        "cluster": config.require("cluster"),
        "subnets": [config.require("subnet")],
        "disk": {"key": config.require("disk-key"), "gib": 500},
        "size": {"min": 2},
    },
)
pulumi.export("labels", pool.labels)
