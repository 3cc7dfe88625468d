"""Charts whose version their project sets only when it releases them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.builder import ModulePin
from corral.embedded.toolchain.chartfiles import CopiedChart
from corral.embedded.toolchain.errors import ToolchainError

PLACEHOLDER = "v0.0.0"


@dataclass(frozen=True)
class UnversionedChart(CopiedChart):
    """A chart as its module carries it, with the module's version."""

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        super().make(sources, chart)
        described = chart / "Chart.yaml"
        text = described.read_text()
        if PLACEHOLDER not in text:
            raise ToolchainError(f"{self.module.path}@{self.module.version}: no {PLACEHOLDER} in {self.path}")
        described.write_text(text.replace(PLACEHOLDER, self.module.version))
