"""Where model files lie."""

from corral.components.model_storage.args import ModelStorageArgs
from corral.components.model_storage.component import ModelStorage

__all__ = ["ModelStorage", "ModelStorageArgs"]
