"""Images of the objects that the program itself deploys: mirrored and pinned as the stack file has it."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, content

from corral.catalogue import charts, images
from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every digest of the catalogue is resolved."""
    caches = (charts.charts, images.images)
    for module in (charts, images):
        monkeypatch.setattr(module, "digest", lambda _reference: DIGEST)
    for function in caches:
        function.cache_clear()
    yield
    monkeypatch.undo()
    for function in caches:
        function.cache_clear()


def platform(**sections: Any) -> Graph:
    """The graph of the committed dev stack on an existing cluster, with some sections replaced."""
    made = plan(parse({**content(), "cluster": {"kind": "existing"}, **sections}), "other")
    return build(lambda: Platform(made), secret_config=SECRETS, stack="other")


def images_of(value: object) -> Iterator[str]:
    """Images of containers anywhere in an object's inputs."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for inner in value.values():
            yield from images_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from images_of(inner)


def deployed(graph: Graph) -> dict[str, list[str]]:
    """Images by the resource that deploys them, without those of charts."""
    found = {r.name: list(images_of(r.inputs)) for r in graph if r.kind not in ("Chart", "Release")}
    return {name: images for name, images in found.items() if images}


@pytest.mark.usefixtures("resolved")
def test_deployed_images_carry_the_digests_and_the_mirror_of_the_stack():
    mirror = "registry.example.eu/mirror"
    found = deployed(
        platform(
            sovereignty={"profile": "open", "region": "embedded", "registry": mirror},
            **{"vector-db": {"engine": "pgvector"}},
        )
    )
    names = {image.removeprefix(f"{mirror}/").partition("@")[0] for each in found.values() for image in each}
    for needed in ("vllm", "corral", "seaweedfs", "pgvector"):
        assert any(needed in name for name in names), f"{needed} is not among {sorted(names)}"
    for name, each in found.items():
        for image in each:
            assert image.startswith(f"{mirror}/"), name
            assert image.endswith(f"@{DIGEST}"), name


WORKLOADS = {"CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"}


def pod_specs(value: object) -> Iterator[dict[str, Any]]:
    """Specs of pods anywhere in an object's inputs."""
    if isinstance(value, dict):
        if isinstance(value.get("containers"), list):
            yield value
        for inner in value.values():
            yield from pod_specs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pod_specs(inner)


def test_no_pod_that_the_program_deploys_takes_variables_of_the_services_beside_it():
    graph = platform(**{"vector-db": {"engine": "pgvector"}})
    found = {r.name: list(pod_specs(r.inputs)) for r in graph if r.kind in WORKLOADS}
    assert {"StatefulSet", "Job"} <= {r.kind for r in graph if found.get(r.name)}
    for name, specs in found.items():
        for spec in specs:
            assert spec.get("enableServiceLinks") is False, name
