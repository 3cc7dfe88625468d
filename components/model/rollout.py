"""The end of a model's roll-out, which KServe's status does not tell.

KServe copies the conditions of the predictor's Deployment into the InferenceService, with the observed
generation. After a change they are those of the old replica, until the Deployment's controller has
scaled it down: `Ready`, with the generation that a client waits for.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import FORCED, child, fingerprint

REVISION = "corral.dev/revision"
UNSEEN_BY_PODS = ("minReplicas", "deploymentStrategy")
COUNTS = ("replicas", "updatedReplicas", "readyReplicas")
"""Of a Deployment's status; each must be the number that its `spec` has."""

Annotations = Mapping[str, pulumi.Input[str]]


def revision_annotations(
    spec: Mapping[str, Any], labels: Mapping[str, Any], *, to_none: bool = False
) -> Annotations:
    """Annotations of Deployment and pods that name what the pods of an InferenceService are made of.

    `to_none`: whether it may have no replica, whose readiness then nobody awaits.

    They are for `spec.predictor.annotations`: KServe would remove from the Deployment what only others write.
    """
    predictor = {key: value for key, value in spec["predictor"].items() if key not in UNSEEN_BY_PODS}
    revision = pulumi.Output.from_input([predictor, dict(labels)]).apply(fingerprint)
    return {
        REVISION: revision,
        "pulumi.com/waitFor": revision.apply(_made if to_none else _awaited),
        # KServe may have written those of an earlier revision, or write these meanwhile.
        **FORCED,
    }


def rolled_out(
    parent: pulumi.Resource,
    logical: str,
    served: pulumi.Resource,
    *,
    name: str,
    namespace: pulumi.Input[str],
    annotations: Annotations,
    timeout: str,
) -> kubernetes.apps.v1.DeploymentPatch:
    """What awaits that all replicas of Deployment `name` of `served` are ready and have the annotations."""
    return kubernetes.apps.v1.DeploymentPatch(
        logical,
        metadata=cast(Any, {"name": name, "namespace": namespace, "annotations": dict(annotations)}),
        opts=child(
            parent,
            depends_on=[served],
            custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
        ),
    )


def _awaited(revision: str) -> str:
    """Beside these the provider awaits that the Deployment's own generation is observed."""
    return json.dumps(
        [_revised(revision), *(f"jsonpath={{$[?@.{count} == $.spec.replicas]}}" for count in COUNTS)]
    )


def _made(revision: str) -> str:
    return json.dumps([_revised(revision)])


def _revised(revision: str) -> str:
    return f"jsonpath={{.spec.template.metadata.annotations['{REVISION}']}}={revision}"
