"""Where charts and images come from: the one answer handed to every component that installs something."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.charts import OCI, ChartEntry
from corral.catalogue.images import ImageEntry
from corral.components.secret_store import SecretStore


class Toleration(TypedDict):
    """A taint that pods bear, in Kubernetes' own words."""

    key: str
    """Key of the taint."""
    operator: str
    """`Equal` or `Exists`."""
    value: NotRequired[str]
    """Its value, where the operator is `Equal`."""
    effect: NotRequired[str]
    """Its effect; each when omitted."""


class Supply(TypedDict):
    """Where charts and images come from; empty: each from its own upstream registry."""

    registry: NotRequired[str]
    """Mirror that holds every image and OCI chart under its upstream path, and other charts below `charts/`,
    such as `registry.example.eu/mirror`."""
    charts: NotRequired[str]
    """Absolute path of a folder with unpacked charts by name; the rest comes from mirror or upstream."""
    pull_secret: NotRequired[str]
    """Name of the Secret, in each namespace, with the mirror's credentials."""
    registry_auth: NotRequired[pulumi.Input[str]]
    """Those credentials as Docker's `config.json`, a secret: each component writes them into `pull_secret` of
    the namespaces that it makes. Somebody else must when omitted.
    """
    registry_store: NotRequired[SecretStore]
    """What has those credentials in place of `registry_auth`, as `registry-auth`."""
    images: NotRequired[dict[str, str]]
    """References in the place of the catalogue's, by its names, such as `tools`."""
    node_selector: NotRequired[dict[str, str]]
    """Labels of the nodes that pods run on which need no GPU; any node when omitted."""
    tolerations: NotRequired[list[Toleration]]
    """Taints of those nodes that these pods bear."""


class ChartLocation(TypedDict):
    """What the Helm resources take to find a chart."""

    chart: str
    """Folder, `oci://` reference with its digest once that is resolved, or name within `repository`."""
    version: NotRequired[str]
    """Pinned version; absent for a folder, which is one version."""
    repository: NotRequired[str]
    """HTTPS chart repository."""


def locate(entry: ChartEntry, supply: Supply) -> ChartLocation:
    """Where `entry` is fetched from: its unpacked folder, else mirror or upstream, pinned."""
    folder = Path(supply["charts"], entry.name) if "charts" in supply else None
    if folder is not None and folder.is_dir():
        return {"chart": str(folder)}
    pulled = entry.through(supply.get("registry"))
    if pulled.source.startswith(OCI):
        digest = "" if pulled.digest == UNRESOLVED else f"@{pulled.digest}"
        return {"chart": f"{pulled.source.rstrip('/')}/{pulled.name}{digest}", "version": pulled.version}
    return {"chart": entry.name, "version": entry.version, "repository": entry.source}


def reference(entry: ImageEntry, supply: Supply) -> str:
    """The image reference that a pod states, through the mirror when the supply names one."""
    own = supply.get("images", {}).get(entry.name)
    return own if own is not None else entry.reference(supply.get("registry"))


@dataclass(frozen=True)
class RegistryCredential:
    """The Secret that holds the mirror's credentials."""

    secret: str
    content: pulumi.Output[str] | None
    """Docker's `config.json`, a secret; None: the store has it."""
    store: SecretStore | None = None


def registry_credential(supply: Supply) -> RegistryCredential | None:
    """The Secret to write into a new namespace; None: somebody else writes it, or the mirror needs none."""
    if "pull_secret" in supply and "registry_store" in supply:
        return RegistryCredential(supply["pull_secret"], None, supply["registry_store"])
    if "pull_secret" not in supply or "registry_auth" not in supply:
        return None
    content = pulumi.Output.secret(supply["registry_auth"]).apply(_docker_config)
    return RegistryCredential(supply["pull_secret"], content)


def _docker_config(text: str) -> str:
    try:
        content: object = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not cast("dict[str, Any]", content).get("auths"):
        # The text is a secret: nothing of it is shown.
        raise pulumi.RunError(
            "supply.registry_auth (corral:registry-auth in a stack file): no Docker config.json; use a JSON "
            "object with `auths`, as `docker login` and `kubectl create secret docker-registry` write it"
        )
    return text


def pull_secrets(supply: Supply) -> list[dict[str, str]]:
    """`imagePullSecrets` of a pod: empty unless the mirror asks for credentials."""
    return [{"name": supply["pull_secret"]}] if "pull_secret" in supply else []


def on_nodes(supply: Supply) -> dict[str, Any]:
    """`node_selector` and `tolerations` of a pod that needs no GPU; empty: any node."""
    both = {"node_selector": supply.get("node_selector"), "tolerations": supply.get("tolerations")}
    return {key: value for key, value in both.items() if value}


def placed(values: Mapping[str, Any], entry: ChartEntry, supply: Supply) -> dict[str, Any]:
    """`values` with the nodes of the supply for all pods of the chart that need no GPU node."""
    stated = spelled_nodes(supply)
    result = dict(values)
    for path in entry.pods if stated else ():
        result = _merged(result, path.split(".") if path else [], stated)
    return result


def pod_settings(supply: Supply) -> dict[str, Any]:
    """Pull secrets and nodes of a pod that needs no GPU, as the types of operators spell them."""
    secrets = pull_secrets(supply)
    return {**({"imagePullSecrets": secrets} if secrets else {}), **spelled_nodes(supply)}


def spelled_nodes(supply: Supply) -> dict[str, Any]:
    """`on_nodes` in Kubernetes' own spelling."""
    words = {"node_selector": "nodeSelector", "tolerations": "tolerations"}
    return {words[key]: value for key, value in on_nodes(supply).items()}


def _merged(values: Mapping[str, Any], path: Sequence[str], stated: Mapping[str, Any]) -> dict[str, Any]:
    if not path:
        return {**values, **stated}
    inner = cast("Mapping[str, Any]", values.get(path[0], {}))
    return {**values, path[0]: _merged(inner, path[1:], stated)}


def by_digest(entry: ImageEntry, key: str = "tag") -> dict[str, str]:
    """`key` with tag and digest, for a chart that prints it behind the repository; empty while unresolved."""
    pinned = entry.digest != UNRESOLVED and entry.unresolvable is None
    return {key: f"{entry.tag}@{entry.digest}"} if pinned else {}


def repository_and_tag(entry: ImageEntry, supply: Supply) -> tuple[str, str]:
    """The same reference in the two parts that charts ask for; a digest goes with the tag."""
    whole = reference(entry, supply)
    name, _, digest = whole.partition("@")
    repository, _, tag = name.rpartition(":")
    return repository, f"{tag}@{digest}" if digest else tag
