"""What an exception lets pass at admission: what it names, made before its end, and nothing else."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.components.admission.guarded import refusals
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.admission import Admission
from corral.controls.exceptions import today

LAST = today() + timedelta(days=30)
ENTRY = {
    "control": "SOV-SUP-02",
    "reason": "no digests before release 4",
    "approver": "jane",
    "expires": str(LAST),
}


def built(*exceptions: dict[str, Any], **args: Any) -> Any:
    given: Any = {"controls": ["SOV-SUP-01", "SOV-SUP-02"], "profile": "eu-resident", **args}
    given["exceptions"] = [*exceptions]
    return build(lambda: Admission("admission", given))


def policies(*exceptions: dict[str, Any], **args: Any) -> list[dict[str, Any]]:
    graph = built(*exceptions, **args)
    kinds = ("ValidatingAdmissionPolicy", "ValidatingPolicy")
    return [graph.one(kind, "sov-sup-02").inputs["spec"] for kind in kinds]


def pod(name: str | None, namespace: str = "shop", made: str | None = f"{LAST}T23:59:59Z") -> dict[str, Any]:
    metadata = {"name": name, "generateName": "web-", "namespace": namespace, "creationTimestamp": made}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {key: value for key, value in metadata.items() if value is not None},
        "spec": {"containers": [{"name": "c", "image": "a/b:1"}]},
    }


@pytest.mark.parametrize(
    ("resources", "subject", "passes"),
    [
        ([], pod("web"), True),
        (["shop/web"], pod("web"), True),
        (["shop/web"], pod("web-1"), False),
        (["shop/web*"], pod("web-1"), True),
        (["shop/web*"], pod(None), True),
        (["shop/web*"], pod("web-1", "shopping"), False),
        (["shop.web/x"], pod("x", "shop-web"), False),
        (["shop/web"], pod("web", made=f"{LAST + timedelta(days=1)}T00:00:00Z"), False),
        ([], pod("web", made=f"{LAST + timedelta(days=1)}T00:00:00Z"), False),
        ([], pod("web", made=None), False),
    ],
)
def test_an_exception_is_as_narrow_as_it_says_and_ends(
    resources: list[str], subject: dict[str, Any], passes: bool
) -> None:
    for spec in policies({**ENTRY, "resources": resources}):
        assert (refusals(spec, subject) == []) is passes


def test_one_of_several_exceptions_is_enough() -> None:
    for spec in policies({**ENTRY, "resources": ["shop/web"]}, {**ENTRY, "resources": ["shop/api"]}):
        assert [refusals(spec, pod(name)) == [] for name in ("web", "api", "db")] == [True, True, False]


def test_another_control_knows_nothing_of_it() -> None:
    graph = built(ENTRY)
    policy = graph.one("ValidatingAdmissionPolicy", "sov-sup-01").inputs
    assert refusals(policy["spec"], pod("web")) != []
    assert "corral.dev/exceptions" not in policy["metadata"]["annotations"]


def test_the_exception_is_in_the_audit_log_and_on_the_policy() -> None:
    note = f"excepted until {LAST} by jane: no digests before release 4"
    native = built(ENTRY).one("ValidatingAdmissionPolicy", "sov-sup-02").inputs
    assert native["metadata"]["annotations"]["corral.dev/exceptions"] == note
    (audited,) = native["spec"]["auditAnnotations"]
    assert audited["key"] == "exception" and note in audited["valueExpression"]
    assert "auditAnnotations" not in policies()[0]


def test_a_stack_enforces_a_control_harder() -> None:
    def actions(**args: Any) -> list[str]:
        given: Any = {"controls": ["SOV-SUP-02"], "profile": "open", **args}
        graph = build(lambda: Admission("a", given))
        return graph.one("ValidatingAdmissionPolicyBinding", "sov-sup-02").inputs["spec"]["validationActions"]

    assert actions() == ["Warn", "Audit"]
    assert actions(levels={"SOV-SUP-02": "mandatory"}) == ["Deny"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"expires": -2}, r"exceptions\[0\]\.expires: .* 2 days ago"),
        ({"expires": 99}, r"admission\.exceptions\[0\]\.expires: .* 99 days"),
        ({"control": "SOV-RES-01"}, r"admission\.exceptions\[0\]\.control: SOV-RES-01: profile eu-resident"),
        ({"approver": ""}, r"admission\.exceptions\[0\]\.approver: empty text"),
    ],
)
def test_a_component_alone_takes_no_exception_that_a_stack_would_not(
    change: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 3, 14)
    monkeypatch.setattr("corral.components.admission.component.today", lambda: day)
    changed = {**ENTRY, "expires": str(day), **change}
    if isinstance(days := changed["expires"], int):
        changed["expires"] = str(day + timedelta(days=days))
    with pytest.raises(ArgsError, match=line):
        built(changed)
