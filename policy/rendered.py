"""What a Helm release hides: rendered with the same values, evaluated against the same rules."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pulumi

from corral.catalogue.helm import KIND, CannotRender, Rendering, documents, template
from corral.controls.control import UNKNOWN, Resource, Undecided
from corral.controls.kinds import KINDS
from corral.controls.workloads import workloads

RELEASE = "kubernetes:helm.sh/v3:Release"


def objects(release: Resource) -> Sequence[Mapping[str, Any]]:
    """The workloads that `release` would create, hooks among them, tests left out.

    Raises:
        CannotRender: helm is missing, failed or took too long, or its output is rewritten.
        Undecided: an input of the release is not known before the update.
    """
    inputs = (
        "chart",
        "name",
        "namespace",
        "version",
        "repositoryOpts",
        "values",
        "valueYamlFiles",
        "postrender",
    )
    for path, value in ((key, release.props.get(key)) for key in inputs):
        unknown = next(_unknown(value, path), None)
        if unknown is not None:
            raise Undecided(f"`{unknown}` is not known yet")
    if release.props.get("postrender"):
        raise CannotRender("`postrender` rewrites what the chart gives")
    repository = cast(Mapping[str, Any], release.props.get("repositoryOpts") or {})
    return _render(
        str(release.props.get("chart")),
        str(release.props.get("name") or release.name),
        str(release.props.get("namespace") or "default"),
        str(release.props.get("version") or ""),
        str(repository.get("repo") or ""),
        tuple(_text(file) for file in cast(Sequence[Any], release.props.get("valueYamlFiles") or ())),
        json.dumps(release.props.get("values") or {}, sort_keys=True),
    )


def _text(file: Any) -> str:
    """Text of a values file."""
    if isinstance(file, pulumi.StringAsset):
        return str(file.text)
    if isinstance(file, pulumi.FileAsset):
        try:
            return Path(file.path).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise CannotRender(f"valueYamlFiles: {file.path}: {error}") from error
    raise CannotRender("valueYamlFiles: only files and strings can be read")


def _unknown(value: Any, path: str) -> Iterator[str]:
    """Paths of unknown values."""
    if value is UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            yield from _unknown(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from _unknown(item, f"{path}.{index}")


@lru_cache(maxsize=64)
def _render(
    chart: str, name: str, namespace: str, version: str, repository: str, files: tuple[str, ...], values: str
) -> Sequence[Mapping[str, Any]]:
    helm = shutil.which("helm")
    if helm is None:
        raise CannotRender("helm is not on PATH; it is needed to look into Helm releases")
    release = Rendering(chart, name, namespace, values, version, repository, files)
    return rendered_workloads(template(release, Path(helm)))


def rendered_workloads(manifests: str) -> Sequence[Mapping[str, Any]]:
    """Workloads of all documents that Helm installs."""
    installed = documents(manifests, _may_matter)
    return tuple(workload for one in installed for workload in workloads(one))


def _may_matter(document: str) -> bool:
    """Whether a document can hold a workload; reading megabytes of resource types would take seconds."""
    kind = KIND.search(document)
    if kind is None or kind[1] in KINDS or kind[1].endswith("List"):
        return True
    parts = ("containers", "image", "hostPath")
    return kind[1] != "CustomResourceDefinition" and any(part in document for part in parts)
