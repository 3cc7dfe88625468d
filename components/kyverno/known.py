"""Kyverno, started anew for types that came after it."""

from collections.abc import Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import child

DEPLOYMENT = "kyverno-admission-controller"
KNOWN = "corral.dev/known-types"


def started_anew(
    parent: pulumi.Resource,
    logical: str,
    namespace: pulumi.Input[str],
    types: str,
    depends_on: Sequence[pulumi.Resource],
    key: str = KNOWN,
) -> pulumi.Resource:
    """What awaits that Kyverno knows `types`, a resource definition's name, which `depends_on` brings.

    Until then it refuses objects of them: it looks for new types every 15 minutes (`--resyncPeriod`). `key`:
    the annotation that names them, another for each caller.
    """
    return kubernetes.apps.v1.DeploymentPatch(
        logical,
        metadata={"name": DEPLOYMENT, "namespace": namespace},
        spec=cast(Any, {"template": {"metadata": {"annotations": {key: types}}}}),
        opts=child(parent, depends_on=list(depends_on)),
    )
