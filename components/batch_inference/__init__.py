"""Files of requests that models answer on a schedule."""

from corral.components.batch_inference.component import Batch, BatchInference, BatchInferenceArgs

__all__ = ["Batch", "BatchInference", "BatchInferenceArgs"]
