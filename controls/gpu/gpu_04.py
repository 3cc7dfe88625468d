"""Nobody looks into GPUs that others hold."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_DEVICES = (
    "(object.kind == 'ResourceClaimTemplate' ? object.?spec.?spec.?devices : object.?spec.?devices)"
    ".?requests.orValue([])"
)
_ADMIN = "(has({0}.adminAccess) && {0}.adminAccess == true)"


def _claim(**request: Any) -> Mapping[str, Any]:
    return {"kind": "ResourceClaim", "spec": {"devices": {"requests": [{"name": "gpu", **request}]}}}


CONTROL = Control(
    id="SOV-GPU-04",
    title="Nobody looks into GPUs that others hold",
    severity=Severity.HIGH,
    sources=("Kubernetes DRA: admin access", "GDPR 32"),
    remedy="Leave `adminAccess` out; an administrator gives it to monitoring alone.",
    rule=ObjectRule(
        kinds=("ResourceClaim", "ResourceClaimTemplate"),
        expression=(
            f"{_DEVICES}.all(r, !{_ADMIN.format('r')} && !(has(r.exactly) && {_ADMIN.format('r.exactly')}))"
        ),
        message="`adminAccess` gives devices that others hold",
        instead="the guard `corral-scope` at the API server",
    ),
    cases=(
        Case("a device of one's own", Verdict.GOOD, _claim(exactly={"deviceClassName": "gpu.nvidia.com"})),
        Case("said not to", Verdict.GOOD, _claim(exactly={"adminAccess": False})),
        Case("admin access", Verdict.BAD, _claim(exactly={"adminAccess": True})),
        Case("admin access in an older version", Verdict.BAD, _claim(adminAccess=True)),
        Case(
            "a template of claims",
            Verdict.BAD,
            {
                "kind": "ResourceClaimTemplate",
                "spec": {"spec": _claim(exactly={"adminAccess": True})["spec"]},
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, _claim(exactly=UNKNOWN)),
    ),
)
