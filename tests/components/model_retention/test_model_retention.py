"""The Job that removes former imports: what it is told, as whom it runs, and when there is another."""

from typing import Any

import pytest
from tests.components.harness import Graph, build

from corral.components._args import ArgsError
from corral.components.model_retention import ModelRetention

STORE = {
    "endpoint": "http://store:8333",
    "port": 8333,
    "region": "embedded",
    "bucket": "models",
    "namespace": "model-storage",
    "writer_secret": "writer",
}
SERVED = {"embed": "embed-0a1b2c3d", "chat": "chat-1a2b3c4d"}


def made(store: Any = None, **more: Any) -> Graph:
    args: Any = {"served": SERVED, "store": store or STORE, "supply": {}, **more}
    return build(lambda: ModelRetention("retention", args))


def container(graph: Graph) -> dict[str, Any]:
    (one,) = graph.one("Job").inputs["spec"]["template"]["spec"]["containers"]
    return one


def test_the_tool_is_told_what_is_served_and_how_many_others_stay():
    assert container(made())["args"] == [
        *("prune", "--previous", "1", "--serve", "chat=chat-1a2b3c4d", "--serve", "embed=embed-0a1b2c3d"),
        *("--in", "s3://models"),
    ]
    assert container(made(previous=0))["args"][1:3] == ["--previous", "0"]


def test_it_runs_beside_the_store_as_who_writes_there():
    job = made().one("Job")
    assert job.namespace == "model-storage"
    keys = {one["name"]: one for one in container(made())["env"]}
    assert keys["AWS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "writer"
    keyless = {key: value for key, value in STORE.items() if key != "writer_secret"}
    graph = made({**keyless, "scheme": "gs", "writer_account": "model-writer"})
    assert container(graph)["args"][-1] == "gs://models"
    assert graph.one("Job").inputs["spec"]["template"]["spec"]["serviceAccountName"] == "model-writer"


def test_it_runs_once_for_what_is_served_and_again_when_that_changes():
    def name(**more: Any) -> str | None:
        return made(**more).one("Job").object_name

    assert name() == name(served=dict(reversed(SERVED.items())))
    assert len({name(), name(previous=2), name(served={**SERVED, "chat": "chat-ffffffff"})}) == 3


def test_a_count_below_none_and_no_model_are_refused():
    with pytest.raises(ArgsError, match="previous: -1 is not allowed; use 0 or more"):
        made(previous=-1)
    with pytest.raises(ArgsError, match=r"retention\.served: no model"):
        made(served={})
