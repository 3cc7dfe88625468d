"""KEDA and its HTTP add-on out of their Go modules, with charts: only stacks that scale models need them."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.chartfiles import ChartFiles, DefinitionsChart
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.patched import copy_without, patch
from corral.embedded.toolchain.recipes import HERE, Recipe

KEDA = ModulePin("github.com/kedacore/keda/v2", "v2.20.2", "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=")
HTTP_ADD_ON = ModulePin(
    "github.com/kedacore/http-add-on", "v0.15.0", "h1:6xqqvzFB/Yw9zBSsPD/T6DBTaOj6N4/NqbAs26E5XGA="
)
SCALERS = frozenset(
    {"cpu", "cron", "external", "external-push", "kubernetes-workload", "memory", "prometheus"}
)
"""Triggers that this build has; the others bring the SDKs of clouds and databases."""
SCALER_FILES = frozenset(
    f"{name}_scaler.go" for name in ("cpu_memory", "cron", "external", "kubernetes_workload", "prometheus")
)
SCALER_FOLDERS = frozenset({"authentication", "externalscaler", "scalersconfig"})
LEFT_OUT = (
    "pkg/scaling/resolver/aws_secretmanager_handler.go",
    "pkg/scaling/resolver/azure_keyvault_handler.go",
    "pkg/scaling/resolver/gcp_secretmanager_handler.go",
    "pkg/eventemitter/azure_event_grid_topic_handler.go",
)
BUILDER = "pkg/scaling/scalers_builder.go"
CLOUDS = ("\t} else {\n\t\t// could be the case of azure", "\t}\n\n\treturn &prometheusScaler{")
"""Beginning of what the Prometheus scaler tries of clouds, and what follows it."""


def keda(builder: Builder, source: Path) -> None:
    """Put both modules beside ours: few scalers, and no address that this machine does not have."""
    for pin, name in ((KEDA, "keda"), (HTTP_ADD_ON, "http-add-on")):
        copy_without(builder.module(pin), source / name, "*_test.go", "testdata", "tests", "vendor")
    own = source / "keda"
    for entry in (own / "pkg" / "scalers").iterdir():
        if entry.is_dir() and entry.name not in SCALER_FOLDERS:
            shutil.rmtree(entry)
        elif entry.name.endswith("_scaler.go") and entry.name not in SCALER_FILES:
            entry.unlink()
    for name in LEFT_OUT:
        (own / name).unlink()
    file = own / BUILDER
    file.write_text(few_scalers(file.read_text()))
    file = own / "pkg" / "scalers" / "prometheus_scaler.go"
    file.write_text(_without(file.read_text(), *CLOUDS))
    patch(source, source)


def few_scalers(text: str) -> str:
    """The function that makes scalers, with the cases of `SCALERS` alone."""
    head, opened, rest = text.partition("\tswitch triggerType {\n")
    cases, default, tail = rest.partition("\tdefault:\n")
    blocks = [block for block in re.split(r"(?m)^(?=\tcase )", cases) if block]
    kept = [block for block in blocks if block.split('"')[1] in SCALERS]
    if not opened or not default or len(kept) != len(SCALERS):
        raise ToolchainError(
            f"{KEDA.path}@{KEDA.version}: {BUILDER} does not make {', '.join(sorted(SCALERS))}"
        )
    return head + opened + "".join(kept) + default + tail


def _without(text: str, start: str, following: str) -> str:
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(following)
    if not opened or not closed:
        raise ToolchainError(f"{KEDA.path}@{KEDA.version}: the Prometheus scaler has no {start!r}")
    return before + following + after


@dataclass(frozen=True)
class StandInChart(DefinitionsChart):
    """Templates of ours with the module's custom resource definitions, where `crds.install` is on."""

    folder: str = ""
    """Of the templates, beside this file."""

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        super().make(sources, chart)
        for template in (chart / "templates").iterdir():
            template.write_text(f"{{{{ if .Values.crds.install }}}}\n{template.read_text()}{{{{ end }}}}\n")
        shutil.copytree(HERE / "charts" / self.folder, chart, dirs_exist_ok=True)


CHART_INPUTS = (HERE / "chartfiles.py", Path(__file__), HERE / "charts")
VERSION = KEDA.version.removeprefix("v")
HTTP_VERSION = HTTP_ADD_ON.version.removeprefix("v")
RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "keda",
        VERSION,
        ("keda", "keda-adapter"),
        (
            GoBuild(
                "keda",
                {"keda": f"{KEDA.path}/cmd/operator", "keda-adapter": f"{KEDA.path}/cmd/adapter"},
                270,
                {f"{KEDA.path}/version.Version": VERSION},
                keda,
            ),
        ),
    ),
    Recipe(
        "keda-http",
        HTTP_VERSION,
        ("keda-http-interceptor", "keda-http-operator", "keda-http-scaler"),
        (
            GoBuild(
                "keda",
                {
                    f"keda-http-{name}": f"{HTTP_ADD_ON.path}/{name}"
                    for name in ("interceptor", "operator", "scaler")
                },
                30,
                {},
                keda,
            ),
        ),
    ),
    Recipe(
        "keda-charts",
        VERSION,
        ("chart:keda-stand-in",),
        (
            ChartFiles(
                (StandInChart("keda-stand-in", KEDA, "config/crd/bases/*.yaml", "keda"),), inputs=CHART_INPUTS
            ),
        ),
    ),
    Recipe(
        "keda-http-charts",
        HTTP_VERSION,
        ("chart:keda-http-stand-in",),
        (
            ChartFiles(
                (
                    StandInChart(
                        "keda-http-stand-in", HTTP_ADD_ON, "config/crd/bases/*.yaml", "keda-add-ons-http"
                    ),
                ),
                inputs=CHART_INPUTS,
            ),
        ),
    ),
)
