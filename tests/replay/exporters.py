"""Exporters as files: what they print in good times and in bad ones, and what Prometheus is told of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECORDED, TROUBLE = (Path(__file__).parent / name for name in ("recorded", "trouble"))
GROWTH_SECONDS = 60
"""Time in which a counter doubles."""
CUMULATED = ("counter", "histogram")


@dataclass(frozen=True)
class Exporter:
    """One target of Prometheus."""

    file: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the target, as the operator derives them from our monitors and those of charts."""
    honest: bool = False
    """True: what is exported has its own `namespace` and keeps it."""

    @property
    def name(self) -> str:
        return "-".join([self.file, *sorted(self.labels.values())])


def exporter(file: str, namespace: str, **labels: str) -> Exporter:
    return Exporter(file, {"namespace": namespace, **labels})


PLATFORM = (
    Exporter("kube-state-metrics", honest=True),
    Exporter("kubelet", honest=True),
    exporter("dcgm", "gpu-operator", service="nvidia-dcgm-exporter"),
    exporter("kueue", "kueue-system", service="kueue-controller-manager-metrics-service"),
    exporter("kyverno", "kyverno", service="kyverno-svc-metrics"),
    exporter("kserve", "kserve", service="kserve-controller-manager-metrics-service"),
    exporter("cert-manager", "cert-manager", container="cert-manager-controller"),
    exporter("envoy", "envoy-gateway-system", container="envoy"),
    exporter("keda", "keda", service="keda-operator"),
    exporter("seaweedfs", "model-storage", service="model-storage"),
    exporter("qdrant", "vector-db", service="vector-db", pod="vector-db-0"),
    exporter("postgres", "vector-db", container="exporter", pod="vector-db-0"),
)


def of_model(name: str, namespace: str, engine: str) -> Exporter:
    """A replica of a model."""
    return of_service(f"{name}-predictor", namespace, engine)


def of_service(service: str, namespace: str, engine: str) -> Exporter:
    """A replica of a model behind its Service."""
    return exporter(engine, namespace, service=service, pod=f"{service}-0")


def printed(file: str, seconds: float, *, trouble: bool) -> str:
    """What an exporter prints: counters have grown for `seconds`; gauges are as the file has them."""
    kinds: dict[str, str] = {}
    samples = dict(_samples(RECORDED / f"{file}.prom", kinds))
    if trouble:
        samples |= dict(_samples(TROUBLE / f"{file}.prom", kinds))
    lines = [f"# TYPE {name} {kind}" for name, kind in kinds.items()]
    for series, value in samples.items():
        grown = value * (1 + seconds / GROWTH_SECONDS) if _kind(series, kinds) in CUMULATED else value
        lines.append(f"{series} {grown!r}")
    return "\n".join(lines) + "\n"


def _samples(path: Path, kinds: dict[str, str]) -> Iterator[tuple[str, float]]:
    for line in path.read_text().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif line and not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            yield series, float(value)


def _kind(series: str, kinds: Mapping[str, str]) -> str | None:
    name = series.partition("{")[0]
    return kinds.get(name) or kinds.get(re.sub(r"_(bucket|sum|count)$", "", name))
