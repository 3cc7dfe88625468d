"""Which hosts outside a site a property names."""

import pytest

from corral.controls.network.hosts import public_hosts

SITE = {"registry.example.eu", "s3.example.eu"}


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ({"url": "https://api.telemetry.vendor.com/v1"}, "api.telemetry.vendor.com"),
        (
            {"env": [{"value": "--endpoint=https://10.0.0.1:6443 --report=http://stats.vendor.io"}]},
            "stats.vendor.io",
        ),
        ({"source": "hf://Qwen/Qwen3-8B"}, "huggingface.co"),
        ({"source": "gs://bucket/model"}, "storage.googleapis.com"),
        ({"chart": "oci://ghcr.io/kserve/charts/kserve-resources"}, "ghcr.io"),
        ({"repository": "nvcr.io/nvidia/cloud-native"}, "nvcr.io"),
        ({"repo": "https://user:word@helm.ngc.nvidia.com/nvidia"}, "helm.ngc.nvidia.com"),
        ({"containers": [{"image": "nginx:1.29"}]}, "docker.io"),
        ({"initContainers": [{"image": "library/nginx"}]}, "docker.io"),
        ({"containers": [{"image": "registry.vendor.io/a/b:1"}]}, "registry.vendor.io"),
        ({"args": ["--image=quay.io/prometheus/node-exporter:v1"]}, "quay.io"),
        ({"dns": "8.8.8.8", "url": "http://8.8.8.8/"}, "8.8.8.8"),
        ({"url": "https://evil.registry.example.eu.attacker.com/x"}, "evil.registry.example.eu.attacker.com"),
    ],
)
def test_a_host_outside_the_site_is_named_wherever_it_is(value, host):
    assert {found for _, found in public_hosts({"deep": [{"inner": value}]}, SITE)} == {host}


@pytest.mark.parametrize(
    "value",
    [
        {"image": "registry.example.eu/mirror/vllm/vllm-openai:v0.30.0"},
        {"containers": [{"image": "registry.example.eu/mirror/a:1"}]},
        {"url": "https://s3.example.eu/intake", "other": "http://prometheus.monitoring.svc:9090/api"},
        {"url": "http://chat.assistants.svc.cluster.local", "short": "https://kubernetes:443"},
        {"url": "http://127.0.0.1:8080", "six": "http://[fd00::1]:80", "node": "https://10.1.2.3"},
        {"source": "s3://models/one", "volume": "pvc://claim/x", "socket": "unix:///run/x.sock"},
        {"apiVersion": "serving.kserve.io/v1beta1", "labels": {"app.kubernetes.io/name": "x"}},
        {"driver": "gpu.nvidia.com", "file": "config.yaml", "group": "apps.kubeflow.org"},
        {"template": "https://{{ .Host }}/x", "shell": "http://$HOST/x"},
        {"matchExpressions": [{"key": "eks.amazonaws.com/compute-type", "operator": "NotIn"}]},
        {"expr": "up == 0  # https://vendor.io/why", "annotations": {"runbook_url": "https://vendor.io/x"}},
        {"text": "github.community is none of those that are known"},
    ],
)
def test_nothing_of_the_cluster_or_the_site_is_named(value):
    assert list(public_hosts(value, SITE)) == []


def test_the_path_leads_to_the_property():
    value = {"spec": {"template": {"spec": {"containers": [{"args": ["a", "https://vendor.io/x"]}]}}}}
    assert list(public_hosts(value, SITE)) == [("spec.template.spec.containers[0].args[1]", "vendor.io")]
