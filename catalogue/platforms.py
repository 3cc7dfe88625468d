"""Platforms of GPU nodes: who brings driver, toolkit, device plugin and MIG manager, and where they lie."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.vocabulary import DriverSource, Platform


class PlatformEntry(Entry):
    """What brings the GPU software onto the nodes of one platform."""

    driver: DriverSource
    toolkit: DriverSource
    device_plugin: DriverSource
    mig_manager: DriverSource
    driver_root: str
    """Where the driver's files lie on a node."""
    install_dir: str | None = None
    """Where driver and toolkit must lie; None: where the operator puts them by itself."""
    toolkit_env: dict[str, str] = {}
    node_labels: dict[str, str] = {}
    """What nodes must carry from the start."""
    by_hand: str | None = None
    """What else is due on the nodes, and nothing of ours does."""
    critical_quota: bool = False
    """Pods of the system's priority classes are admitted only where a quota names them."""
    reboot: bool = False
    """The MIG manager must reboot a node to switch MIG."""
    kernel: str | None = None
    """Flavour of the nodes' kernel; None: the operator brings no driver there."""
    sources: tuple[str, ...]
    """Keys of the sources."""

    @property
    def own_devices(self) -> bool:
        """Whether the node image hands its GPUs out itself, as its own settings say."""
        return self.device_plugin is DriverSource.NODE_IMAGE


class _Precompiled(Entry):
    kernels: tuple[str, ...]
    source: str


class _Platforms(Entry):
    sources: dict[str, Source]
    precompiled: _Precompiled
    platforms: dict[Platform, PlatformEntry]

    @model_validator(mode="after")
    def _is_whole(self) -> "_Platforms":
        missing = [one.value for one in Platform if one not in self.platforms]
        if missing:
            raise ValueError(f"no row for {', '.join(missing)}")
        for name, entry in self.platforms.items():
            unknown = [one for one in entry.sources if one not in self.sources]
            if unknown or not entry.sources:
                raise ValueError(f"{name.value}: no source {', '.join(unknown) or 'at all'}")
            if (entry.kernel is None) != (entry.driver is DriverSource.NODE_IMAGE):
                raise ValueError(
                    f"{name.value}: a kernel is named exactly where the operator brings the driver"
                )
        return self


@cache
def _file() -> _Platforms:
    return read("platforms.yaml", _Platforms)


def platforms() -> Mapping[Platform, PlatformEntry]:
    """All platforms, in the order in which they are offered."""
    return _file().platforms


def platform(name: Platform) -> PlatformEntry:
    """The platform called `name`; every word has one."""
    return _file().platforms[name]


def sources(name: Platform) -> tuple[Source, ...]:
    """Where the row of `name` was read."""
    content = _file()
    return tuple(content.sources[one] for one in content.platforms[name].sources)


def precompiled_kernels() -> tuple[str, ...]:
    """Flavours of Ubuntu's kernel for which NVIDIA publishes compiled drivers."""
    return _file().precompiled.kernels
