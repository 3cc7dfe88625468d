"""KServe's controller of LLMInferenceServices; KServe and cert-manager are there."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import LlmInferenceService

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
controller = LlmInferenceService("llm-inference-service", {"supply": {}}, on_cluster)
pulumi.export("namespace", controller.namespace)
