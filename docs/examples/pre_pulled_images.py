"""Images of vLLM on every node of a pool, before the first model comes."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import PrePulledImages

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
images = PrePulledImages(
    "images", {"pools": [{"pool": "whole", "engines": ["vllm"]}], "supply": {}}, on_cluster
)
pulumi.export("namespace", images.namespace)
