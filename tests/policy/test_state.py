"""The pack over an exported state: the same rules by resource; what is encrypted decides nothing."""

import io
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

from corral.controls.exceptions import today
from corral.controls.verdicts import Evaluation, Outcome, parse_evaluation
from corral.policy.rendered import RELEASE
from corral.policy.state import ENCRYPTED, evaluation, main

SECRET = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "ciphertext": "djE6Y2FuYXJ5"}
POD, BUCKET = "kubernetes:core/v1:Pod", "aws:s3/bucket:Bucket"
CLUSTER = "urn:pulumi:s::p::pulumi:providers:kubernetes::cluster"
PINNED = "registry.example.eu/x@sha256:" + "a" * 64


def recorded(token: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    provider = {"provider": f"{CLUSTER}::0a"} if token.startswith("kubernetes:") else {}
    return {"urn": urn(token, name), "type": token, "custom": True, "inputs": inputs, **provider, **more}


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:s::p::{token}::{name}"


def pod(image: Any, name: str = "x", **more: Any) -> dict[str, Any]:
    inputs = {"metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": [{"image": image}]}}
    return recorded(POD, name, inputs, **more)


def evaluated(*resources: dict[str, Any], **sovereignty: Any) -> Evaluation:
    section = {"profile": "eu-resident", "registry": "registry.example.eu", **sovereignty}
    cluster = {"urn": CLUSTER, "type": "pulumi:providers:kubernetes", "custom": True, "inputs": {}}
    config = {"corral:platform": json.dumps({"sovereignty": section})}
    return evaluation(config, [cluster, *resources])


def found(whole: Evaluation, control: str) -> list[tuple[str, Outcome]]:
    return [(one.urn, one.outcome) for one in whole.findings if one.control == control]


def test_a_violation_is_told_for_its_resource_alone_and_both_were_evaluated():
    whole = evaluated(pod("evil.example/x:1", "bad"), pod(PINNED, "good"))
    assert found(whole, "SOV-SUP-01") == [(urn(POD, "bad"), Outcome.VIOLATED)]
    assert set(whole.evaluated["SOV-SUP-01"]) == {urn(POD, "bad"), urn(POD, "good")}


def test_an_object_without_what_a_rule_is_about_was_not_evaluated_by_it():
    data = recorded("kubernetes:core/v1:ConfigMap", "c", {"data": {"image": "evil.example/x:1"}})
    whole = evaluated(data, pod(PINNED))
    assert whole.evaluated["SOV-SUP-01"] == (urn(POD, "x"),)


def test_a_release_that_cannot_be_rendered_here_is_undecided_and_no_violation(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    whole = evaluated(recorded(RELEASE, "r", {"chart": "one-that-nobody-has"}))
    assert found(whole, "releases-can-be-judged") == [(urn(RELEASE, "r"), Outcome.UNDECIDED)]


def test_an_encrypted_value_is_undecided_and_appears_nowhere():
    whole = evaluated(pod(SECRET))
    assert found(whole, "SOV-SUP-01") == [(urn(POD, "x"), Outcome.UNDECIDED)]
    assert "djE6Y2FuYXJ5" not in json.dumps(whole.document)


HELM = """#!/bin/sh
read -r values
printf '%%s' "$values" > "${0%%/*}/values"
printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: web}\\nspec: {containers: [{name: c, image: "%s"}]}\\n'
"""


@pytest.mark.parametrize(("image", "outcomes"), [(PINNED, []), ("evil.example/x:1", [Outcome.UNDECIDED])])
def test_a_release_is_rendered_without_what_is_encrypted_and_a_finding_is_then_undecided(
    tmp_path, monkeypatch, image, outcomes
):
    helm = tmp_path / "helm"
    helm.write_text(HELM % image)
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    inputs = {"chart": f"chart-of-{len(outcomes)}", "values": {"key": SECRET, "size": 2}}
    whole = evaluated(recorded(RELEASE, "r", inputs))
    assert [outcome for _, outcome in found(whole, "SOV-SUP-01")] == outcomes
    assert found(whole, ENCRYPTED) == [(urn(RELEASE, "r"), Outcome.UNDECIDED)]
    assert json.loads((tmp_path / "values").read_text()) == {"key": "encrypted", "size": 2}


def test_what_is_only_read_or_waits_for_its_deletion_is_not_evaluated():
    whole = evaluated(
        pod("evil.example/x:1", "read", external=True), pod("evil.example/x:1", "old", delete=True)
    )
    assert found(whole, "SOV-SUP-01") == [] and whole.evaluated["SOV-SUP-01"] == ()


def test_an_exception_of_the_stack_makes_a_violation_excepted():
    entry = {"control": "SOV-SUP-01", "reason": "no mirror before release 4", "approver": "jane"}
    entry["expires"] = str(today() + timedelta(days=5))
    whole = evaluated(pod("evil.example/x@sha256:" + "a" * 64), exceptions=[entry])
    assert found(whole, "SOV-SUP-01") == [(urn(POD, "x"), Outcome.EXCEPTED)]


def test_ignored_changes_of_the_state_are_evaluated():
    whole = evaluated(pod(PINNED, ignoreChanges=["spec.containers[0].image"]))
    assert found(whole, "SOV-OPS-07") == [(urn(POD, "x"), Outcome.VIOLATED)]


def test_a_resource_that_a_value_comes_from_is_joined_by_the_dependencies_of_the_state():
    bucket = recorded(BUCKET, "models", {"bucket": "models"})
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    block = recorded(token, "closed", {"bucket": SECRET, **dict.fromkeys(names, True)})
    joined = {**block, "propertyDependencies": {"bucket": [urn(BUCKET, "models")]}}
    assert found(evaluated(bucket, block), "SOV-NET-13")
    assert found(evaluated(bucket, joined), "SOV-NET-13") == []


def test_the_answer_is_a_document_that_is_read_back(monkeypatch, capsys):
    question = {"config": {}, "deployment": {"deployment": {"resources": [pod("evil.example/x:1")]}}}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(question)))
    assert main() == 0
    answer = parse_evaluation(json.loads(capsys.readouterr().out))
    assert (urn(POD, "x"), Outcome.VIOLATED) in found(answer, "SOV-SUP-01")


def test_a_wrong_configuration_is_one_line_and_exit_code_2(monkeypatch, capsys):
    config = {"corral:platform": json.dumps({"sovereignty": {"profile": "eu"}})}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"config": config, "deployment": {}})))
    assert main() == 2
    assert "sovereignty profile 'eu': one of" in capsys.readouterr().err


@pytest.mark.parametrize("kind", list(Outcome))
def test_every_outcome_survives_the_document(kind: Outcome):
    whole = parse_evaluation(
        {"evaluated": {}, "findings": [{"control": "C", "urn": "u", "outcome": kind.value}]}
    )
    assert parse_evaluation(whole.document) == whole
