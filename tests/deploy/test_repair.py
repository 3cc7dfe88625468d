"""What `up` writes back after it was changed by hand: the stack's own objects, and nothing of others."""

from collections.abc import Collection

import pytest
from tests.deploy.test_platform import dev, plane  # noqa: F401

FORCED = "pulumi.com/patchForce"
LEFT = {"Job", "PersistentVolumeClaim", "Release"}


def kinds(graph, *, forced: bool) -> Collection[str]:
    """Kinds of the Kubernetes objects that the stack makes or patches, by whether they are written back."""
    objects = [one for one in graph if one.type.startswith("kubernetes:") and not one.read]
    return {
        one.kind
        for one in objects
        if (FORCED in (one.inputs.get("metadata", {}).get("annotations") or {})) is forced
    }


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "NetworkPolicy", "ConfigMap", "Secret", "Service", "Namespace"]
)
def test_the_fields_that_a_stack_states_prevail_over_what_was_changed_by_hand(dev, kind):  # noqa: F811
    assert kind in kinds(dev, forced=True) - kinds(dev, forced=False)


def test_everything_is_written_back_but_what_others_rightly_change(dev):  # noqa: F811
    left = {kind for kind in kinds(dev, forced=False) if not kind.endswith("Patch")}
    assert left == LEFT


def test_a_patch_of_a_deployment_that_helm_or_kserve_made_takes_nothing_back_by_itself(dev):  # noqa: F811
    patches = {one.name: one.inputs["metadata"] for one in dev.of("DeploymentPatch")}
    forced = {name for name, metadata in patches.items() if FORCED in metadata.get("annotations", {})}
    assert forced == {f"{one.name.removesuffix('-service')}-rollout" for one in dev.of("InferenceService")}


def test_annotations_that_are_known_later_are_kept_beside(dev):  # noqa: F811
    annotations = dev.one("Secret", "smollm2-store").inputs["metadata"]["annotations"]
    assert annotations[FORCED] == "true"
    assert "serving.kserve.io/s3-endpoint" in annotations


def test_objects_of_others_that_are_only_read_are_asked_for_as_they_are(dev):  # noqa: F811
    nodes = [one for one in dev.of("Node") if one.read]
    assert nodes
    assert all("metadata" not in one.inputs for one in nodes)
