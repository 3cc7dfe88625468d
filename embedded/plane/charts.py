"""The charts that the embedded platform installs from: real ones of the toolchain, else stand-ins of ours."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import yaml

from corral.embedded.home import private_directory, write_private
from corral.embedded.toolchain.lookup import OWNERS

WRAPPED: Mapping[str, tuple[str, ...]] = {
    "external-secrets": ("external-secrets-stand-in",),
    "keda": ("keda-stand-in",),
    "keda-add-ons-http": ("keda-http-stand-in",),
    "gateway-crds-helm": ("envoy-gateway-crds", "gateway-api-crds"),
    "prometheus-operator-crds": ("prometheus-operator-crds",),
}
"""Chart name -> the toolchain's charts of our own around upstream's custom resource definitions.

The first that is set up stands in: one with Envoy Gateway's definitions is there for stacks with a gateway.
"""
STAND_INS = Path(__file__).parent.parent / "charts"

Finder = Callable[[str], Path | None]
"""Folder of the real chart with this name, or None."""


def names() -> list[str]:
    """Charts that the toolchain has something for."""
    carried = {name.removeprefix("chart:") for name in OWNERS if name.startswith("chart:")}
    return sorted((carried - {own for charts in WRAPPED.values() for own in charts}) | WRAPPED.keys())


def link(folder: Path, requested: Collection[str], real: Finder, stand_ins: Path = STAND_INS) -> None:
    """Make `folder` hold one link per chart, and `charts.json`: name -> {kind, version}.

    `kind` is `real` for upstream's own chart, else `stand-in`; a name for which there is neither has no link.
    Links of an earlier run are replaced.
    """
    private_directory(folder)
    offered = {path.parent.name: path.parent for path in sorted(stand_ins.glob("*/Chart.yaml"))}
    listing: dict[str, dict[str, str]] = {}
    for name in sorted({*requested, *offered}):
        real_chart = next(filter(None, map(real, WRAPPED.get(name, (name,)))), None)
        target = real_chart or offered.get(name)
        entry = folder / name
        entry.unlink(missing_ok=True)
        if target is None:
            continue
        entry.symlink_to(target, target_is_directory=True)
        version = str(yaml.safe_load((target / "Chart.yaml").read_text())["version"])
        listing[name] = {
            "kind": "real" if real_chart and name not in WRAPPED else "stand-in",
            "version": version,
        }
    write_private(folder / "charts.json", json.dumps(listing, indent=2) + "\n")
