"""What a Helm release hides: rendered with the same values, judged by the same rules."""

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from corral.controls.control import UNKNOWN, Resource
from corral.controls.kinds import KINDS

RELEASE = "kubernetes:helm.sh/v3:Release"
KUBERNETES = "1.35.4"
TIMEOUT_SECONDS = 120
SEPARATOR = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
COMMENT = re.compile(r"^#.*$", re.MULTILINE)
KIND = re.compile(r"^kind:[ \t]*[\"']?(\w+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
"""The kind of an object, where it is stated as charts state it; a document without is read to find out."""


class CannotRender(Exception):
    """The release could not be rendered, so nothing can be said about it; the text says why."""


def objects(release: Resource) -> Sequence[Mapping[str, Any]]:
    """The judged objects that `release` would create, hooks among them.

    Raises:
        CannotRender: helm is missing, failed or took longer than `TIMEOUT_SECONDS`.
    """
    repository = cast(Mapping[str, Any], release.props.get("repositoryOpts") or {})
    return _render(
        str(release.props.get("chart")),
        str(release.props.get("name") or release.name),
        str(release.props.get("namespace") or "default"),
        str(release.props.get("version") or ""),
        str(repository.get("repo") or ""),
        json.dumps(_known(release.props.get("values") or {}), sort_keys=True),
    )


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: _known(item) for key, item in fields.items() if item is not UNKNOWN}
    if isinstance(value, list):
        return [_known(item) for item in cast(list[Any], value) if item is not UNKNOWN]
    return value


@lru_cache(maxsize=64)
def _render(
    chart: str, name: str, namespace: str, version: str, repository: str, values: str
) -> Sequence[Mapping[str, Any]]:
    helm = shutil.which("helm")
    if helm is None:
        raise CannotRender("helm is not on PATH; it is needed to look into Helm releases")
    command = [helm, "template", name, chart, "--namespace", namespace, "--kube-version", KUBERNETES]
    command += ["--values", "-"]
    command += ["--version", version] if version else []
    command += ["--repo", repository] if repository else []
    with tempfile.TemporaryDirectory(prefix="corral-helm-") as scratch:
        settings = {"HELM_CACHE_HOME": scratch, "HELM_CONFIG_HOME": scratch, "HELM_DATA_HOME": scratch}
        try:
            done = subprocess.run(
                command,
                input=values,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                env={**settings, "PATH": str(Path(helm).parent), "HOME": scratch},
            )
        except subprocess.TimeoutExpired as error:
            raise CannotRender(f"helm template {chart}: no answer in {TIMEOUT_SECONDS} s") from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise CannotRender(f"helm template {chart}: {last[0]}")
    documents = (_read(one) for one in SEPARATOR.split(done.stdout) if _may_matter(one))
    found = [cast(Mapping[str, Any], one) for one in documents if isinstance(one, dict)]
    return tuple(one for one in found if one.get("kind") in KINDS)


def _read(document: str) -> Any:
    """A document: YAML, or JSON, as which charts of large types are read many times faster."""
    with contextlib.suppress(ValueError):
        return json.loads(COMMENT.sub("", document))
    return yaml.load(document, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _may_matter(document: str) -> bool:
    """Whether a document can be of a judged kind; reading megabytes of other kinds would take seconds."""
    kind = KIND.search(document)
    return kind is None or kind[1] in KINDS
