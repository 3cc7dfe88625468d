"""What `up` writes back, whoever changed it by hand.

Pulumi applies on the server's side (`provider/pkg/await/await.go` of pulumi-kubernetes at 4.25.0 and 4.34.2):
where somebody else has changed a field that it states, the update fails with a conflict of field managers,
unless the object says that it is forced. Only stated fields are taken back; what others added stays.
"""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from corral.components._kit import FORCED

Annotations = Mapping[str, pulumi.Input[str]]

KUBERNETES = "kubernetes:"
PATCH = "Patch"
"""End of the kind by which Pulumi writes single fields of an object that is not its own."""
LEFT: Mapping[str, str] = {
    "Job": "Kueue suspends and places it",
    "PersistentVolumeClaim": "nothing makes a volume smaller that somebody enlarged",
    "Release": "Helm applies its objects",
}
"""Kinds that are not written back, with the reason: there a conflict is told."""


def written_back(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Transformation by which an object's stated fields prevail over what was changed by hand.

    It leaves objects of others, which are read or patched, and kinds of `LEFT`.
    """
    read = args.opts.id is not None
    if read or not args.type_.startswith(KUBERNETES) or not _owned(args.type_.rpartition(":")[2]):
        return None
    props = cast("Mapping[str, Any]", args.props)
    metadata = cast("Mapping[str, Any]", props["metadata"])
    known = cast("pulumi.Output[Annotations] | Annotations | None", metadata.get("annotations"))
    # What is known stays outside an output, which a preview may not know.
    annotations = known.apply(_forced) if isinstance(known, pulumi.Output) else _forced(known)
    forced = {**props, "metadata": {**metadata, "annotations": annotations}}
    return pulumi.ResourceTransformationResult(forced, args.opts)


def _forced(annotations: Annotations | None) -> Annotations:
    return {**(annotations or {}), **FORCED}


def _owned(kind: str) -> bool:
    return kind not in LEFT and not kind.endswith(PATCH)
