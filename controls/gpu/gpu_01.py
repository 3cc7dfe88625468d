"""GPUs are for namespaces that belong to somebody."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corral.catalogue.vocabulary import TENANT_LABEL
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.gpu.requests import claims, classes, requested
from corral.controls.gpu.spaces import DEFAULT, NAMESPACES, labels_of, may_ask, objects, space
from corral.controls.levels import Severity
from corral.controls.pods.pod_03 import OWN
from corral.controls.profiles import Profile

OWNERS = (TENANT_LABEL, OWN)
"""Labels of namespaces that GPUs are for: a tenant's, and the platform's own."""


def _placed(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    for one in objects(subject):
        wanted = next(classes(one) if claims(subject.type) else requested(one), None)
        if wanted is None:
            continue
        name = space(one, subject, others)
        labels = labels_of(name, others)
        if labels is None and name != DEFAULT:
            raise Undecided(f"namespace {name} is not of this stack; the API server decides")
        if not any((labels or {}).get(label) for label in OWNERS):
            yield f"it asks for {wanted} in namespace {name}, without a label {' or '.join(OWNERS)}"


_POD = "kubernetes:core/v1:Pod"


def _pod(namespace: object = "team", resource: str = "nvidia.com/gpu", amount: object = "1") -> Resource:
    limits = {"limits": {resource: amount}}
    spec = {"containers": [{"name": "c", "resources": limits}]}
    return Resource(_POD, "p", {"metadata": {"namespace": namespace}, "spec": spec}, urn="p")


def _space(name: str = "team", **labels: object) -> Resource:
    return Resource(NAMESPACES[0], name, {"metadata": {"name": name, "labels": labels}}, urn=f"ns-{name}")


def _claim(**request: Any) -> Resource:
    spec = {"spec": {"devices": {"requests": [{"name": "gpu", **request}]}}}
    token = "kubernetes:resource.k8s.io/v1:ResourceClaimTemplate"
    return Resource(token, "t", {"metadata": {"namespace": "team"}, "spec": spec}, urn="t")


def _other(token: str, spec: Mapping[str, Any]) -> Resource:
    return Resource(token, "o", {"metadata": {"namespace": "team"}, "spec": spec}, urn="o")


_GPU = {"resources": {"requests": {"nvidia.com/mig-1g.5gb": 1}}}
_OWNED = (_space(**{TENANT_LABEL: "a"}),)

CONTROL = Control(
    id="SOV-GPU-01",
    title="GPUs are for namespaces that belong to a tenant or to the platform",
    severity=Severity.HIGH,
    sources=("OWASP LLM10",),
    remedy=f"Label the namespace with {TENANT_LABEL}, the tenant's name, or use that of a tenant.",
    rule=StackRule(may_ask, _placed),
    cases=(
        Case("a tenant's namespace", Verdict.GOOD, _pod(), _OWNED),
        Case("the platform's own", Verdict.GOOD, _pod(), (_space(**{OWN: "gpu-operator"}),)),
        Case("nobody's namespace", Verdict.BAD, _pod(), (_space(team="a"),)),
        Case("a label without a value", Verdict.BAD, _pod(), (_space(**{TENANT_LABEL: ""}),)),
        Case("a label that only begins alike", Verdict.BAD, _pod(), (_space(**{f"{TENANT_LABEL}s": "a"}),)),
        Case("the namespace default", Verdict.BAD, _pod(None)),
        Case("the namespace default, labelled", Verdict.GOOD, _pod(None), (_space("default", **{OWN: "x"}),)),
        Case("another tenant's label", Verdict.BAD, _pod(), (_space(), _space("b", **{TENANT_LABEL: "b"}))),
        Case("no GPU", Verdict.GOOD, _pod(resource="cpu"), (_space(),)),
        Case("none of them", Verdict.GOOD, _pod(amount="0"), (_space(),)),
        *(
            Case(f"{name} in nobody's namespace", Verdict.BAD, _pod(resource=name), (_space(),))
            for name in ("nvidia.com/gpu.shared", "amd.com/gpu", "habana.ai/gaudi", "google.com/tpu")
        ),
        Case(
            "a slice", Verdict.BAD, _other("kubernetes:apps/v1:DeploymentPatch", {"c": [_GPU]}), (_space(),)
        ),
        Case(
            "an operator's object",
            Verdict.BAD,
            _other("kubernetes:ray.io/v1:RayCluster", {"workerGroupSpecs": [{"template": {"spec": [_GPU]}}]}),
            (_space(),),
        ),
        Case(
            "within a list",
            Verdict.BAD,
            Resource("kubernetes:core/v1:List", "l", {"items": [dict(_pod().props)]}, urn="l"),
            (_space(),),
        ),
        Case(
            "a claim",
            Verdict.BAD,
            _claim(exactly={"deviceClassName": "mig-1g-5gb.corral.dev"}),
            (_space(),),
        ),
        Case(
            "a claim of an older version", Verdict.BAD, _claim(deviceClassName="gpu.nvidia.com"), (_space(),)
        ),
        Case(
            "a claim, by preference",
            Verdict.BAD,
            _claim(firstAvailable=[{"deviceClassName": "gpu.nvidia.com"}]),
            (_space(),),
        ),
        Case("a claim of a tenant", Verdict.GOOD, _claim(deviceClassName="gpu.nvidia.com"), _OWNED),
        Case(
            "a claim of another device", Verdict.GOOD, _claim(deviceClassName="nic.example.eu"), (_space(),)
        ),
        Case(
            "resources that are not known yet",
            Verdict.UNDECIDED,
            _other(_POD, {"c": {"resources": UNKNOWN}}),
            (_space(),),
        ),
        Case("a namespace of elsewhere", Verdict.UNDECIDED, _pod("elsewhere"), _OWNED),
        Case("a namespace that is not known yet", Verdict.UNDECIDED, _pod(UNKNOWN), _OWNED),
        Case(
            "labels that are not known yet",
            Verdict.UNDECIDED,
            _pod(),
            (Resource(NAMESPACES[0], "n", {"metadata": {"name": "team", "labels": UNKNOWN}}, urn="n"),),
        ),
        Case(
            "a tenant's namespace that is being made",
            Verdict.GOOD,
            Resource(_POD, "p", dict(_pod(UNKNOWN).props), urn="p", refers={"metadata": ("ns-team",)}),
            _OWNED,
        ),
    ),
    not_enforced=(
        "by Kyverno, whose policies would say what the API server's guard `corral-gpus` says already: a "
        "container that asks for GPUs, or a claim of them, in a namespace in scope without such a label",
    ),
)
