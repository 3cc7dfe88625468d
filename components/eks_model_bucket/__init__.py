"""A bucket of S3 for models, which pods of an EKS cluster use without keys."""

from corral.components.eks_model_bucket.args import EksModelBucketArgs
from corral.components.eks_model_bucket.component import EksModelBucket

__all__ = ["EksModelBucket", "EksModelBucketArgs"]
