"""Every type of resource that Corral's components of AWS make."""

from collections.abc import Mapping

from tests.providers.aws import cluster, fabric, identity, network, security_groups, storage, templates
from tests.providers.aws.kinds import Kind

KINDS: Mapping[str, Kind] = {
    **network.KINDS,
    **security_groups.KINDS,
    **fabric.KINDS,
    **templates.KINDS,
    **identity.KINDS,
    **storage.KINDS,
    **cluster.KINDS,
}
"""What makes it, by its type."""
