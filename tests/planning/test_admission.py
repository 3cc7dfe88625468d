"""Where the policies at admission hold: by the kind of the cluster, or as chosen, with listed exemptions."""

from io import StringIO

import pytest
from rich.console import Console
from tests.stacks.stack_files import planned, problems

from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

OTHERS = {"kind": "existing", "kubernetes": "1.35.4"}
OPEN = {"profile": "open", "region": "embedded"}


def printed(plan: Plan) -> str:
    text = StringIO()
    render(plan, Console(file=text, width=200))
    return text.getvalue()


def chosen(**admission: object) -> dict[str, object]:
    return {**OPEN, "admission": admission}


def test_a_cluster_that_corral_started_is_in_scope_and_one_of_others_by_label() -> None:
    own, shared = planned().admission, planned(cluster=OTHERS).admission
    assert own.scope.value == "cluster" and own.exempt == ("kube-node-lease", "kube-public", "kube-system")
    assert shared.scope.value == "namespaces" and shared.exempt == ("kube-system",)
    assert not own.chosen and not shared.chosen


def test_cluster_wide_is_a_choice_with_exemptions_which_the_plan_prints() -> None:
    made = planned(cluster=OTHERS, sovereignty=chosen(scope="cluster", exempt=["shop"]))
    assert made.admission.exempt == ("kube-system", "shop")
    for text in (printed(made), page(made)):
        assert "scope cluster (chosen): all namespaces but the exempt" in text
        assert "exempt: kube-system, shop" in text


def test_the_plan_says_which_namespaces_are_in_scope_and_what_they_get() -> None:
    text = printed(planned(cluster=OTHERS))
    assert "namespaces with label corral.dev/policies=enforced" in text
    assert "a network policy that denies all traffic" in text
    assert "Pod Security level" not in text, "profile open has none"


def test_the_plan_says_that_nothing_is_enforced() -> None:
    text = printed(planned(cluster=OTHERS, addons={"admission": "off"}))
    assert "not enforced by this stack" in text


@pytest.mark.parametrize("state", ["existing", "off"])
def test_a_tenants_namespace_that_somebody_else_makes_is_named_until_it_is_labelled(state: str) -> None:
    theirs = {"cluster": OTHERS, "tenants": [{"name": "team-a"}], "addons": {"tenancy": state}}
    assert "not in scope until labelled: team-a" in printed(planned(**theirs))


@pytest.mark.parametrize(
    ("admission", "line"),
    [
        (
            {"scope": "namespaces", "exempt": ["shop"]},
            "sovereignty.admission.exempt: shop: only namespaces with the label are in scope",
        ),
        (
            {"scope": "cluster", "exempt": ["kserve"]},
            "sovereignty.admission.exempt[0]: kserve: a namespace of the platform",
        ),
        (
            {"scope": "cluster", "exempt": ["models"]},
            "sovereignty.admission.exempt[0]: models: a namespace of the platform",
        ),
        ({"scope": "everywhere"}, "sovereignty.admission.scope: everywhere: use one of"),
        ({"scope": "cluster", "exempt": ["Shop_1"]}, "sovereignty.admission.exempt[0]: Shop_1: use a DNS"),
    ],
)
def test_what_does_not_go_together_is_refused(admission: dict[str, object], line: str) -> None:
    found = problems(cluster=OTHERS, sovereignty=chosen(**admission))
    assert any(one.startswith(line) for one in found), found


def test_a_scope_without_admission_is_refused() -> None:
    found = problems(cluster=OTHERS, sovereignty=chosen(scope="cluster"), addons={"admission": "off"})
    assert found == [
        "sovereignty.admission: cluster: addon admission is off, so this stack enforces nothing there: "
        "leave it out"
    ]
