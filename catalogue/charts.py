"""Helm charts: what can be installed, from where, at which version and by which Pulumi resource."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.addons import ChartRow, descriptor, descriptors
from corral.catalogue.digests import digest
from corral.catalogue.images import mirrored
from corral.catalogue.vocabulary import Addon, VectorEngine

OCI = "oci://"


@dataclass(frozen=True)
class ChartEntry:
    """One chart of the catalogue."""

    name: str
    """Name in its repository, which is also its key."""
    version: str
    source: str
    """`oci://host/path` or `https://…`, without the name."""
    namespace: str
    digest: str = UNRESOLVED
    """`sha256:…` of the chart, or `unresolved`."""
    reason: str = ""
    """Why it is a Helm release, and not objects that policies see."""
    hooks: str = "none"
    """Helm hooks that the chart brings."""
    app_version: str = ""
    kubernetes: str | None = None
    """Oldest Kubernetes that its own documents name, such as `1.34.2`; None: not read."""
    gpu_driver: int | None = None
    """Oldest branch of the NVIDIA driver that it runs with; None: it needs none, or not read."""
    engine: VectorEngine | None = None
    """Installed for this engine of the vector database alone."""
    pods: tuple[str, ...] = ()
    """Dotted paths of values that take `nodeSelector` and `tolerations`; empty text: the top."""

    @property
    def reference(self) -> str:
        """`source/name:version`, as digests are kept."""
        return f"{self.source.rstrip('/')}/{self.name}:{self.version}"

    def through(self, registry: str | None) -> "ChartEntry":
        """The chart as pulled from the mirror `registry`; None leaves it.

        A chart of an OCI registry keeps path and digest when it is copied. One of an HTTPS repository is
        pushed below `charts/`, and has the digest that the mirror gave it then.
        """
        if registry is None:
            return self
        if self.source.startswith(OCI):
            path = self.source.removeprefix(OCI).rstrip("/")
            return replace(self, source=f"{OCI}{mirrored(path, registry)}")
        pushed = replace(self, source=f"{OCI}{registry.rstrip('/')}/charts")
        return replace(pushed, digest=digest(pushed.reference))


def _entry(name: str, row: ChartRow, namespace: str) -> ChartEntry:
    return ChartEntry(
        name=name,
        version=row.version,
        source=row.source,
        namespace=namespace,
        digest=digest(f"{row.source.rstrip('/')}/{name}:{row.version}"),
        reason=row.reason,
        hooks=row.hooks,
        app_version=row.app_version,
        kubernetes=row.kubernetes,
        gpu_driver=row.gpu_driver,
        engine=row.engine,
        pods=row.pods,
    )


@cache
def charts() -> Mapping[str, ChartEntry]:
    """All charts by name, in the order in which they are installed."""
    return {
        name: _entry(name, row, addon.namespace)
        for addon in descriptors().values()
        for name, row in addon.charts.items()
    }


def chart(name: str) -> ChartEntry:
    """The chart `name`.

    Raises:
        KeyError: no such chart; the message lists those there are.
    """
    entry = charts().get(name)
    if entry is None:
        raise KeyError(f"no chart {name!r} in the catalogue; there are {', '.join(charts())}")
    return entry


def charts_of(addon: Addon) -> tuple[ChartEntry, ...]:
    """The charts that make up `addon`; empty for an addon made of plain objects."""
    return tuple(chart(name) for name in descriptor(addon).charts)
