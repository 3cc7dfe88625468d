"""What evidence says of a state: verdicts, where controls are enforced, what was not checked, the gate."""

from datetime import timedelta
from typing import Any

import pytest
from tests.reports.evidence.made import POLICY, control, evidence, export, resource, stamp
from tests.stacks.stack_files import parsed, planned, pool

from corral.controls.enforcement import demanded
from corral.controls.exceptions import today
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS
from corral.controls.verdicts import Evaluation, Finding, Outcome
from corral.controls.workspace import Workspace
from corral.stacks.planning.planner import plan as planned_of
from corral.stacks.reports.evidence.collect import collect
from corral.stacks.reports.evidence.facts import ControlVerdict
from corral.stacks.reports.evidence.frameworks import frameworks
from corral.stacks.reports.evidence.state import NoState, resources_of, workspace_of

IMAGES = "SOV-SUP-01"
ENCRYPTING = {
    **resource("gcp:container/cluster:Cluster", "c"),
    "outputs": {"inTransitEncryptionConfig": "IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT"},
}
URN = "urn:pulumi:s::p::kubernetes:core/v1:Pod::web"


def verdict(*outcomes: Outcome) -> ControlVerdict:
    findings = [Finding(IMAGES, URN, one) for one in outcomes]
    return control(evidence(stamp(), findings=findings, evaluated={IMAGES: [URN]}), IMAGES).verdict


def test_the_gate_holds_where_the_same_rules_passed_with_the_deployment():
    assert evidence(stamp()).failures == ()


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (None, "policy: not run"),
        (stamp(rules="sha256:00"), "other rules"),
        (stamp(profile="eu-resident"), "under profile eu-resident, not open"),
        (stamp(verdict="violated"), "verdict is violated"),
        (stamp(verdict="loosened", loosened=("sov-sup-01",)), "loosened, by sov-sup-01"),
    ],
    ids=["no pack", "rules", "profile", "violated", "loosened"],
)
def test_the_gate_fails_and_says_why(run, words):
    (failure,) = evidence(run).failures
    assert words in failure


SITE = {"profile": "eu-controlled", "region": {"country": "DE", "site": "fra-1"}}


@pytest.mark.parametrize(
    ("stated", "made", "verdict", "words"),
    [
        ({}, [], ControlVerdict.REPORTED, ""),
        ({"pod-encryption": "none"}, [], ControlVerdict.REPORTED, ""),
        ({"pod-encryption": "wireguard"}, [], ControlVerdict.HELD, "wireguard: declared in the stack file"),
        ({"pod-encryption": "cloud"}, [ENCRYPTING], ControlVerdict.HELD, "cloud: seen in the state"),
    ],
)
def test_encryption_between_pods_is_declared_or_seen_and_never_called_tried(stated, made, verdict, words):
    config = parsed(cluster={"kind": "existing", **stated}, sovereignty=SITE, models=[])
    whole = evidence(stamp(), *made, plan=planned_of(config, "s", pinned=False))
    found = control(whole, "SOV-NET-15")
    assert found.verdict is verdict and words in found.enforced[0]
    tried = [one for one in whole.not_checked if one.startswith("SOV-NET-15")]
    assert bool(tried) is bool(stated)


def test_nothing_deployed_fails_the_gate_and_checks_no_control():
    whole = collect(planned(), {}, {"deployment": {}}, Evaluation({}, ()), None, "2026-11-27T12:00:00+00:00")
    assert whole.failures == ("nothing is deployed: the state has no resources",)
    assert control(whole, IMAGES).verdict is ControlVerdict.NOT_CHECKED


def test_a_control_is_held_only_where_resources_were_evaluated():
    assert verdict() is ControlVerdict.HELD
    assert control(evidence(stamp()), IMAGES).verdict is ControlVerdict.NOT_APPLICABLE


def test_the_gravest_finding_is_the_verdict():
    assert verdict(Outcome.EXCEPTED, Outcome.VIOLATED, Outcome.UNDECIDED) is ControlVerdict.VIOLATED
    assert verdict(Outcome.REPORTED, Outcome.UNDECIDED) is ControlVerdict.UNDECIDED
    assert verdict(Outcome.EXCEPTED, Outcome.REPORTED) is ControlVerdict.REPORTED
    assert verdict(Outcome.EXCEPTED) is ControlVerdict.EXCEPTED


def test_a_violation_on_the_state_fails_the_gate_and_names_control_and_resource():
    whole = evidence(stamp(), findings=[Finding(IMAGES, URN, Outcome.VIOLATED)])
    assert whole.failures == (f"{IMAGES} is violated by 1 resources",)
    assert control(whole, IMAGES).violated == (URN,)


def test_a_violation_of_a_policy_that_is_of_no_control_fails_the_gate_too():
    whole = evidence(stamp(), findings=[Finding("providers-are-known", URN, Outcome.VIOLATED)])
    assert whole.failures == (f"providers-are-known: {URN}",)
    assert whole.other_findings == (f"providers-are-known: violated: {URN}",)


def test_what_is_undecided_is_listed_as_not_checked():
    whole = evidence(stamp(), findings=[Finding(IMAGES, URN, Outcome.UNDECIDED)])
    assert any(IMAGES in one for one in whole.not_checked)
    assert whole.failures == ()


def test_every_control_has_a_row_and_what_the_profile_does_not_demand_says_so():
    rows = {one.id: one for one in evidence(stamp()).controls}
    beside = {"SOV-OPS-01", "SOV-OPS-02", "SOV-SUP-08", "SOV-LCK-07", "SOV-NET-15"}
    assert {one.id for one in CONTROLS} | beside == set(rows)
    absent = {one.id for one in CONTROLS if not demanded(one, PROFILES["open"])}
    assert {key for key, one in rows.items() if one.verdict is ControlVerdict.NOT_DEMANDED} >= absent


def test_places_of_enforcement_come_from_stamp_and_state_and_not_from_intention():
    policy = resource(
        POLICY, "native", metadata={"name": "corral-images", "annotations": {"corral.dev/control": IMAGES}}
    )
    assert control(evidence(stamp(), policy), IMAGES).enforced == (
        "CrossGuard: corral-sovereignty 0.1.0",
        "native admission: ValidatingAdmissionPolicy corral-images",
    )
    assert control(evidence(None), IMAGES).enforced == ()
    loosened = stamp(verdict="loosened", loosened=("sov-sup-01",))
    assert control(evidence(loosened), IMAGES).enforced == ()


def test_the_planner_is_named_for_a_budget_only_where_one_is_set():
    budget = {"monthly": 90000, "currency": "EUR"}
    plan = planned(budget=budget, gpu_pools=[pool(price_per_hour=1)])
    assert "planner" in control(evidence(stamp(), plan=plan), "SOV-CST-01").enforced
    assert "planner" not in control(evidence(stamp()), "SOV-CST-01").enforced


def test_exceptions_are_listed_with_reason_approver_and_last_day():
    entry: dict[str, Any] = {"control": IMAGES, "reason": "no mirror before then", "approver": "jane"}
    entry["expires"] = str(today() + timedelta(days=20))
    plan = planned(sovereignty={"profile": "open", "region": "embedded", "exceptions": [entry]})
    (found,) = evidence(stamp(), plan=plan).exceptions
    assert (found.control, found.approver, str(found.expires)) == (IMAGES, "jane", entry["expires"])


def test_an_unresolved_digest_is_said_and_a_simulated_model_too():
    whole = evidence(stamp())
    assert {one.digest for one in whole.images} == {"unresolved"}
    assert sum("its digest is unresolved" in one for one in whole.not_checked) == len(
        [*whole.images, *whole.charts]
    )
    assert any("simulated" in one for one in whole.not_checked)


def test_a_model_has_its_files_with_hashes():
    (model,) = evidence(stamp()).models
    assert model.name == "smollm2" and all(len(one.sha256) == 64 for one in model.files) and model.files


@pytest.mark.parametrize(
    ("workspace", "state", "secrets"),
    [
        (Workspace("https://api.pulumi.com", "passphrase"), ControlVerdict.VIOLATED, ControlVerdict.VIOLATED),
        (Workspace(None, None), ControlVerdict.NOT_CHECKED, ControlVerdict.NOT_CHECKED),
        (None, ControlVerdict.NOT_APPLICABLE, ControlVerdict.NOT_APPLICABLE),
    ],
    ids=["hosted", "not stated", "kept by Corral"],
)
def test_state_and_secrets_of_the_workspace_are_controls_as_well(workspace, state, secrets):
    from corral.stacks.reports.evidence.collect import _workspace

    limits = PROFILES["eu-sovereign"]
    found = {one.id: one.verdict for one in _workspace(limits, workspace)}
    plugins = ControlVerdict.NOT_CHECKED if workspace else ControlVerdict.NOT_APPLICABLE
    assert found == {"SOV-OPS-01": state, "SOV-OPS-02": secrets, "SOV-SUP-08": plugins}


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ({"type": "passphrase", "state": {"salt": "v1:x"}}, Workspace("s3://state", "passphrase")),
        (
            {"type": "cloud", "state": {"url": "awskms://alias/x"}},
            Workspace("s3://state", "awskms://alias/x"),
        ),
        ({"type": "service", "state": {}}, Workspace("https://api.pulumi.com", None)),
        (None, Workspace("s3://state", None)),
    ],
    ids=["passphrase", "key service", "hosted", "not stated"],
)
def test_the_state_itself_says_what_encrypts_its_secrets(provider, expected):
    stated = {"deployment": {"secrets_providers": provider, "resources": []}}
    assert workspace_of(Workspace("s3://state", None), stated) == expected


def test_references_to_frameworks_name_the_controls_of_the_register():
    whole = frameworks(CONTROLS)
    assert {"EU Cloud Sovereignty Framework", "BSI C5", "DORA", "NIS2", "AI Act", "CIS EKS"} <= whole.keys()
    assert "SOV-RES-01" in whole["EU Cloud Sovereignty Framework"]["SOV-3"]
    known = {one.id for one in CONTROLS}
    assert {one for references in whole.values() for ids in references.values() for one in ids} <= known


@pytest.mark.parametrize("content", [None, [], {}, {"deployment": []}, {"deployment": {"resources": [{}]}}])
def test_what_is_no_exported_state_is_refused(content):
    with pytest.raises(NoState, match="pulumi stack export"):
        resources_of(content)


def test_an_exported_state_gives_its_resources():
    assert len(resources_of(export(None))) == 1
