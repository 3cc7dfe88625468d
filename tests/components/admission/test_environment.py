"""Containers are kept from public hubs, and silent to vendors, where the profile stops what is neither."""

from datetime import timedelta
from typing import Any

import pytest
from tests.components.admission.guarded import patched
from tests.components.harness import build

from corral.components.admission import Admission
from corral.components.admission.environment import forced
from corral.controls.audit.aud_07 import ENGINES
from corral.controls.evaluate import evaluate_object
from corral.controls.exceptions import today
from corral.controls.models.mod_02 import OFFLINE
from corral.controls.profiles import profile
from corral.controls.register import control
from corral.controls.scope import Scope

LIMITS = profile("eu-resident", region="eu-central-1")
HUBS = forced(Scope(), OFFLINE)
TELEMETRY = forced(Scope(), ENGINES, literal=True)
ALL = dict.fromkeys(OFFLINE, "1")
SILENT = dict.fromkeys(ENGINES, "1")
BY_REFERENCE = {"configMapKeyRef": {"name": "settings", "key": "track"}}


def pod(*environments: Any, **more: Any) -> dict[str, Any]:
    """A pod with a container for each environment; None: a container without one."""
    several = [
        {"name": f"c{index}", "image": "a"} | ({} if one is None else {"env": one})
        for index, one in enumerate(environments)
    ]
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": several, **more}}


def told(container: dict[str, Any]) -> dict[str, Any]:
    """The environment of a container by name; each name is there once."""
    several = container["env"]
    assert len({one["name"] for one in several}) == len(several)
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in several}


def test_every_container_is_told_init_containers_and_sidecars_too() -> None:
    first = {"name": "fetch", "image": "b"}
    sidecar = {"name": "log", "image": "b", "restartPolicy": "Always", "env": [{"name": "A", "value": "b"}]}
    made = patched(HUBS, pod(None, [], initContainers=[first, sidecar]), replaces=True)["spec"]
    assert [told(one) for one in made["containers"]] == [ALL, ALL]
    assert [told(one) for one in made["initContainers"]] == [ALL, {"A": "b", **ALL}]


def test_what_a_container_says_stays_in_its_order_and_what_it_lacks_follows() -> None:
    said = [{"name": "HF_HUB_OFFLINE", "value": "true"}, {"name": "B", "value": "$(HF_HUB_OFFLINE)"}]
    made = patched(HUBS, pod(said), replaces=True)["spec"]["containers"][0]["env"]
    assert made[:2] == said and [one["name"] for one in made[2:]] == OFFLINE[1:]


def test_a_pod_that_says_all_of_it_is_not_changed_so_that_a_second_round_changes_nothing() -> None:
    for policy in (HUBS, TELEMETRY):
        once = patched(policy, pod(None), replaces=True)
        assert patched(policy, once) == once


def test_what_says_otherwise_is_left_for_its_control_to_refuse() -> None:
    for policy, name, identity in ((HUBS, OFFLINE[0], "SOV-MOD-02"), (TELEMETRY, ENGINES[0], "SOV-AUD-07")):
        subject = pod([{"name": name, "value": "0"}])
        assert evaluate_object(control(identity), subject, LIMITS)
        made = patched(policy, subject, replaces=True)
        assert told(made["spec"]["containers"][0])[name] == "0"
        assert evaluate_object(control(identity), made, LIMITS)


def test_a_hub_opened_by_a_reference_is_refused_and_not_hidden() -> None:
    subject = pod([{"name": OFFLINE[0], "valueFrom": BY_REFERENCE}])
    made = patched(HUBS, subject, replaces=True)
    assert told(made["spec"]["containers"][0])[OFFLINE[0]] == BY_REFERENCE
    assert evaluate_object(control("SOV-MOD-02"), made, LIMITS)


@pytest.mark.parametrize("said", [{"valueFrom": BY_REFERENCE}, {}])
def test_telemetry_that_a_reference_decides_is_off_all_the_same(said: dict[str, Any]) -> None:
    made = patched(TELEMETRY, pod([{"name": ENGINES[0], **said}, {"name": "A", **said}]), replaces=True)
    assert told(made["spec"]["containers"][0]) == {"A": said.get("valueFrom"), **SILENT}


def test_pods_as_they_are_made_are_changed_and_nothing_that_makes_them() -> None:
    for policy in (HUBS, TELEMETRY):
        (rule,) = policy["matchConstraints"]["resourceRules"]
        assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE"])
        assert policy["autogen"]["podControllers"]["controllers"] == []
        assert policy["failurePolicy"] == "Fail"


def policies(name: str, **more: Any) -> dict[str, Any]:
    args: Any = {"controls": ["SOV-MOD-02", "SOV-AUD-07"], "profile": name, **more}
    graph = build(lambda: Admission("admission", args))
    return {one.object_name: one.inputs["spec"] for one in graph.of("MutatingPolicy")}


def test_the_environment_is_forced_where_the_profile_stops_and_not_where_it_reports() -> None:
    assert policies("open") == {}
    for name in ("eu-resident", "eu-controlled", "eu-sovereign", "air-gapped"):
        assert policies(name) == {"sov-mod-02": HUBS, "sov-aud-07": TELEMETRY}, name
    assert not policies("air-gapped", kyverno=False)
    assert policies("open", levels={"SOV-MOD-02": "mandatory"}) == {"sov-mod-02": HUBS}


def test_evidence_can_say_which_control_a_policy_is_for() -> None:
    args: Any = {"controls": ["SOV-MOD-02", "SOV-RES-06"], "profile": "air-gapped"}
    graph = build(lambda: Admission("admission", args))
    of = {
        one.object_name: one.inputs["metadata"]["annotations"]["corral.dev/control"]
        for one in graph.of("MutatingPolicy")
    }
    assert of == {"sov-mod-02": "SOV-MOD-02", "corral-regions": "SOV-RES-06"}


def test_what_is_excepted_from_a_control_is_not_told_until_the_exception_ends() -> None:
    last = today() + timedelta(days=30)
    excepted = {
        "control": "SOV-AUD-07",
        "reason": "a trial of a vendor's service",
        "approver": "CISO",
        "expires": str(last),
        "resources": ["green/trial-*"],
    }
    made = policies("eu-resident", exceptions=[excepted])
    assert made["sov-mod-02"] == HUBS
    (condition,) = made["sov-aud-07"]["matchConditions"]
    assert f'time.now() >= timestamp("{last + timedelta(days=1)}T00:00:00Z")' in condition["expression"]
    assert "green/trial-" in condition["expression"]
