"""Containers of clouds stand for pods, whatever form a service has them in."""

import json
from typing import Any

import pytest

from corral.controls.control import UNKNOWN, ObjectRule, Undecided
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS, control
from corral.controls.tasks import CLOUD, TASKS, tasks

ECS = "aws:ecs/taskDefinition:TaskDefinition"


def containers(token: str, **props: Any) -> list[dict[str, Any]]:
    return [dict(one) for pod in tasks(token, props) for one in pod["spec"]["containers"]]


def test_a_document_within_text_is_read() -> None:
    text = '[{"name": "v", "image": "e/x", "entryPoint": ["sh"], "command": ["-c", "x"]}]'
    assert containers(ECS, containerDefinitions=text) == [
        {"name": "v", "image": "e/x", "command": ["sh"], "args": ["-c", "x"], "env": []}
    ]


def test_variables_of_a_mapping_are_those_of_a_container() -> None:
    (made,) = containers("aws:lambda/function:Function", environment={"variables": {"A": "b"}})
    assert made["env"] == [{"name": "A", "value": "b"}]


def test_addresses_of_a_model_s_data_are_its_sources() -> None:
    source = {"s3DataSource": {"s3Uri": "s3://b/c"}}
    one = {"image": "e/x", "modelDataUrl": "s3://a/m", "modelDataSource": source}
    (made,) = containers("aws:sagemaker/model:Model", primaryContainer=one)
    assert [each["value"] for each in made["env"]] == ["s3://a/m", "s3://b/c"]


@pytest.mark.parametrize("token", sorted(TASKS))
def test_a_resource_of_which_nothing_is_said_runs_nothing_that_is_stopped(token: str) -> None:
    for pod in tasks(token, {}):
        for one in CONTROLS:
            if isinstance(one.rule, ObjectRule):
                assert evaluate_object(one, pod, PROFILES["eu-resident"]) == []


@pytest.mark.parametrize(
    ("token", "props"),
    (
        (ECS, {"containerDefinitions": UNKNOWN}),
        ("aws:lambda/function:Function", {"environment": UNKNOWN}),
        ("aws:sagemaker/model:Model", {"primaryContainer": {"image": "e/x", "modelDataUrl": UNKNOWN}}),
        ("gcp:cloudrunv2/service:Service", {"template": UNKNOWN}),
    ),
)
def test_what_is_not_known_yet_is_undecided(token: str, props: dict[str, Any]) -> None:
    (pod,) = tasks(token, props)
    with pytest.raises(Undecided):
        evaluate_object(control("SOV-MOD-01"), pod, PROFILES["eu-resident"])


def test_what_a_document_has_in_another_form_stops_no_run() -> None:
    odd = {"name": "v", "image": "e/x", "command": "serve org/model", "environment": ["A=b", 5]}
    for text in ("[5]", "{}", "no document", json.dumps([odd])):
        for pod in tasks(ECS, {"containerDefinitions": text}):
            found = evaluate_object(control("SOV-MOD-02"), pod, PROFILES["eu-resident"])
            assert bool(found) is ("serve" in text)


def test_what_kubernetes_demands_of_pods_does_not_bind_them() -> None:
    spec = {"hostNetwork": True, "containers": [{"name": "c", "image": "docker.io/a/b"}]}
    pod = {"apiVersion": CLOUD, "kind": "Pod", "metadata": {}, "spec": spec}
    assert not evaluate_object(control("SOV-POD-01"), pod, PROFILES["eu-resident"])
    assert evaluate_object(control("SOV-POD-01"), {**pod, "apiVersion": "v1"}, PROFILES["eu-resident"])


def test_another_resource_runs_none() -> None:
    assert not [*tasks("aws:s3/bucket:Bucket", {"containerDefinitions": "[{}]"})]
