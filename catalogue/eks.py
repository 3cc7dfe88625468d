"""What every cluster on EKS gets: add-ons, and endpoints of AWS's services in its network."""

from collections.abc import Mapping
from functools import cache

from corral.catalogue._read import UNRESOLVED, Entry, Source, read


class EksAddon(Entry):
    """An add-on that AWS keeps."""

    version: str
    """A version of it, or `unresolved`."""
    before_nodes: bool = False
    """Whether nodes are not ready without it; what else there is needs nodes."""
    service_account: str | None = None
    """Account of its pods that acts in AWS; None: none does."""
    policy: str | None = None
    """AWS's policy with the rights of that account, by the end of its ARN."""
    configuration: Mapping[str, str] = {}
    """Settings that differ from the add-on's own."""

    @property
    def pin(self) -> str | None:
        """The version to install; None: AWS's default for the cluster's version."""
        return None if self.version == UNRESOLVED else self.version


class EksServices(Entry):
    """Add-ons and endpoints."""

    source: Source
    addons: dict[str, EksAddon]
    interface_endpoints: tuple[str, ...]
    """Services by the end of their names that have addresses in the network."""
    gateway_endpoints: tuple[str, ...]
    """Services that routes lead to."""


@cache
def eks_services() -> EksServices:
    """Add-ons by name, and endpoints."""
    return read("eks.yaml", EksServices)
