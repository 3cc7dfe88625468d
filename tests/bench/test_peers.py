"""The pack beside other policies: who denies what of the same objects."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench import peers
from bench.peers import Subject

CLOSED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}


def subject(kind: str, good: bool, **spec: Any) -> Subject:
    context = {**CLOSED, "seccompProfile": {"type": "RuntimeDefault"}} if good else {}
    pod = {"containers": [{"name": "c", "image": "e/x", "securityContext": context}], **spec}
    held = pod if kind == "Pod" else {"template": {"spec": pod}}
    api_version = "v1" if kind == "Pod" else "apps/v1"
    metadata = {"name": "tried", "namespace": peers.NAMESPACE}
    return Subject({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": held}, good)


TRIED = [subject("Pod", True), subject("Deployment", False), subject("Pod", False, hostNetwork=True)]


def test_the_pack_denies_by_the_level_of_the_namespace():
    assert peers.of_pack("restricted", TRIED) == {1, 2}
    assert peers.of_pack("baseline", TRIED) == {2}


def test_the_pack_denies_by_the_version_whose_standards_these_are():
    unmasked = {"containers": [{"name": "c", "image": "e/x", "securityContext": {"procMount": "Unmasked"}}]}
    tried = [
        replace(subject("Pod", True, hostUsers=False, **unmasked), kubernetes=version)
        for version in ("1.34", "1.35", "")
    ]
    assert peers.of_pack("baseline", tried) == {0, 2}


def test_errors_are_what_passes_and_should_not_and_the_other_way_round():
    assert peers.errors({1, 2}, TRIED) == (0, 0)
    assert peers.errors({0, 1}, TRIED) == (1, 1)


def test_checkov_is_asked_for_checks_of_the_level_and_denies_what_fails_one(tmp_path: Path):
    program = tmp_path / "checkov"
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv))\n"
        "files = pathlib.Path(sys.argv[sys.argv.index('-d') + 1]).glob('*.yaml')\n"
        "bad = [{'file_path': f'/x/{one.name}'} for one in files if 'hostNetwork: true' in one.read_text()]\n"
        "print(json.dumps({'results': {'failed_checks': bad}}))\n"
    )
    program.chmod(0o755)
    assert peers.of_checkov(str(program), "restricted", TRIED) == {2}
    asked = (tmp_path / "asked").read_text()
    assert "CKV_K8S_19" in asked and "CKV_K8S_20" in asked


def test_a_program_that_fails_is_no_verdict(tmp_path: Path):
    program = tmp_path / "checkov"
    program.write_text(f"#!{sys.executable}\nraise SystemExit('no module')\n")
    program.chmod(0o755)
    with pytest.raises(RuntimeError, match="no module"):
        peers.of_checkov(str(program), "baseline", TRIED)


def policies(folder: Path, level: str, expression: str) -> None:
    own = folder / "pod-security-vpol" / level / "one"
    own.mkdir(parents=True)
    spec = {
        "variables": [{"name": "all", "expression": "object.spec.containers"}],
        "validations": [{"expression": expression}],
    }
    (own / "one.yaml").write_text(yaml.safe_dump({"kind": "ValidatingPolicy", "spec": spec}))
    (own / "other.yaml").write_text(yaml.safe_dump({"kind": "Kustomization"}))


def test_a_set_of_kyverno_holds_templates_too_and_the_stricter_level_has_both(tmp_path: Path):
    policies(tmp_path, "baseline", "!has(object.spec.hostNetwork)")
    policies(tmp_path, "restricted", "variables.all.all(c, has(c.securityContext.runAsNonRoot))")
    assert peers.of_kyverno(tmp_path, "baseline", TRIED) == {2}
    assert peers.of_kyverno(tmp_path, "restricted", TRIED) == {1, 2}


def test_a_rule_that_cannot_run_denies(tmp_path: Path):
    policies(tmp_path, "baseline", "object.spec.containers.orValue([]).size() == 1")
    assert peers.of_kyverno(tmp_path, "baseline", TRIED) == {0, 1, 2}


def test_who_is_absent_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    def made(_level: str) -> list[Subject]:
        return TRIED

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KYVERNO_POLICIES", raising=False)
    monkeypatch.setattr(peers, "FIXTURES", tmp_path)
    monkeypatch.setattr(peers, "generated", made)
    found = {figure.name: (figure.value, figure.beside) for figure in peers.peers()}
    assert found["restricted, generated objects: violations missed of 2"] == (0, "")
    assert found["restricted, generated objects: good denied of 1"] == (0, "")
    said = capsys.readouterr().err
    assert "no checkov on PATH" in said and "KYVERNO_POLICIES" in said
    assert "Kubernetes' own objects at level baseline: none are here" in said


def test_generated_objects_are_good_and_bad_at_both_levels():
    for level in peers.LEVELS:
        tried = list(peers.generated(level))
        assert {one.good for one in tried} == {True, False}
        assert {"Pod", "Deployment", "CronJob"} <= {one.object["kind"] for one in tried}
        assert json.dumps([one.object for one in tried])
