"""Every chart with the values that the components give it, in the combinations that matter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corral.components.cert_manager.component import cert_manager_values
from corral.components.crds.component import CrdSet, crd_values
from corral.components.fair_sharing.values import kueue_values, manager_configuration
from corral.components.gpu_operator import DriverSource
from corral.components.gpu_operator.values import dra_values, operator_values
from corral.components.kserve.values import kserve_values
from corral.components.kyverno.values import kyverno_values
from corral.components.observability.values import stack_values
from corral.components.supply import Supply
from corral.components.vector_db.qdrant import qdrant_values

UPSTREAM: Supply = {}
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
                operator_values(DriverSource.OPERATOR, device_plugin=False, monitors=True, supply=supply),
            ),
            Use(
                "gpu-operator",
                f"{case}-device-plugin",
                operator_values(DriverSource.OPERATOR, device_plugin=True, monitors=True, supply=supply),
            ),
            Use("dra-driver-nvidia-gpu", case, dra_values(DriverSource.OPERATOR, supply=supply)),
            Use(
                "kube-prometheus-stack",
                case,
                stack_values(retention_days=15, size_gib=50, storage_class="fast", supply=supply),
            ),
            Use(
                "qdrant",
                case,
                qdrant_values(replicas=3, size_gib=40, memory_mib=2048, storage_class="fast", supply=supply),
            ),
            Use("cert-manager", case, cert_manager_values("cert-manager", supply)),
            Use("kserve-resources", case, kserve_values(supply)),
            Use("kyverno", case, kyverno_values("kyverno", replicas=3, supply=supply, migrate=False)),
            Use("kueue", case, kueue_values(QUEUEING, replicas=2, monitors=True, supply=supply)),
        ]
    return [*found, Use("gateway-crds-helm", "plain", crd_values(CrdSet.GATEWAY_API))]
