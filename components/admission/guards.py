"""What keeps a namespace in scope, and a tenant from undoing what its namespace came with.

These concern who asks and what was there before, which no control about one object can see; so they exist at
the API server alone. Whoever may delete the policies themselves passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.catalogue.vocabulary import TENANT_LABEL
from corral.components._kit import PACKAGE, PodSecurity
from corral.components._requester import ADMINISTRATOR, CONTROLLER, service_account
from corral.components.admission.namespaces import DEFAULT_DENY, ENFORCE_LABEL
from corral.components.admission.render import HELD, audit_annotations, exempting, resource_rules
from corral.controls.cel import VARIABLES, text
from corral.controls.enforcement import exceptions_of, stops
from corral.controls.exceptions import ControlException
from corral.controls.gpu.gpu_01 import OWNERS
from corral.controls.gpu.gpu_03 import ANNOTATED, ENVIRONMENT, MOUNTS, RUNTIME
from corral.controls.gpu.requests import ASKS, CLASS
from corral.controls.kinds import KINDS, POD_KINDS, SERVING_KINDS
from corral.controls.pods.drivers import drivers
from corral.controls.profiles import PROFILES, Profile
from corral.controls.register import control
from corral.controls.residency.res_07 import PLACE_LABEL
from corral.controls.scope import ENFORCED, SCOPE_LABEL, Scope

OWN_PREFIX = "corral.dev/"
CLAIMS = ("ResourceClaim", "ResourceClaimTemplate")
ADMIN_ACCESS_LABEL = "resource.kubernetes.io/admin-access"
"""Label of a namespace whose pods may look into devices that others hold (DRA `adminAccess`)."""
GUARDED = ("SOV-NET-07", "SOV-GPU-03", "SOV-RES-07", "SOV-GPU-01")
"""Controls that guards hold; what a stack excepts from them, guards let pass."""
VERSION_LABEL = f"{ENFORCE_LABEL}-version"
CLOUD_CONTROLLERS = (
    "system:cloud-controller-manager",
    "eks:cloud-controller-manager",
    "system:gcp-controller-manager",
)
"""Users as which controllers of clouds say where a node is, beside accounts in kube-system."""
_LABELS = "object.metadata.?labels.orValue({})"
_BEFORE = "(oldObject == null ? {} : oldObject.metadata.?labels.orValue({}))"
_TRUSTED = {"trusted": f"({CONTROLLER}) || {ADMINISTRATOR}"}


@dataclass(frozen=True)
class Guard:
    """A native policy with its binding."""

    name: str
    policy: Mapping[str, Any]
    selector: Mapping[str, Any] | None
    """Namespaces that it holds in; None: everywhere."""
    actions: tuple[str, ...] = ("Deny",)

    @property
    def binding(self) -> dict[str, Any]:
        """Spec of the binding."""
        spec: dict[str, Any] = {"policyName": self.name, "validationActions": list(self.actions)}
        if self.selector is not None:
            spec["matchResources"] = {"namespaceSelector": self.selector}
        return spec


def guards(
    scope: Scope, level: PodSecurity | None, kyverno: str, limits: Profile = PROFILES["eu-resident"]
) -> list[Guard]:
    """All guards; `level`: what namespaces enforce at least; `kyverno`: its namespace; `limits`: what says
    whether GPUs outside the namespaces that they are for are refused."""
    denied, placed = (stops(control(one), limits) for one in ("SOV-GPU-01", "SOV-RES-07"))
    own = scope.selector()

    def excepting(identity: str, policy: Mapping[str, Any]) -> Mapping[str, Any]:
        return _excepting(policy, exceptions_of(control(identity), limits))

    tenants = {"matchExpressions": [{"key": TENANT_LABEL, "operator": "Exists"}]}
    return [
        Guard("corral-scope", _scope(scope, level), None),
        Guard("corral-network", _network(kyverno), own),
        Guard("corral-services", excepting("SOV-NET-07", _services()), tenants),
        Guard("corral-exceptions", _exceptions(), tenants),
        Guard("corral-devices", excepting("SOV-GPU-03", _devices()), tenants),
        *([Guard("corral-places", excepting("SOV-RES-07", _places()), None)] if placed else []),
        Guard(
            "corral-gpus",
            excepting("SOV-GPU-01", _gpus(limits)),
            own,
            ("Deny",) if denied else ("Warn", "Audit"),
        ),
    ]


def _excepting(policy: Mapping[str, Any], exceptions: Sequence[ControlException]) -> Mapping[str, Any]:
    """`policy` with what exceptions of the stack let pass until their date."""
    if not exceptions:
        return policy
    excepted = exempting(exceptions)
    holds = [f"({one['expression']})" for one in policy["validations"]]
    beside = "".join(f" || variables.{name}" for name in excepted)
    added = {HELD: " && ".join(holds), **excepted}
    return {
        **policy,
        "variables": [
            *policy["variables"],
            *({"name": name, "expression": text} for name, text in added.items()),
        ],
        "validations": [
            {**one, "expression": held + beside}
            for one, held in zip(policy["validations"], holds, strict=True)
        ],
        "auditAnnotations": audit_annotations(exceptions),
    }


def _policy(
    rules: Sequence[tuple[str, str, str, Sequence[str]]],
    variables: Mapping[str, str],
    validations: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [group],
                    "apiVersions": [version],
                    "resources": [plural],
                    "operations": list(operations),
                }
                for group, version, plural, operations in rules
            ]
        },
        "variables": [
            {"name": name, "expression": value} for name, value in {**_TRUSTED, **variables}.items()
        ],
        "validations": [
            {"expression": f"variables.trusted || {text}", "message": message}
            for text, message in validations
        ],
    }


def _scope(scope: Scope, level: PodSecurity | None) -> dict[str, Any]:
    """Nobody but an administrator takes a namespace out of scope, or loosens what it came with."""
    labelled = f"variables.labels.exists(k, k == '{SCOPE_LABEL}' && variables.labels[k] == '{ENFORCED}')"
    was = f"variables.before.exists(k, k == '{SCOPE_LABEL}' && variables.before[k] == '{ENFORCED}')"
    within = labelled if scope.labelled else f"!(object.metadata.name in {scope.exemptions})"
    kept = (
        "{this}.all(k, !k.startsWith('" + OWN_PREFIX + "') || k == '" + SCOPE_LABEL + "' || "
        "(k in {other} && {other}[k] == {this}[k]))"
    )
    there, here = "variables.labels", "variables.before"
    validations = [
        ("!variables.was || variables.labelled", f"{SCOPE_LABEL}: an administrator alone takes it away"),
        (
            f"({kept.format(this=there, other=here)} && {kept.format(this=here, other=there)})",
            f"labels {OWN_PREFIX}… of a namespace: an administrator alone changes them",
        ),
        (
            f"!variables.was || ({_same(ENFORCE_LABEL)}) || {_has(there, ENFORCE_LABEL, 'restricted')}",
            f"{ENFORCE_LABEL}: an administrator alone loosens it",
        ),
        (
            f"!variables.within || ({_same(VERSION_LABEL)}) || {_has(there, VERSION_LABEL, 'latest')}",
            f"{VERSION_LABEL}: use latest, or leave it out",
        ),
    ]
    validations.append(
        (
            f"!variables.within || {_same(ADMIN_ACCESS_LABEL)}",
            f"{ADMIN_ACCESS_LABEL}: an administrator alone gives or takes it",
        )
    )
    if level is not None:
        fine = f"({_same(ENFORCE_LABEL)} && oldObject != null) || {_has(there, ENFORCE_LABEL, level.value)}"
        validations.append(
            (f"!variables.within || {fine}", f"this namespace is in scope: use {ENFORCE_LABEL}={level.value}")
        )
    return _policy(
        [("", "v1", "namespaces", ("CREATE", "UPDATE"))],
        {
            "labels": _LABELS,
            "before": _BEFORE,
            "labelled": labelled,
            "was": was,
            "within": within,
        },
        validations,
    )


def _has(labels: str, key: str, value: str) -> str:
    return f"{labels}.exists(k, k == '{key}' && {labels}[k] == '{value}')"


def _same(key: str) -> str:
    """CEL: this label is as it was, absent or present."""
    either = " && ".join(
        f"variables.{one}.all(k, k != '{key}' || (k in variables.{other} && "
        f"variables.{other}[k] == variables.{one}[k]))"
        for one, other in (("labels", "before"), ("before", "labels"))
    )
    return f"({either})"


def _network(kyverno: str) -> dict[str, Any]:
    """The platform's network policies stay; a tenant's own open nothing beyond its namespace."""
    part_of = "app.kubernetes.io/part-of"
    own = (
        f"o.metadata.name == '{DEFAULT_DENY}' || o.metadata.?labels.orValue({{}})"
        f".exists(k, k == '{part_of}' && o.metadata.labels[k] == '{PACKAGE}')"
    )
    peers = "all(p, has(p.podSelector) && !has(p.namespaceSelector) && !has(p.ipBlock))"
    inside = " && ".join(
        f"object.spec.?{direction}.orValue([]).all(r, has(r.{key}) && size(r.{key}) > 0 && r.{key}.{peers})"
        for direction, key in (("ingress", "from"), ("egress", "to"))
    )
    tenant = f"namespaceObject.metadata.?labels.orValue({{}}).exists(k, k == '{TENANT_LABEL}')"
    return _policy(
        [("networking.k8s.io", "v1", "networkpolicies", ("CREATE", "UPDATE", "DELETE"))],
        {
            "kyverno": service_account(kyverno, "kyverno-background-controller"),
            "own": f"[object, oldObject].exists(o, o != null && ({own}))",
            "tenant": tenant,
        },
        [
            ("variables.kyverno || !variables.own", "a network policy of the platform: it stays as it is"),
            (
                f"object == null || variables.own || !variables.tenant || ({inside})",
                "a network policy that opens more than its own namespace: the platform's administrators "
                "open what lies beyond",
            ),
        ],
    )


def _services() -> dict[str, Any]:
    """No service of a tenant is open to the outside by itself."""
    return _policy(
        [("", "v1", "services", ("CREATE", "UPDATE"))],
        {
            "open": (
                "object.spec.?type.orValue('ClusterIP') in ['LoadBalancer', 'NodePort'] || "
                "size(object.spec.?externalIPs.orValue([])) > 0"
            ),
            "same": (
                "oldObject != null && oldObject.spec.?type.orValue('') == object.spec.?type.orValue('') && "
                "oldObject.spec.?externalIPs.orValue([]) == object.spec.?externalIPs.orValue([])"
            ),
        },
        [
            (
                "!variables.open || variables.same",
                "a service that is open to the outside: use type ClusterIP without externalIPs; the "
                "platform's administrators open a gateway",
            )
        ],
    )


def _exceptions() -> dict[str, Any]:
    """No tenant exempts itself from a policy, or is a policy's author."""
    kinds = ("validating", "mutating", "generating", "deleting", "imagevalidating")
    resources = (
        ("kyverno.io", "policyexceptions"),
        ("kyverno.io", "policies"),
        ("policies.kyverno.io", "policyexceptions"),
        *(("policies.kyverno.io", f"namespaced{kind}policies") for kind in kinds),
    )
    return _policy(
        [(group, "*", plural, ("CREATE", "UPDATE")) for group, plural in resources],
        {},
        [("false", "policies and exceptions from them: the platform's administrators alone make them")],
    )


def _places() -> dict[str, Any]:
    """Where a node is, its kubelet says when it comes and the cloud's controller, and nobody changes it."""
    moved = " + ".join(
        f"variables.{one}.filter(k, k.matches({text(PLACE_LABEL)}) && "
        f"!(k in variables.{other} && variables.{other}[k] == variables.{one}[k]))"
        for one, other in (("labels", "before"), ("before", "labels"))
    )
    return _policy(
        [("", "v1", "nodes", ("CREATE", "UPDATE")), ("", "v1", "nodes/status", ("UPDATE",))],
        {
            "labels": _LABELS,
            "before": _BEFORE,
            "moved": moved,
            "cloud": f"request.userInfo.username in {text(list(CLOUD_CONTROLLERS))}",
            "kubelet": "request.userInfo.username.startsWith('system:node:')",
        },
        [
            (
                "variables.cloud || size(variables.moved) == 0 || "
                "(variables.kubelet && variables.moved.all(k, !(k in variables.before)))",
                "SOV-RES-07: labels that say where a node is: its kubelet sets them when it comes, the "
                "cloud's controller and an administrator alone change them",
            )
        ],
    )


def _devices() -> dict[str, Any]:
    """No container of a tenant takes GPUs past the scheduler; NVIDIA's own device plugin has to."""
    # Also what controllers make is evaluated: whoever has them make it is no administrator.
    # In a selector of namespaces everything outside them is included.
    kinds = [one for one in (*POD_KINDS, *SERVING_KINDS) if KINDS[one].namespaced]
    remedy = "ask by limits or by a ResourceClaim"
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": resource_rules(kinds)},
        "variables": [
            {"name": "administrator", "expression": ADMINISTRATOR},
            *({"name": name, "expression": text} for name, text in VARIABLES.items()),
        ],
        "validations": [
            {
                "expression": f"variables.administrator || ({ENVIRONMENT})",
                "message": (
                    "NVIDIA_VISIBLE_DEVICES, its like of other vendors, or capabilities of a driver give a "
                    f"container GPUs that it was not allocated: {remedy}"
                ),
            },
            {
                "expression": f"variables.administrator || ({ANNOTATED} && {MOUNTS})",
                "message": (
                    "an annotation cdi.k8s.io/…, or a mount below /var/run/nvidia-container-devices, gives a "
                    f"container GPUs that it was not allocated: {remedy}"
                ),
            },
            {
                "expression": f"variables.administrator || {RUNTIME}",
                "message": (
                    "runtimeClassName nvidia gives a pod that asks for no device those that its image names, "
                    f"mostly all: {remedy}"
                ),
            },
        ],
    }


def _gpus(limits: Profile) -> dict[str, Any]:
    """GPUs are for namespaces of tenants and of the platform."""
    kinds = [one for one in (*POD_KINDS, *SERVING_KINDS, *CLAIMS) if KINDS[one].namespaced]
    asked = (
        "(object.kind == 'ResourceClaimTemplate' ? object.?spec.?spec.?devices : object.?spec.?devices)"
        ".?requests.orValue([])"
    )
    named = (
        "([r.?deviceClassName.orValue(''), r.?exactly.?deviceClassName.orValue('')] + "
        "r.?firstAvailable.orValue([]).map(a, a.?deviceClassName.orValue('')))"
    )
    labels = "namespaceObject.metadata.?labels.orValue({})"
    # What controllers make pods of is made again, and evaluated, when it changes.
    rules = [{**rule, "operations": ["CREATE"]} for rule in resource_rules(kinds)]
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": rules},
        "variables": [
            {"name": "administrator", "expression": ADMINISTRATOR},
            {
                "name": "owned",
                "expression": f"{labels}.exists(k, k in {text(list(OWNERS))} && {labels}[k] != '')",
            },
            *({"name": name, "expression": one} for name, one in VARIABLES.items()),
            {"name": "drivers", "expression": text(drivers(limits))},
            {
                "name": "asks",
                "expression": (
                    f"object.kind in {text(list(CLAIMS))} ? "
                    f"{asked}.exists(r, {named}.exists(n, n.matches({text(CLASS)}))) : {ASKS}"
                ),
            },
        ],
        "validations": [
            {
                "expression": (
                    "variables.administrator || variables.owned || !variables.asks || "
                    "(size(variables.images) > 0 && "
                    "variables.images.all(i, i.matches(variables.drivers)))"
                ),
                "message": (
                    f"GPUs are for namespaces with label {' or '.join(OWNERS)}: use a tenant's, or have an "
                    "administrator label this one"
                ),
            }
        ],
    }
