"""KServe's controller of LLMInferenceServices out of its Go module, with its charts."""

import shutil
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.chartfiles import ChartFiles, CopiedChart
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.sources import KSERVE, kserve_main

VERSION = KSERVE.version.removeprefix("v")
COMMAND = "llmisvc"
WEBHOOKS = "webhook.Options{Port: options.webhookPort"
CHARTS = ("kserve-llmisvc-crd-minimal", "kserve-llmisvc-resources")


def llmisvc_manager(builder: Builder, source: Path) -> None:
    """Take the controller's command and let a flag say which address its webhooks bind."""
    for file in (builder.module(KSERVE) / "cmd" / COMMAND).glob("*.go"):
        if not file.name.endswith("_test.go"):
            shutil.copyfile(file, source / file.name)
    main = kserve_main(builder, COMMAND, (WEBHOOKS, WEBHOOKS.replace("Port:", "Host: *webhookHost, Port:")))
    (source / "main.go").write_text(main)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "llmisvc",
        VERSION,
        ("llmisvc-manager",),
        (GoBuild("llmisvc", {"llmisvc-manager": "."}, 150, {}, llmisvc_manager),),
    ),
    Recipe(
        "llmisvc-charts",
        VERSION,
        tuple(f"chart:{name}" for name in CHARTS),
        (ChartFiles(tuple(CopiedChart(name, KSERVE, f"charts/{name}") for name in CHARTS)),),
    ),
)
