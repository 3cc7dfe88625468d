"""What the cases of residency share."""

from typing import Any

from corral.controls.control import (
    Resource,
)


def bucket(**props: Any) -> Resource:
    return Resource("aws:s3/bucket:Bucket", "models", props)
