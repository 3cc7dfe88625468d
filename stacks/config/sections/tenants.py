"""Who shares the GPUs, and how: `tenants`, `fair-sharing`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.vocabulary import DataClass
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import Devices, Minutes, Name, Positive, SpaceName


class TenantSection(Section):
    """A group of users with a namespace of its own."""

    name: Name
    """Name of the tenant."""
    namespace: Name | None = None
    """Its namespace; the tenant's name when absent."""
    data_class: DataClass | None = None
    """How far its data may travel; models of different classes never share a GPU by time."""
    gpus: dict[str, Devices] | None = None
    """GPUs that are its own, by pool: `{POOL: N}` whole ones or shares, `{POOL: {PROFILE: N}}` slices; what
    its models need at most when absent."""
    callers: tuple[SpaceName, ...] = ()
    """Further namespaces of the cluster whose pods may call its models, without the gateway and its keys."""
    weight: Positive | None = None
    """How much of what nobody claims it may have beside the others, 1 when absent; needs `fair-sharing`."""


class FairSharing(Section):
    """How tenants share GPUs: each keeps what is its own, and lends what it does not use."""

    borrowing: Annotated[bool, Field(strict=True)] = True
    """Whether a tenant may use what others leave idle, until they want it back."""
    ready_within: Minutes = 60
    """Minutes in which all pods of a workload must be ready; else it gives its GPUs back and waits again."""
