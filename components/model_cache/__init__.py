"""Files of models on the disks of nodes."""

from corral.components.model_cache.args import CachedPool, ModelCacheArgs
from corral.components.model_cache.component import ModelCache

__all__ = ["CachedPool", "ModelCache", "ModelCacheArgs"]
