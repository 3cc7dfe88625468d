"""Section `observability`: a control plane that can be scraped."""

from collections.abc import Iterator

from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_observability(config: StackConfig) -> Iterator[Problem]:
    """A control plane that the cluster does not show."""
    section, cluster = config.observability, config.cluster
    if section is not None and section.control_plane and not cluster.capabilities.control_plane_scrapable:
        yield Problem(
            "observability.control-plane",
            "true",
            f"the control plane of cluster kind {cluster.kind.value} cannot be scraped: use false",
        )
