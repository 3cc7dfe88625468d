"""Where model files lie."""

from corral.components.model_storage.component import ModelStorage, ModelStorageArgs

__all__ = ["ModelStorage", "ModelStorageArgs"]
