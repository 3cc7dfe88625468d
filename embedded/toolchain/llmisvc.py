"""KServe's controller of LLMInferenceServices out of its Go module, with its charts."""

import shutil
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.chartfiles import ChartFiles, CopiedChart
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.sources import KSERVE

VERSION = KSERVE.version.removeprefix("v")
COMMAND = "cmd/llmisvc"
WEBHOOKS = "webhook.Options{Port: options.webhookPort"
CHARTS = ("kserve-llmisvc-crd-minimal", "kserve-llmisvc-resources")


def llmisvc_manager(builder: Builder, source: Path) -> None:
    """Take the controller's command and let a flag say which address its webhooks bind."""
    command = builder.module(KSERVE) / COMMAND
    for file in command.glob("*.go"):
        if not file.name.endswith("_test.go"):
            shutil.copyfile(file, source / file.name)
    main = source / "main.go"
    text = main.read_text()
    if text.count(WEBHOOKS) != 1:
        raise ToolchainError(f"{KSERVE.path}@{KSERVE.version}: {COMMAND}/main.go has no single {WEBHOOKS!r}")
    main.write_text(text.replace(WEBHOOKS, WEBHOOKS.replace("Port:", "Host: *webhookHost, Port:")))


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
