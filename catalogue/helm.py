"""What Helm prints for a chart under values, without a cluster."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from corral.catalogue import yamls

KUBERNETES = "1.35.4"
TIMEOUT_SECONDS = 120
REACHING = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "DOCKER_CONFIG")
"""Variables of the environment by which Helm reaches a registry."""
REGISTRY_CONFIG = "HELM_REGISTRY_CONFIG"
TESTS = frozenset({"test", "test-success", "test-failure"})
SEPARATOR = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
COMMENT = re.compile(r"^#.*$", re.MULTILINE)
KIND = re.compile(r"^kind:[ \t]*[\"']?(\w+)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
"""The kind of an object, where it is stated as charts state it; a document without is read to find out."""


class CannotRender(Exception):
    """A chart that Helm does not print, so nothing can be said about it; the text says why."""


@dataclass(frozen=True)
class Rendering:
    """One release, as Helm takes it."""

    chart: str
    """Folder, `oci://` reference, or name within `repository`."""
    name: str
    namespace: str
    values: str
    """YAML or JSON."""
    version: str = ""
    repository: str = ""
    files: Sequence[str] = ()
    """Texts of further values files, which `values` override."""
    definitions: bool = False
    """Whether what the chart has in its folder `crds` is printed, too."""


def template(release: Rendering, helm: Path) -> str:
    """The manifests of `release`, printed by the program `helm`.

    Raises:
        CannotRender: helm failed or took too long.
    """
    command = [str(helm), "template", release.name, release.chart, "--namespace", release.namespace]
    command += ["--kube-version", KUBERNETES]
    command += ["--version", release.version] if release.version else []
    command += ["--repo", release.repository] if release.repository else []
    command += ["--include-crds"] if release.definitions else []
    with tempfile.TemporaryDirectory(prefix="corral-helm-") as scratch:
        settings = {"HELM_CACHE_HOME": scratch, "HELM_CONFIG_HOME": scratch, "HELM_DATA_HOME": scratch}
        for index, text in enumerate(release.files):
            extra = Path(scratch, f"values-{index}.yaml")
            extra.write_text(text)
            command += ["--values", str(extra)]
        command += ["--values", "-"]
        try:
            done = subprocess.run(
                command,
                input=release.values,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                env={**settings, **_reaching_registries(), "PATH": str(helm.parent), "HOME": scratch},
            )
        except subprocess.TimeoutExpired as error:
            raise CannotRender(f"helm template {release.chart}: no answer in {TIMEOUT_SECONDS} s") from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise CannotRender(f"helm template {release.chart}: {last[0]}")
    return done.stdout


def documents(manifests: str, matters: Callable[[str], bool]) -> Iterator[Mapping[str, Any]]:
    """Objects that Helm installs, hooks among them, tests left out; only texts that may matter are read."""
    parts = (_read(one) for one in SEPARATOR.split(manifests) if matters(one))
    # A chart that is pulled has what was pulled, and its digest, printed before the first object.
    installed = (cast("Mapping[str, Any]", one) for one in parts if isinstance(one, dict) and "kind" in one)
    return (one for one in installed if not _is_test(one))


def not_a_type(document: str) -> bool:
    """Whether a document is no resource type: those are megabytes, and run nothing."""
    kind = KIND.search(document)
    return (kind is None or kind[1] != "CustomResourceDefinition") and not _TYPE_IN_JSON.search(document)


_TYPE_IN_JSON = re.compile(r'^\{.*"kind":"CustomResourceDefinition"', re.MULTILINE)


def _is_test(document: Mapping[str, Any]) -> bool:
    """Whether a document is a test hook alone, which Helm never installs."""
    metadata = cast("Mapping[str, Any]", document.get("metadata") or {})
    annotations = cast("Mapping[str, Any]", metadata.get("annotations") or {})
    events = {one.strip() for one in str(annotations.get("helm.sh/hook") or "").split(",")}
    return events <= TESTS


def _read(document: str) -> Any:
    """A document: YAML, or JSON, as which charts of large types are read many times faster."""
    with contextlib.suppress(ValueError):
        return json.loads(COMMENT.sub("", document))
    return yamls.load(document)


def _reaching_registries() -> Mapping[str, str]:
    """The caller's certificates, proxies and registry logins, which the provider's own Helm uses, too."""
    names = (*REACHING, *(name.lower() for name in REACHING if name.endswith("PROXY")))
    shared = {name: os.environ[name] for name in names if name in os.environ}
    folder = os.environ.get("HELM_CONFIG_HOME") or Path(
        os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "helm"
    )
    login = Path(os.environ.get(REGISTRY_CONFIG) or Path(folder, "registry", "config.json"))
    return {**shared, REGISTRY_CONFIG: str(login)} if login.is_file() else shared
