"""Digests of the images of chart `kube-prometheus-stack`, under the keys of it and of its subcharts."""

from collections.abc import Mapping
from typing import Any

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.images import image

PLACES: Mapping[str, tuple[str, ...]] = {
    "prometheus-operator": ("prometheusOperator", "image", "sha"),
    "prometheus-config-reloader": ("prometheusOperator", "prometheusConfigReloader", "image", "sha"),
    "prometheus": ("prometheus", "prometheusSpec", "image", "sha"),
    "alertmanager": ("alertmanager", "alertmanagerSpec", "image", "sha"),
    "grafana": ("grafana", "image", "sha"),
    "grafana-sidecar": ("grafana", "sidecar", "image", "sha"),
    "kube-state-metrics": ("kube-state-metrics", "image", "sha"),
    "node-exporter": ("prometheus-node-exporter", "image", "digest"),
}
"""Where each image of the catalogue has its digest; what the operator makes of its resources has it, too."""
WITH_ALGORITHM = frozenset({"kube-state-metrics", "node-exporter"})
"""Images whose chart prints the value as it is; the others put `sha256:` before it."""


def with_digests(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the digest of every image that has one."""
    made = dict(values)
    for name, place in PLACES.items():
        digest = image(name).digest
        if digest != UNRESOLVED:
            made = _set(made, place, digest if name in WITH_ALGORITHM else digest.removeprefix("sha256:"))
    return made


def _set(values: Mapping[str, Any], place: tuple[str, ...], value: str) -> dict[str, Any]:
    first, *rest = place
    return {**values, first: _set(values.get(first, {}), tuple(rest), value) if rest else value}
