"""The end of a model's roll-out, which KServe's status does not tell.

KServe copies the conditions of the predictor's Deployment into the InferenceService, and the generation that the
Deployment's controller has observed. After a change they are those of the old replica, until that
controller has scaled it down: `Ready`, with the generation that a client waits for.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import child, fingerprint

REVISION = "corral.dev/revision"
"""Annotation that KServe passes on to the pods: another one is another roll-out."""
UNSEEN_BY_PODS = ("minReplicas", "maxReplicas", "deploymentStrategy")
COUNTS = ("replicas", "updatedReplicas", "readyReplicas")
"""Of a Deployment's status; each must be the number that its `spec` has."""


def revision(spec: Mapping[str, Any], labels: Mapping[str, Any]) -> pulumi.Output[str]:
    """What differs when the pods of an InferenceService with this `spec` and these labels do."""
    predictor = {key: value for key, value in spec["predictor"].items() if key not in UNSEEN_BY_PODS}
    return pulumi.Output.from_input([predictor, dict(labels)]).apply(fingerprint)


def rolled_out(
    parent: pulumi.Resource,
    logical: str,
    served: pulumi.Resource,
    *,
    name: str,
    namespace: pulumi.Input[str],
    spec: Mapping[str, Any],
    revision: pulumi.Input[str],
    timeout: str,
) -> kubernetes.apps.v1.DeploymentPatch:
    """What awaits that all replicas of the Deployment `name` of `served` are of `revision` and ready.

    A change of `spec` that makes no new pods, such as another number of replicas, is awaited as well.
    """
    return kubernetes.apps.v1.DeploymentPatch(
        logical,
        metadata=cast(
            Any,
            {
                "name": name,
                "namespace": namespace,
                "annotations": {
                    "corral.dev/served": pulumi.Output.from_input(dict(spec)).apply(fingerprint),
                    # KServe has passed on what the InferenceService waits for.
                    "pulumi.com/patchForce": "true",
                    "pulumi.com/waitFor": pulumi.Output.from_input(revision).apply(_awaited),
                },
            },
        ),
        opts=child(
            parent,
            depends_on=[served],
            custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
        ),
    )


def _awaited(revision: str) -> str:
    """Beside these the provider awaits that the Deployment's own generation is observed."""
    made = f"jsonpath={{.spec.template.metadata.annotations['{REVISION}']}}={revision}"
    return json.dumps([made, *(f"jsonpath={{$[?@.{count} == $.spec.replicas]}}" for count in COUNTS)])
