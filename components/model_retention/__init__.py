"""What stays in the bucket of models besides what is served."""

from corral.components.model_retention.component import ModelRetention, ModelRetentionArgs

__all__ = ["ModelRetention", "ModelRetentionArgs"]
