"""No role is a master key, or reads every Secret."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_ALL = "has(r.{0}) && '*' in r.{0}"
_EVERYTHING = " && ".join(_ALL.format(key) for key in ("verbs", "resources", "apiGroups"))
_RISE = (
    "has(r.verbs) && (r.verbs.exists(v, v in ['escalate', 'impersonate']) || "
    "('bind' in r.verbs && (!has(r.resourceNames) || size(r.resourceNames) == 0)) || "
    "('*' in r.verbs && has(r.apiGroups) && has(r.resources) && "
    "((r.apiGroups.exists(g, g in ['*', 'rbac.authorization.k8s.io']) && "
    "r.resources.exists(s, s in ['*', 'roles', 'clusterroles'])) || "
    "(r.apiGroups.exists(g, g in ['*', '']) && "
    "r.resources.exists(s, s in ['*', 'serviceaccounts', 'users', 'groups'])))))"
)
"""Verbs by which an account becomes another, or hands out more than it has; all verbs are among them."""
_CORE = (
    "has(r.verbs) && '*' in r.verbs && has(r.resources) && '*' in r.resources && "
    "has(r.apiGroups) && '' in r.apiGroups"
)
"""All of the core group, Secrets among it."""
_OF_CORE = "has(r.resources) && has(r.apiGroups) && r.apiGroups.exists(g, g in ['', '*'])"
_NODES = f"{_OF_CORE} && r.resources.exists(s, s in ['nodes/proxy', 'nodes/*', '*/proxy'])"
"""The kubelet's own API, by which a container of any pod runs any command."""
_UNNAMED = "(!has(r.resourceNames) || size(r.resourceNames) == 0)"
_SECRETS = (
    f"object.kind == 'ClusterRole' && {_OF_CORE} && r.resources.exists(s, s in ['secrets', '*']) && "
    f"has(r.verbs) && r.verbs.exists(v, v in ['get', 'list', 'watch', '*']) && {_UNNAMED} && "
    "!object.?metadata.?name.orValue('').matches(variables.readers)"
)
"""Every Secret of the cluster, in whatever namespace it is bound."""
_TOKENS = (
    f"{_OF_CORE} && r.resources.exists(s, s in ['serviceaccounts/token', 'serviceaccounts/*', '*/token']) && "
    f"has(r.verbs) && r.verbs.exists(v, v in ['create', '*']) && {_UNNAMED}"
)
"""A token of any account."""
_SIGNS = (
    "has(r.apiGroups) && r.apiGroups.exists(g, g in ['certificates.k8s.io', '*']) && has(r.resources) && "
    "r.resources.exists(s, s in ['signers', '*']) && has(r.verbs) && "
    f"r.verbs.exists(v, v in ['approve', 'sign', '*']) && {_UNNAMED}"
)
"""A certificate of anybody's, by whatever signer the cluster has."""
_GUARDS = (
    "has(r.apiGroups) && has(r.resources) && has(r.verbs) && ("
    "r.apiGroups.exists(g, g in ['admissionregistration.k8s.io', 'kyverno.io', 'policies.kyverno.io']) && "
    "r.resources.exists(s, s == '*' || s.matches('^[a-z]*polic(y|ies)(bindings)?$')) && "
    "r.verbs.exists(v, v in ['update', 'patch', 'delete', 'deletecollection', '*']) || "
    "r.apiGroups.exists(g, g in ['kyverno.io', 'policies.kyverno.io']) && "
    "r.resources.exists(s, s in ['policyexceptions', '*']) && "
    "r.verbs.exists(v, v in ['create', 'update', 'patch', '*'])) && "
    f"{_UNNAMED} && !object.?metadata.?name.orValue('').matches(variables.keepers)"
)
"""Policies to take away, or to be excepted from."""
KEEPERS = r"(?:.*-)?kyverno:[a-z:-]+|gpu-operator"
"""Names of the roles of charts of the catalogue whose programs keep policies."""
READERS = (
    "cert-manager-cainjector",
    "cert-manager-controller-certificates",
    "cert-manager-controller-challenges",
    "cert-manager-controller-clusterissuers",
    "cert-manager-controller-issuers",
    "cert-manager-controller-orders",
    "envoy-gateway-role",
    "external-secrets-cert-controller",
    "external-secrets-controller",
    "grafana-clusterrole",
    "kserve-llmisvc-manager-role",
    "kserve-localmodelnode-agent-role",
    "kserve-manager-role",
    "kube-state-metrics",
    "lws-manager-role",
    "monitoring-operator",
)
"""Ends of names of the ClusterRoles of charts of the catalogue whose programs read Secrets everywhere."""
_PATHS = "has(r.nonResourceURLs) && '*' in r.nonResourceURLs"
"""Every path of the API server that is no resource's."""
_ALL_ROLES = (
    "object.?aggregationRule.?clusterRoleSelectors.orValue([]).exists(s, "
    "size(s.?matchLabels.orValue({})) == 0 && size(s.?matchExpressions.orValue([])) == 0)"
)
"""What every role of the cluster allows."""
_STRANGERS = (
    "has(s.name) && s.name in ['system:anonymous', 'system:unauthenticated', 'system:authenticated', "
    "'system:serviceaccounts']"
)
_MASTER = "object.?roleRef.?name.orValue('') in ['cluster-admin']"


def _role(name: str = "r", kind: str = "ClusterRole", **rule: Any) -> Mapping[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, "rules": [rule]}


_READ: Mapping[str, Any] = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}


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
        parameters=lambda profile: {
            "readers": text(f"^(?:.*-)?(?:{'|'.join(READERS)})$"),
            "keepers": text(f"^(?:{KEEPERS})$"),
        },
        expression=(
            f"object.kind in ['Role', 'ClusterRole'] ? !({_ALL_ROLES}) && "
            f"object.?rules.orValue([]).all(r, !({_EVERYTHING}) && !({_RISE}) && !({_CORE}) && "
            f"!({_NODES}) && !({_SECRETS}) && !({_TOKENS}) && !({_SIGNS}) && !({_GUARDS}) && !({_PATHS})) : "
            f"!({_MASTER}) && !object.?subjects.orValue([]).exists(s, {_STRANGERS})"
        ),
        message="a role allows everything, reads every Secret, or is bound to strangers",
        instead="the API server, which lets nobody hand out rights that they lack",
    ),
    cases=(
        Case("pods to read", Verdict.GOOD, _role(apiGroups=[""], resources=["pods"], verbs=["get"])),
        Case(
            "what every role allows",
            Verdict.BAD,
            {"kind": "ClusterRole", "aggregationRule": {"clusterRoleSelectors": [{}]}},
        ),
        Case(
            "what labelled roles allow",
            Verdict.GOOD,
            {
                "kind": "ClusterRole",
                "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "true"}}]},
            },
        ),
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
        *(
            Case(title, Verdict.BAD, _role(apiGroups=[group], resources=[resource], verbs=["*"]))
            for title, group, resource in (
                ("every verb on roles, which hands out any", "rbac.authorization.k8s.io", "clusterroles"),
                ("every verb on accounts, which takes their identity", "", "serviceaccounts"),
            )
        ),
        Case(
            "every verb on workloads", Verdict.GOOD, _role(apiGroups=["apps"], resources=["a"], verbs=["*"])
        ),
        Case("every path", Verdict.BAD, _role(nonResourceURLs=["*"], verbs=["get"])),
        Case("the path of metrics", Verdict.GOOD, _role(nonResourceURLs=["/metrics"], verbs=["get"])),
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
        Case("every Secret of the cluster", Verdict.BAD, _role(**_READ)),
        Case("every Secret of a namespace", Verdict.GOOD, _role(kind="Role", **_READ)),
        Case("one Secret", Verdict.GOOD, _role(**_READ, resourceNames=["tls"])),
        Case("no Secret named", Verdict.BAD, _role(**_READ, resourceNames=[])),
        Case(
            "every Secret, by a program of the catalogue",
            Verdict.GOOD,
            _role("cert-manager-cainjector", **_READ),
        ),
        Case(
            "every Secret, by a name that only begins alike",
            Verdict.BAD,
            _role("kube-state-metrics-2", **_READ),
        ),
        Case(
            "a token of any account",
            Verdict.BAD,
            _role(apiGroups=[""], resources=["serviceaccounts/token"], verbs=["create"]),
        ),
        Case(
            "every Secret, by a role whose name the provider gives",
            Verdict.BAD,
            {"kind": "ClusterRole", "rules": [_READ]},
        ),
        *(
            Case(
                f"certificates of {title}",
                verdict,
                _role(
                    apiGroups=["certificates.k8s.io"],
                    resources=["signers"],
                    verbs=["approve"],
                    resourceNames=named,
                ),
            )
            for title, verdict, named in (
                ("any signer", Verdict.BAD, []),
                ("one signer", Verdict.GOOD, ["issuers.cert-manager.io/*"]),
            )
        ),
        *(
            Case(
                f"{title} of {group}",
                verdict,
                _role(name, kind, apiGroups=[group], resources=[what], verbs=[verb]),
            )
            for title, verdict, name, kind, group, what, verb in (
                (
                    "policies to take away",
                    Verdict.BAD,
                    "r",
                    "ClusterRole",
                    "admissionregistration.k8s.io",
                    "validatingadmissionpolicybindings",
                    "delete",
                ),
                (
                    "policies to change",
                    Verdict.BAD,
                    "r",
                    "ClusterRole",
                    "policies.kyverno.io",
                    "validatingpolicies",
                    "patch",
                ),
                ("exceptions to make", Verdict.BAD, "r", "Role", "kyverno.io", "policyexceptions", "create"),
                ("exceptions to read", Verdict.GOOD, "r", "Role", "kyverno.io", "policyexceptions", "list"),
                (
                    "reports to write",
                    Verdict.GOOD,
                    "r",
                    "ClusterRole",
                    "kyverno.io",
                    "updaterequests",
                    "patch",
                ),
                (
                    "certificates of webhooks to renew",
                    Verdict.GOOD,
                    "r",
                    "ClusterRole",
                    "admissionregistration.k8s.io",
                    "validatingwebhookconfigurations",
                    "patch",
                ),
                (
                    "policies of administrators, by Kyverno's chart,",
                    Verdict.GOOD,
                    "kyverno:rbac:admin:policies",
                    "ClusterRole",
                    "policies.kyverno.io",
                    "validatingpolicies",
                    "delete",
                ),
            )
        ),
        Case("a path", Verdict.GOOD, _role(nonResourceURLs=["/metrics"], verbs=["get"])),
        Case("bound to a team", Verdict.GOOD, _binding("view", "team-a")),
        Case("the administrator's", Verdict.BAD, _binding("cluster-admin", "team-a")),
        Case("bound to everybody", Verdict.BAD, _binding("view", "system:authenticated")),
        Case("bound to strangers", Verdict.BAD, _binding("view", "team-a", "system:unauthenticated")),
        Case("not known yet", Verdict.UNDECIDED, {"kind": "ClusterRole", "rules": UNKNOWN}),
    ),
)
