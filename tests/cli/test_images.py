"""`corral images` against what the program deploys."""

from pathlib import Path

import pytest
from tests.components.harness import build
from tests.components.test_deployed_images import deployed
from tests.deploy.test_platform import SECRETS, content
from tests.marks import further

from corral.catalogue.images import image
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.vocabulary import Engine
from corral.cli.images import references
from corral.cli.main import main
from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.defaults import model_requests, namespaces
from corral.stacks.planning.planner import plan

TOOLS = f"registry.example.eu/ours/tools:1@sha256:{'c' * 64}"


def stack(**sections) -> dict:
    return {**content(), "cluster": {"kind": "existing"}, **sections}


def engines(config) -> set[Engine]:
    return {
        one.engine
        for one in model_requests(config.served_models, config.known_models, namespaces(config.tenants))
    }


@pytest.mark.parametrize(
    "sections",
    [
        {},
        further({"vector-db": {"engine": "qdrant"}}),
        further({"images": {"tools": TOOLS}}),
        further({"model-storage": {"kind": "existing", "endpoint": "https://s3.example.eu"}}),
    ],
    ids=["pgvector", "qdrant", "tools of one's own", "existing store"],
)
def test_every_image_that_the_program_deploys_is_printed(sections):
    config = parse(stack(**sections))
    graph = build(lambda: Platform(plan(config, "other")), secret_config=SECRETS, stack="other")
    made = {one for each in deployed(graph).values() for one in each}
    # A runtime is there for each engine, and its image where a model is served by it.
    idle = {image(RUNTIMES[one].image).reference() for one in set(Engine) - engines(config)}
    assert made - idle <= set(references(config)), "an image that no mirror would get"
    assert any("tools" in one for one in made)


def test_tools_of_one_s_own_take_the_place_of_the_catalogue_s_everywhere():
    config = parse(stack(images={"tools": TOOLS}))
    graph = build(lambda: Platform(plan(config, "other")), secret_config=SECRETS, stack="other")
    tools = {image for each in deployed(graph).values() for image in each if "tools" in image}
    assert tools == {TOOLS}
    assert TOOLS in references(config) and not any("localhost" in one for one in references(config))


def test_a_chart_that_is_installed_is_printed_too():
    config = parse(stack())
    graph = build(lambda: Platform(plan(config, "other")), secret_config=SECRETS, stack="other")
    installed = {r.inputs["name"] for r in graph if r.kind in ("Chart", "Release")}
    printed = {one.rpartition("/")[2].rpartition(":")[0] for one in references(config)}
    assert installed and installed <= printed


def test_the_mirror_form_has_source_and_target_on_each_line(capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    assert main(["images", "-s", "dev", "--mirror", "registry.example.eu/mirror"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines and all(len(line.split()) == 2 for line in lines)
    assert any(
        line.startswith("docker.io/chrislusf/seaweedfs:")
        and " registry.example.eu/mirror/chrislusf/seaweedfs:" in line
        for line in lines
    )


def test_an_image_that_is_none_is_one_line():
    from tests.stacks.stack_files import problems

    (line,) = problems(images={"tools": "https://registry.example.eu/tools"})
    assert line.startswith("images.tools: https://registry.example.eu/tools: use host[:port]/path:tag")
