"""Every chart with the values that the components give it, in the combinations that matter."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from corral.catalogue import images as catalogue
from corral.catalogue.platforms import platforms
from corral.catalogue.vocabulary import Platform
from corral.components.cert_manager.component import cert_manager_values
from corral.components.crds.component import CrdSet, crd_values
from corral.components.dra_driver.values import dra_values
from corral.components.efa_device_plugin.values import efa_values
from corral.components.envoy_gateway.values import envoy_gateway_crd_values, envoy_gateway_values
from corral.components.external_secrets.values import external_secrets_values
from corral.components.fair_sharing.values import kueue_values, manager_configuration
from corral.components.gpu_operator.values import operator_values
from corral.components.keda.values import http_values, keda_values
from corral.components.kserve.values import kserve_values
from corral.components.kyverno.values import kyverno_values
from corral.components.llm_inference_service.component import values as llm_values
from corral.components.lws.component import values as lws_values
from corral.components.model_cache.objects import chart_values
from corral.components.observability.values import stack_values
from corral.components.supply import Supply
from corral.components.vector_db.qdrant.values import qdrant_values

UPSTREAM: Supply = {}
METAL = platforms()[Platform.BARE_METAL]
MIRROR: Supply = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
QUEUEING = manager_configuration(
    ["blue", "red"],
    [{"resource": "corral.dev/gpu", "device_class": "gpu.nvidia.com"}],
    borrowing=True,
    ready_within_minutes=30,
)


@dataclass(frozen=True)
class Use:
    """One chart under one set of values."""

    chart: str
    case: str
    values: Mapping[str, Any]
    embedded: bool = True
    """Whether the embedded platform gives these values, so that a stand-in must answer to each."""

    registry: str | None = None
    """The mirror that the values name."""

    def __str__(self) -> str:
        return f"{self.chart}-{self.case}"


def uses() -> list[Use]:
    """All of them; a component that installs a chart adds a line here."""
    found: list[Use] = []
    for case, supply in (("plain", UPSTREAM), ("mirrored", MIRROR)):
        found += [
            Use(
                "gpu-operator",
                case,
                operator_values(METAL, device_plugin=False, monitors=True, supply=supply),
            ),
            Use(
                "gpu-operator",
                f"{case}-device-plugin",
                operator_values(METAL, device_plugin=True, monitors=True, supply=supply),
            ),
            Use("dra-driver-nvidia-gpu", case, dra_values(METAL, supply=supply)),
            Use(
                "kube-prometheus-stack",
                case,
                stack_values(
                    retention_days=15, size_gib=50, storage_class="fast", control_plane=False, supply=supply
                ),
            ),
            Use(
                "qdrant",
                case,
                qdrant_values(
                    replicas=3,
                    replication_factor=2,
                    size_gib=40,
                    memory_mib=2048,
                    storage_class="fast",
                    credential_revision="0a",
                    supply=supply,
                ),
            ),
            Use("gateway-helm", case, envoy_gateway_values(replicas=2, supply=supply)),
            Use("cert-manager", case, cert_manager_values("cert-manager", supply)),
            Use("kserve-resources", case, kserve_values(supply)),
            Use("kyverno", case, kyverno_values("kyverno", replicas=3, supply=supply, upgrade_job=False)),
            Use("kueue", case, kueue_values(QUEUEING, replicas=2, monitors=True, supply=supply)),
            Use("keda", case, keda_values(replicas=2, supply=supply)),
            Use("keda-add-ons-http", case, http_values(replicas=2, drain_seconds=600, supply=supply)),
            Use(
                "external-secrets",
                case,
                external_secrets_values(replicas=2, supply=supply),
                embedded=False,
            ),
            Use("kserve-llmisvc-resources", case, llm_values(supply), embedded=False),
            Use("aws-efa-k8s-device-plugin", case, efa_values(["training"], supply), embedded=False),
            Use("lws", case, lws_values(supply, replicas=2), embedded=False),
            Use("kserve-localmodel-resources", case, chart_values(supply), embedded=False),
        ]
    types = [
        Use("gateway-crds-helm", "plain", crd_values(CrdSet.GATEWAY_API)),
        Use("gateway-crds-helm", "envoy-gateway", envoy_gateway_crd_values()),
        Use("prometheus-operator-crds", "plain", crd_values(CrdSet.PROMETHEUS)),
        Use("kserve-crd-minimal", "plain", {}),
        Use("kserve-llmisvc-crd-minimal", "plain", {}, embedded=False),
        Use("kserve-localmodel-crd-minimal", "plain", {}, embedded=False),
    ]
    return [_placed(one) for one in (*found, *types, *_variants(), *_on_platforms())]


def _placed(use: Use) -> Use:
    return replace(use, registry=MIRROR["registry"]) if "mirrored" in use.case else use


def pinned() -> list[Use]:
    """The same after `corral lock`."""
    entries = {
        name: replace(one, digest=f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")
        for name, one in catalogue.images().items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "images", lambda: entries)
        return uses()


def _variants() -> list[Use]:
    """What only some stacks have."""
    cut = dra_values(METAL, supply=MIRROR, mig_layouts=True)
    on_demand = operator_values(METAL, device_plugin=False, monitors=False, supply=MIRROR, dynamic_mig=True)
    watched = stack_values(
        retention_days=1, size_gib=1, storage_class=None, control_plane=True, supply=MIRROR
    )
    one = {"replicas": 1, "replication_factor": 1, "size_gib": 1, "memory_mib": 1024}
    single = qdrant_values(storage_class=None, credential_revision="0a", supply=MIRROR, **one)
    return [
        Use("dra-driver-nvidia-gpu", "mirrored-layouts", cut),
        Use(
            "dra-driver-nvidia-gpu", "mirrored-on-demand", dra_values(METAL, supply=MIRROR, dynamic_mig=True)
        ),
        Use("gpu-operator", "mirrored-on-demand", on_demand),
        Use("kube-prometheus-stack", "mirrored-control-plane", watched),
        Use("qdrant", "mirrored-single", single),
        Use(
            "kyverno",
            "mirrored-upgrade",
            kyverno_values("kyverno", replicas=1, supply=MIRROR, upgrade_job=True),
        ),
    ]


def _on_platforms() -> list[Use]:
    """The GPU charts where the nodes are not those of the embedded plane."""
    found: list[Use] = []
    for name, row in platforms().items():
        values = operator_values(row, device_plugin=True, monitors=True, supply=UPSTREAM)
        found.append(Use("gpu-operator", name.value, values, embedded=False))
        found.append(
            Use("dra-driver-nvidia-gpu", name.value, dra_values(row, supply=UPSTREAM), embedded=False)
        )
    values = operator_values(METAL, device_plugin=False, monitors=True, supply=MIRROR, precompiled=580)
    return [*found, Use("gpu-operator", "mirrored-precompiled", values, embedded=False)]
