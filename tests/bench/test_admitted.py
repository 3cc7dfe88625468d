"""What a live cluster refuses: whose refusal counts, and where a peer's policies hold."""

from pathlib import Path

import pytest
import yaml
from bench import admitted
from bench.admitted import OWN, PEER, errors

SAID = [
    ("good", False, ""),
    ("bad", True, 'pods "tried" is forbidden: violates PodSecurity "baseline:latest"'),
    ("missed", True, ""),
    ("wrong", False, 'pods "tried" is forbidden: violates PodSecurity "baseline:latest"'),
]


def test_errors_are_violations_that_pass_and_good_pods_that_are_refused():
    assert errors(OWN, SAID) == (["missed"], ["wrong"])


def test_a_refusal_by_something_else_is_no_verdict():
    with pytest.raises(RuntimeError, match="bad in namespaces of peer: pods"):
        errors(PEER, SAID)


def test_a_peer_s_policies_deny_in_the_namespaces_of_their_level_alone():
    rules = [{"apiGroups": [""], "resources": ["pods"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validationActions": ["Audit"], "validations": []}
    policy = {"kind": "ValidatingPolicy", "metadata": {"name": "p", "annotations": {"a": "b"}}, "spec": spec}
    made = admitted.held(policy, ["peer-restricted"])
    assert made["metadata"] == {"name": "peer-p-1"}
    assert made["spec"]["validationActions"] == ["Deny"]
    assert made["spec"]["matchConstraints"]["resourceRules"] == rules
    (chosen,) = made["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    assert chosen["values"] == ["peer-restricted"]
    assert yaml.safe_load(yaml.safe_dump(policy)) == policy, "the checkout's own is left alone"


def test_what_is_absent_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("KYVERNO_POLICIES", str(tmp_path))
    assert not [*admitted.admitted()]
    assert "KYVERNO_POLICIES names no checkout" in capsys.readouterr().err
