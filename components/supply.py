"""Where charts and images come from: the one answer handed to every component that installs something."""

from pathlib import Path
from typing import NotRequired, TypedDict

from corral.catalogue.charts import ChartEntry
from corral.catalogue.images import ImageEntry


class Supply(TypedDict):
    """Where charts and images come from; empty: each from its own upstream registry."""

    registry: NotRequired[str]
    """Mirror that holds every image under its upstream path, such as `registry.example.eu/mirror`."""
    charts: NotRequired[str]
    """Absolute path of a folder with unpacked charts by name; what it lacks comes from upstream."""
    pull_secret: NotRequired[str]
    """Name of the Secret, in each namespace, that opens the mirror."""
    images: NotRequired[dict[str, str]]
    """References in the place of the catalogue's, by its names, such as `tools`."""


class ChartLocation(TypedDict):
    """What the Helm resources take to find a chart."""

    chart: str
    """Folder, `oci://` reference, or name within `repository`."""
    version: NotRequired[str]
    """Pinned version; absent for a folder, which is one version."""
    repository: NotRequired[str]
    """HTTPS chart repository."""


def locate(entry: ChartEntry, supply: Supply) -> ChartLocation:
    """Where `entry` is fetched from: its unpacked folder when there is one, else upstream, pinned."""
    folder = Path(supply["charts"], entry.name) if "charts" in supply else None
    if folder is not None and folder.is_dir():
        return {"chart": str(folder)}
    if entry.source.startswith("oci://"):
        return {"chart": f"{entry.source.rstrip('/')}/{entry.name}", "version": entry.version}
    return {"chart": entry.name, "version": entry.version, "repository": entry.source}


def reference(entry: ImageEntry, supply: Supply) -> str:
    """The image reference that a pod states, through the mirror when the supply names one."""
    own = supply.get("images", {}).get(entry.name)
    return own if own is not None else entry.reference(supply.get("registry"))


def pull_secrets(supply: Supply) -> list[dict[str, str]]:
    """`imagePullSecrets` of a pod: empty unless the mirror asks for credentials."""
    return [{"name": supply["pull_secret"]}] if "pull_secret" in supply else []


def repository_and_tag(entry: ImageEntry, supply: Supply) -> tuple[str, str]:
    """The same reference in the two parts that charts ask for; a digest goes with the tag."""
    whole = reference(entry, supply)
    name, _, digest = whole.partition("@")
    repository, _, tag = name.rpartition(":")
    return repository, f"{tag}@{digest}" if digest else tag
