"""A bucket of Cloud Storage for models, which pods of a GKE cluster use without keys."""

from corral.components.gke_model_bucket.args import GkeModelBucketArgs
from corral.components.gke_model_bucket.component import GkeModelBucket

__all__ = ["GkeModelBucket", "GkeModelBucketArgs"]
