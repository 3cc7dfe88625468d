"""No role is a master key."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_ALL = "has(r.{0}) && '*' in r.{0}"
_EVERYTHING = " && ".join(_ALL.format(key) for key in ("verbs", "resources", "apiGroups"))
_RISE = (
    "has(r.verbs) && (r.verbs.exists(v, v in ['escalate', 'impersonate']) || "
    "('bind' in r.verbs && !has(r.resourceNames)))"
)
_CORE = (
    "has(r.verbs) && '*' in r.verbs && has(r.resources) && '*' in r.resources && "
    "has(r.apiGroups) && '' in r.apiGroups"
)
"""All of the core group, Secrets among it."""
_NODES = "has(r.resources) && 'nodes/proxy' in r.resources && has(r.apiGroups) && '' in r.apiGroups"
"""The kubelet's own API, by which a container of any pod runs any command."""
_STRANGERS = (
    "has(s.name) && s.name in ['system:anonymous', 'system:unauthenticated', 'system:authenticated', "
    "'system:serviceaccounts']"
)
_MASTER = "object.?roleRef.?name.orValue('') in ['cluster-admin']"


def _role(**rule: Any) -> Mapping[str, Any]:
    return {"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [rule]}


def _binding(role: str, *subjects: str) -> Mapping[str, Any]:
    listed = [{"kind": "Group", "name": name} for name in subjects]
    return {
        "kind": "ClusterRoleBinding",
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": listed,
    }


CONTROL = Control(
    id="SOV-POD-08",
    title="No role is a master key, and strangers have none",
    severity=Severity.HIGH,
    sources=("CIS EKS 4.1.1", "CIS EKS 4.1.3"),
    remedy="Name groups, resources and verbs; bind roles to the accounts that need them.",
    rule=ObjectRule(
        kinds=("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
        expression=(
            "object.kind in ['Role', 'ClusterRole'] ? "
            f"object.?rules.orValue([]).all(r, !({_EVERYTHING}) && !({_RISE}) && !({_CORE}) && "
            f"!({_NODES})) : "
            f"!({_MASTER}) && !object.?subjects.orValue([]).exists(s, {_STRANGERS})"
        ),
        message="a role allows everything, or is bound to strangers",
        admitted=False,
    ),
    cases=(
        Case("pods to read", Verdict.GOOD, _role(apiGroups=[""], resources=["pods"], verbs=["get"])),
        Case(
            "everything of one group",
            Verdict.GOOD,
            _role(apiGroups=["monitoring.coreos.com"], resources=["*"], verbs=["*"]),
        ),
        Case(
            "metrics of nodes",
            Verdict.GOOD,
            _role(apiGroups=[""], resources=["nodes/metrics"], verbs=["get"]),
        ),
        Case("the kubelets", Verdict.BAD, _role(apiGroups=[""], resources=["nodes/proxy"], verbs=["get"])),
        Case("everything", Verdict.BAD, _role(apiGroups=["*"], resources=["*"], verbs=["*"])),
        Case(
            "another's identity",
            Verdict.BAD,
            _role(apiGroups=[""], resources=["users"], verbs=["impersonate"]),
        ),
        Case(
            "the right to hand out any role",
            Verdict.BAD,
            _role(apiGroups=["rbac.authorization.k8s.io"], resources=["clusterroles"], verbs=["bind"]),
        ),
        Case(
            "the right to hand out one role",
            Verdict.GOOD,
            _role(
                apiGroups=["rbac.authorization.k8s.io"],
                resources=["clusterroles"],
                resourceNames=["view"],
                verbs=["bind"],
            ),
        ),
        Case(
            "everything of the core group",
            Verdict.BAD,
            _role(apiGroups=[""], resources=["*"], verbs=["*"]),
        ),
        Case("a path", Verdict.GOOD, _role(nonResourceURLs=["/metrics"], verbs=["get"])),
        Case("bound to a team", Verdict.GOOD, _binding("view", "team-a")),
        Case("the administrator's", Verdict.BAD, _binding("cluster-admin", "team-a")),
        Case("bound to everybody", Verdict.BAD, _binding("view", "system:authenticated")),
        Case("bound to strangers", Verdict.BAD, _binding("view", "team-a", "system:unauthenticated")),
        Case("not known yet", Verdict.UNDECIDED, {"kind": "ClusterRole", "rules": UNKNOWN}),
    ),
)
