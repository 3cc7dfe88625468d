"""Key `scaling` of a model: what its replicas follow, and how long they stay."""

from corral.stacks.config.stack_config import ModelSection
from corral.stacks.planning.results.models import ColdStart, ScalingPlan, TriggerPlan

LEAST_COOLDOWN = 300
"""Seconds; KEDA's own default, and that of a HorizontalPodAutoscaler's stabilisation."""
STARTS = 2
"""Cold starts that a replica stays for: one that ends sooner costs more starts than it saves."""


def scaling_plan(section: ModelSection, start: ColdStart) -> ScalingPlan | None:
    """What the replicas of `section` follow; `start`: of one replica. None: its number is fixed."""
    scaling = section.scaling
    if scaling is None:
        return None
    stated = scaling.concurrency or scaling.request_rate
    return ScalingPlan(
        concurrency=scaling.concurrency if stated else section.max_num_seqs,
        request_rate=scaling.request_rate,
        cooldown=scaling.cooldown or max(LEAST_COOLDOWN, STARTS * start.seconds),
        triggers=tuple(TriggerPlan(one.metric, one.threshold) for one in scaling.triggers),
    )
