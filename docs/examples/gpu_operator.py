"""The GPU operator on nodes of EKS, with a MIG layout of seven slices."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import GpuOperator

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
operator = GpuOperator(
    "gpu-operator",
    {
        "platform": "eks-al2023",
        "mig_configurations": [{"name": "sevenths", "gpus": [{"profiles": {"1g.5gb": 7}}]}],
        "supply": {},
    },
    on_cluster,
)
pulumi.export("layouts", operator.mig_config_map)
