"""From the resource graph of a stack, and what Helm prints of its releases, to its bundle."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.charts import ChartEntry
from corral.catalogue.images import OURS, ImageEntry, images, mirrored
from corral.stacks.planning.digests import TOOLS, Artifacts
from corral.stacks.reports.bundle.lock import Artifact

HELM_RELEASE = "kubernetes:helm.sh/v3:Release"
REFERENCE = re.compile(r"(?P<name>[^@]+?)(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class Release:
    """One Helm release of the graph."""

    urn: str
    chart: str
    """Name of its chart."""
    name: str
    namespace: str
    values: Mapping[str, Any]
    definitions: bool

    def __str__(self) -> str:
        return f"release {self.name} in {self.namespace}"


@dataclass(frozen=True)
class Manifest:
    """One object of the stack: registered by the program, or printed by Helm."""

    origin: str
    """Resource or release, for a person."""
    content: Mapping[str, Any]


def releases(graph: Sequence[Mapping[str, Any]]) -> Iterator[Release]:
    """The Helm releases of a graph, as `corral.stacks.deploy.graph` prints it."""
    for one in graph:
        if one["type"] == HELM_RELEASE and not one["read"]:
            inputs = one["inputs"]
            yield Release(
                urn=one["urn"],
                chart=chart_name(inputs["chart"]),
                name=inputs.get("name") or one["name"],
                namespace=inputs.get("namespace") or "default",
                values=inputs.get("values") or {},
                definitions=not inputs.get("skipCrds"),
            )


def chart_name(chart: str) -> str:
    """Name of a chart by its reference.

    >>> chart_name("oci://registry.example.eu/mirror/charts/kyverno@sha256:0")
    'kyverno'
    """
    return chart.partition("@")[0].rstrip("/").rpartition("/")[2]


def registered(graph: Sequence[Mapping[str, Any]]) -> Iterator[Manifest]:
    """The resources of a graph, components left out: they have nothing that their children lack."""
    for one in graph:
        if (
            ":" in one["type"]
            and not one["type"].startswith(("corral:", "pulumi:pulumi:"))
            and not one["read"]
        ):
            yield Manifest(f"{one['type'].rpartition(':')[2]} {one['name']}", one["inputs"])


def image_artifacts(
    used: Artifacts, manifests: Sequence[Manifest], registry: str | None, tools: str | None
) -> list[Artifact]:
    """Every image of the catalogue that the stack uses or names, and every other that a manifest names."""
    known = {_repository(one, registry, tools): one for one in (*images().values(), *used.images)}
    needed = {_repository(one, registry, tools) for one in used.images}
    mentions: dict[str, dict[str, None]] = {name: {} for name in known}
    others: dict[str, dict[str, None]] = {}
    for manifest in manifests:
        for name in set(_mentioned(manifest.content, known)):
            mentions[name][manifest.origin] = None
        for reference in _containers(manifest.content):
            if _name(reference) not in known:
                others.setdefault(reference, {})[manifest.origin] = None
    made = [
        _own(tools, tuple(mentions[name]))
        if one.name == TOOLS and tools is not None
        else _image(one, registry, tuple(mentions[name]))
        for name, one in known.items()
        if name in needed or mentions[name]
    ]
    made += [_other(reference, registry, tuple(origins)) for reference, origins in others.items()]
    return sorted(made, key=lambda one: one.source)


def chart_artifacts(
    charts: Iterable[ChartEntry], registry: str | None, used: Iterable[Release]
) -> list[Artifact]:
    """Every chart of the stack: from where it is published to its place in the mirror."""
    names: dict[str, tuple[str, ...]] = {}
    for one in used:
        names[one.chart] = (*names.get(one.chart, ()), str(one))
    return sorted(
        (
            Artifact(
                source=one.reference,
                digest=one.digest,
                target=None if registry is None else one.through(registry).reference,
                named_by=names.get(one.name, ()),
            )
            for one in charts
        ),
        key=lambda one: one.source,
    )


def _repository(entry: ImageEntry, registry: str | None, tools: str | None) -> str:
    if entry.name == TOOLS and tools is not None:
        return _name(tools)
    return mirrored(entry.repository, registry)


def _name(reference: str) -> str:
    parsed = REFERENCE.fullmatch(reference)
    return parsed["name"] if parsed else reference


def _image(entry: ImageEntry, registry: str | None, origins: tuple[str, ...]) -> Artifact:
    built = entry.repository.startswith("localhost/")
    return Artifact(
        source=entry.pinned,
        digest=entry.digest,
        target=None if registry is None else f"{mirrored(entry.repository, registry)}:{entry.tag}",
        named_by=origins,
        brought_by=None if entry.brought_by == OURS else entry.brought_by,
        reason=entry.unresolvable or ("built here: push it, then run corral lock --mirror" if built else ""),
        by_hand=entry.unresolvable is not None,
    )


def _own(reference: str, origins: tuple[str, ...]) -> Artifact:
    """An image of the site's own registry, which nobody copies."""
    digest = reference.partition("@")[2] or UNRESOLVED
    reason = "the stack file names it without digest: images.tools"
    return Artifact(reference, digest, None, origins, reason=reason)


def _other(reference: str, registry: str | None, origins: tuple[str, ...]) -> Artifact:
    """An image that the catalogue lacks, and that a manifest names."""
    digest = reference.partition("@")[2] or UNRESOLVED
    plain = reference.partition("@")[0]
    within = registry is not None and plain.startswith(f"{registry.rstrip('/')}/")
    target = None if within or registry is None else mirrored(_with_host(plain), registry)
    reason = "the catalogue lacks it, and a manifest names it without digest"
    return Artifact(plain if within else _with_host(plain), digest, target, origins, reason=reason)


def _with_host(reference: str) -> str:
    """A reference with the registry that Kubernetes takes it from where it names none."""
    host, slash, _ = reference.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"


def _containers(value: object) -> Iterator[str]:
    """Images of the containers anywhere in `value`."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            if str(key).lower().endswith("containers"):
                yield from _images(inner)
            yield from _containers(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _containers(inner)


def _images(containers: object) -> Iterator[str]:
    for one in cast("list[object]", containers) if isinstance(containers, list) else []:
        image = cast("Mapping[str, object]", one).get("image") if isinstance(one, Mapping) else None
        if isinstance(image, str) and image:
            yield image


def _mentioned(value: object, names: Mapping[str, object]) -> Iterator[str]:
    """Those of the repositories `names` that `value` mentions: in a text, or split over two or three keys."""
    if isinstance(value, str):
        yield from (name for name in names if name in value and _bounded(name, value))
    elif isinstance(value, Mapping):
        content = cast("Mapping[str, object]", value)
        yield from (name for name in _composed(content) if name in names)
        for inner in content.values():
            yield from _mentioned(inner, names)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _mentioned(inner, names)


def _bounded(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])", text) is not None


def _composed(content: Mapping[str, object]) -> Iterator[str]:
    """`registry/repository/image` as charts split it."""
    registry, repository, image = (content.get(key) for key in ("registry", "repository", "image"))
    if isinstance(registry, str) and isinstance(repository, str):
        yield f"{registry}/{repository}"
    if isinstance(repository, str) and isinstance(image, str):
        yield f"{repository}/{image}"
