"""What a run of the pack puts on the program's ConfigMap, under CrossGuard's own servicer."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from corral.controls.control import Control
from corral.controls.exceptions import ControlException
from corral.controls.profiles import PROFILES, Profile
from corral.controls.register import CONTROLS
from corral.controls.stamp import CONFIG_MAP, LABEL, STAMPED, parse_stamp, rule_digest, unstamped
from corral.policy.configured import configured
from corral.policy.pack import concerns, policies
from corral.policy.stamp import STAMP, Ledger

DAY = date(2026, 11, 27)
POD = "kubernetes:core/v1:Pod"
LABELLED = {"metadata": {"name": "policy", "labels": {LABEL: STAMPED}}, "data": unstamped()}


class Run:
    """One run of the pack over resources of a program."""

    def __init__(self, constraints: Profile):
        ledger = Ledger()
        made = policies(constraints, DAY, ledger)
        servicer = configured(lambda _config: made, concerns, ledger)
        self._servicer: Any = servicer("corral", "0.1.0", made, EnforcementLevel.MANDATORY)

    def configure(self, **levels: int) -> None:
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, level in levels.items():
            request.policyConfig[name.replace("_", "-")].enforcementLevel = level
        self._servicer.Configure(request, None)

    def pod(self, image: str, name: str = "x") -> None:
        props = {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": image}]}}
        self._servicer.Analyze(request(POD, name, props, analyzer_pb2.AnalyzeRequest), None)

    def stamped(self, props: dict[str, Any] = LABELLED) -> dict[str, Any] | None:
        asked = request(CONFIG_MAP, "evidence", props, analyzer_pb2.AnalyzeRequest)
        found = self._servicer.Remediate(asked, None).remediations
        return json_format.MessageToDict(found[0].properties)["data"] if found else None


def request(token: str, name: str, props: dict[str, Any], kind: Any) -> Any:
    content = struct_pb2.Struct()
    content.update(props)
    return kind(type=token, name=name, urn=f"urn:pulumi:s::p::{token}::{name}", properties=content)


def verdict(run: Run) -> str:
    stamp = parse_stamp(run.stamped() or {})
    assert stamp is not None
    return stamp.verdict


def test_a_run_without_violations_stamps_pack_profile_rules_and_passed():
    stamp = parse_stamp(Run(PROFILES["eu-resident"]).stamped() or {})
    assert stamp is not None
    assert (stamp.pack, stamp.profile, stamp.verdict) == ("corral-sovereignty", "eu-resident", "passed")
    assert stamp.rules.startswith("sha256:") and stamp.loosened == ()


def test_a_configmap_without_the_label_is_left_as_it_is():
    assert Run(PROFILES["open"]).stamped({"metadata": {"name": "policy"}, "data": {"a": "b"}}) is None


def test_what_no_pack_stamped_is_no_stamp():
    assert parse_stamp(unstamped()) is None
    assert parse_stamp({"policy": "corral-sovereignty 0.1.0", "verdict": "passed"}) is None


def test_a_violation_that_stops_makes_the_verdict_violated():
    run = Run(PROFILES["eu-resident"])
    run.pod("evil.example/x:1")
    assert verdict(run) == "violated"


def test_what_is_only_reported_is_counted_by_control_and_a_resource_evaluated_anew_counts_once():
    run = Run(replace(PROFILES["open"], registry="evil.example"))
    for _ in range(2):
        run.pod("evil.example/x:1")
    stamp = parse_stamp(run.stamped() or {})
    assert stamp is not None and stamp.verdict == "passed"
    assert stamp.reported["SOV-SUP-02"] == 1


def test_an_excepted_violation_is_counted_as_excepted():
    excepted = ControlException("SOV-SUP-01", "no mirror before then", "jane", DAY + timedelta(days=9))
    run = Run(replace(PROFILES["open"], exceptions=(excepted,)))
    run.pod("evil.example/x@sha256:" + "a" * 64)
    stamp = parse_stamp(run.stamped() or {})
    assert stamp is not None and stamp.excepted == {"SOV-SUP-01": 1}


def test_a_policy_that_the_run_switches_off_is_named_and_the_verdict_is_loosened():
    run = Run(PROFILES["eu-resident"])
    run.configure(sov_sup_02=analyzer_pb2.DISABLED)
    stamp = parse_stamp(run.stamped() or {})
    assert stamp is not None and (stamp.verdict, stamp.loosened) == ("loosened", ("sov-sup-02",))


def test_a_run_that_keeps_the_stamp_from_being_put_leaves_it_not_run():
    run = Run(PROFILES["eu-resident"])
    run.configure(**{STAMP.replace("-", "_"): analyzer_pb2.ADVISORY})
    assert run.stamped() is None


def test_every_control_has_a_rule_version_of_its_own():
    assert len({rule_digest(one) for one in _all()}) == len(CONTROLS)


def _all() -> tuple[Control, ...]:
    return CONTROLS
