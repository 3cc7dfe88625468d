"""External Secrets out of its Go modules with the stores that the platform knows, and its chart.

Its tags from v2 on are no versions of its modules, whose paths have no `/v2`: the modules are those of the
commit of tag v2.9.0. It is made where it is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.chartfiles import ChartFiles, CopiedChart, as_template
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.patched import copy_without, patch
from corral.embedded.toolchain.recipes import HERE, Recipe

VERSION = "2.9.0"
PATH, COMMIT = "github.com/external-secrets/external-secrets", "v0.0.0-20260807160437-378bdb622ed9"
ROOT = ModulePin(PATH, COMMIT, "h1:8dNGwbgvstY8vmLmjXNSj9REnU0WgR3GI7ims32XDkk=")
NESTED: Mapping[str, str] = {
    "apis": "h1:FtmDlIF1Ty2qoeJLVa0dktZ+d+7GQvMnDtKzskp7xc8=",
    "runtime": "h1:sAh6dbQwzuAvzQdxYkxOk9iEePL1j6/0JAV2BC1MHzA=",
    "providers/v1/vault": "h1:9HvwoVV3id00UYtxkmfRjup2tzARyCb9PiwS/uRRkT4=",
    "providers/v1/aws": "h1:5HXJq27lmUjj90vkzAYGtNidPccHcgntRG02/W39l0Q=",
    "providers/v1/gcp": "h1:Hn0R380FrX4Vfe2Bf5QAlfmEA/94fRSZxn0f5RYkAfw=",
}
"""Checksum of each module below the first."""
STORES = ("vault", "aws", "gcp")
"""Build tags, each with a file of `pkg/register`: three stores, and no generators."""
CREATED = frozenset({"ClusterExternalSecret", "ClusterGenerator", "ClusterPushSecret", "PushSecret"})
"""Definitions that the chart leaves out where its value `crds.create…` is off."""


def external_secrets(builder: Builder, source: Path) -> None:
    """Put the modules beside ours, one in the other as in their repository, with those stores."""
    root = source / "root"
    copy_without(builder.module(ROOT), root, "*_test.go", "docs", "tests", "terraform")
    for path, checksum in NESTED.items():
        pin = ModulePin(f"{PATH}/{path}", COMMIT, checksum)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        copy_without(builder.module(pin), root / path, "*_test.go")
    for file in (root / "pkg" / "register").iterdir():
        if file.stem not in STORES:
            file.unlink()
    # What the module demands are all stores; what this build demands stands in its own go.mod.
    (root / "go.mod").write_text(f"module {PATH}\n\ngo 1.26.5\n")
    (root / "go.sum").unlink()
    patch(source, source)


@dataclass(frozen=True)
class StoreChart(CopiedChart):
    """The chart as its repository has it, in the version that it was published as, with its definitions."""

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        super().make(sources, chart)
        described = chart / "Chart.yaml"
        content: dict[str, Any] = yaml.safe_load(described.read_text())
        content |= {"version": VERSION, "appVersion": f"v{VERSION}"}
        described.write_text(yaml.safe_dump(content, sort_keys=False))
        files = sorted(
            (sources[self.module] / "config" / "crds" / "bases").glob("*external-secrets.io_*.yaml")
        )
        if not files:
            raise ToolchainError(f"{self.module.path}@{self.module.version} has no definitions")
        for file in files:
            kind = yaml.safe_load(file.read_text())["spec"]["names"]["kind"]
            own = kind in CREATED
            when = f"and .Values.installCRDs .Values.crds.create{kind}" if own else ".Values.installCRDs"
            template = chart / "templates" / "crds" / file.name
            template.write_text(f"{{{{- if {when} }}}}\n{as_template(file.read_text())}{{{{- end }}}}\n")


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "external-secrets",
        VERSION,
        ("external-secrets",),
        (
            GoBuild(
                "external-secrets-operator",
                {"external-secrets": "."},
                180,
                {},
                external_secrets,
                STORES,
            ),
        ),
    ),
    Recipe(
        "external-secrets-charts",
        VERSION,
        ("chart:external-secrets-stand-in",),
        (
            ChartFiles(
                (
                    StoreChart(
                        "external-secrets-stand-in",
                        ROOT,
                        "deploy/charts/external-secrets",
                        without=frozenset({"bitwarden-sdk-server"}),
                    ),
                ),
                inputs=(HERE / "chartfiles.py", Path(__file__)),
            ),
        ),
    ),
)
