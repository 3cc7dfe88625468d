"""Groups of pods on several nodes."""

from corral.components.lws.component import LeaderWorkerSets, LeaderWorkerSetsArgs

__all__ = ["LeaderWorkerSets", "LeaderWorkerSetsArgs"]
