"""Section `observability`: what can be scraped, and who is told."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.results.addons import AddonStates


def check_observability(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """A control plane that the cluster does not show, and a receiver for somebody else's Alertmanager."""
    section, cluster = config.observability, config.cluster
    if section is not None and section.control_plane and not cluster.capabilities.control_plane_scrapable:
        yield Problem(
            "observability.control-plane",
            "true",
            f"the control plane of cluster kind {cluster.kind.value} cannot be scraped: use false",
        )
    if section is not None and section.alerts is not None:
        state = states[Addon.OBSERVABILITY]
        if state is not AddonState.MANAGED:
            reason = f"addon observability is {state.value}: name the receiver where it is managed"
            yield Problem("observability.alerts", section.alerts.value, reason)
