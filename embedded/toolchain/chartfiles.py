"""Real charts out of Go modules, and the custom resource definitions of modules as small local charts."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.recipes import HERE, Recipe

DEFINITION = "\nkind: CustomResourceDefinition\n"
NESTED = ("items", "additionalProperties", "not")
NESTED_LISTS = ("allOf", "anyOf", "oneOf")
NESTED_MAPS = ("properties", "patternProperties")


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: a lone `=` and dates are strings."""


def _as_written(_loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


for tag in ("value", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{tag}", _as_written)


@dataclass(frozen=True)
class Subchart:
    """A chart of another module that a chart expects in its `charts/`."""

    module: ModulePin
    path: str


@dataclass(frozen=True)
class CopiedChart:
    """A chart as its module carries it."""

    name: str
    module: ModulePin
    path: str
    subcharts: tuple[Subchart, ...] = ()
    without: frozenset[str] = frozenset()
    """Dependencies that are off by default and that only a chart repository has."""

    @property
    def modules(self) -> tuple[ModulePin, ...]:
        return (self.module, *(subchart.module for subchart in self.subcharts))

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        copy_writable(sources[self.module] / self.path, chart)
        for subchart in self.subcharts:
            copy = chart / "charts" / Path(subchart.path).name
            copy_writable(sources[subchart.module] / subchart.path, copy)
        if self.subcharts or self.without:
            self._settle_dependencies(chart)

    def _settle_dependencies(self, chart: Path) -> None:
        """Name only dependencies that lie in `charts/`, in the versions that lie there."""
        described = _read(chart / "Chart.yaml")
        kept = [d for d in described["dependencies"] if d["name"] not in self.without]
        for dependency in kept:
            inner = chart / "charts" / dependency["name"] / "Chart.yaml"
            dependency.pop("repository", None)
            _write(inner, _read(inner) | {"version": dependency["version"]})
        _write(chart / "Chart.yaml", described | {"dependencies": kept})
        (chart / "Chart.lock").unlink(missing_ok=True)


@dataclass(frozen=True)
class DefinitionsChart:
    """The custom resource definitions of a module, as a chart that creates and removes them.

    Descriptions are left out: Helm keeps a release in one Secret of at most 1 MiB.
    """

    name: str
    module: ModulePin
    files: str
    """Pattern of the definitions in the module; files of other kinds are left out."""

    @property
    def modules(self) -> tuple[ModulePin, ...]:
        return (self.module,)

    def make(self, sources: Mapping[ModulePin, Path], chart: Path) -> None:
        files = sorted(sources[self.module].glob(self.files))
        found = [file for file in files if DEFINITION in file.read_text()]
        if not found:
            raise ToolchainError(f"module {self.module.path}@{self.module.version} has no {self.files}")
        (chart / "templates").mkdir(parents=True)
        for file in found:
            (chart / "templates" / file.name).write_text(as_template(file.read_text()))
        version = self.module.version.removeprefix("v")
        described = {
            "apiVersion": "v2",
            "name": self.name,
            "version": version,
            "appVersion": self.module.version,
        }
        _write(chart / "Chart.yaml", described | {"type": "application"})


@dataclass(frozen=True)
class ChartFiles:
    """Chart folders made from module files, without any chart repository."""

    charts: tuple[CopiedChart | DefinitionsChart, ...]
    seconds: float = 6
    label: str = "Go modules"
    inputs: tuple[Path, ...] = (HERE / "chartfiles.py",)

    def likely(self, builder: Builder) -> bool:
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        for chart in self.charts:
            sources = {pin: builder.module(pin) for pin in chart.modules}
            chart.make(sources, folder / chart.name)

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        return {f"chart:{chart.name}": Path(chart.name, "Chart.yaml") for chart in self.charts}


def as_template(definitions: str) -> str:
    """Definitions as a Helm template that renders to the same without descriptions, compact."""
    documents: list[dict[str, Any]] = [d for d in yaml.load_all(definitions, _Loader) if d]
    for definition in documents:
        for version in definition["spec"]["versions"]:
            _drop_descriptions(version["schema"]["openAPIV3Schema"])
    text = "\n---\n".join(json.dumps(definition, separators=(",", ":")) for definition in documents)
    return text.replace("{{", '{{ "{{" }}') + "\n"


def _drop_descriptions(schema: dict[str, Any]) -> None:
    schema.pop("description", None)
    inner = [schema[key] for key in NESTED if isinstance(schema.get(key), dict)]
    inner += [entry for key in NESTED_LISTS for entry in schema.get(key, [])]
    inner += [entry for key in NESTED_MAPS for entry in schema.get(key, {}).values()]
    for entry in inner:
        _drop_descriptions(entry)


def copy_writable(source: Path, target: Path) -> None:
    """Copy files and folders of a read-only module, writable by the owner."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for folder in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False))
