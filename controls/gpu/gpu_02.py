"""No tenant takes all GPUs: a quota counts them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.gpu.requests import claims, classes, requested
from corral.controls.gpu.spaces import may_ask, metadata, objects, space
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_QUOTA = "kubernetes:core/v1:ResourceQuota"
_QUEUE = "kubernetes:kueue.x-k8s.io/"
QUEUED = "kueue.x-k8s.io/queue-name"
_IMPLICIT = "requests.deviceclass.resource.kubernetes.io/{}"
_CLAIMED = "{}.deviceclass.resource.k8s.io/devices"


def _counted(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    for one in objects(subject):
        claimed = claims(subject.type)
        wanted = sorted(set(classes(one) if claimed else requested(one)))
        if not wanted:
            continue
        name = space(one, subject, others)
        if (claimed or _in_queue(one)) and _queues(name, others):
            continue
        limits = set(_limits(name, others))
        for kind in wanted:
            keys = {_CLAIMED.format(kind), _IMPLICIT.format(kind)} if claimed else {f"requests.{kind}"}
            if not keys & limits:
                yield f"no ResourceQuota of namespace {name} counts {kind}: {min(keys)}"


def _in_queue(one: Mapping[str, Any]) -> bool:
    labels = metadata(one, "labels")
    return isinstance(labels, Mapping) and QUEUED in labels


def _within(name: str, one: Resource, others: Sequence[Resource]) -> Iterator[Mapping[str, Any]]:
    """Objects of a resource that are in that namespace."""
    for held in objects(one):
        if space(held, one, others) == name:
            yield held


def _queues(name: str, others: Sequence[Resource]) -> bool:
    return any(
        held
        for one in others
        if one.type.startswith(_QUEUE) and one.type.endswith(":LocalQueue")
        for held in _within(name, one, others)
    )


def _limits(name: str, others: Sequence[Resource]) -> Iterator[str]:
    """What quotas of a namespace count of all its pods.

    Raises:
        Undecided: a quota is not known yet.
    """
    for one in others:
        if not one.type.startswith(_QUOTA):
            continue
        for held in _within(name, one, others):
            spec: Any = held.get("spec") or {}
            hard: Any = spec if spec is UNKNOWN else cast(Mapping[str, Any], spec).get("hard")
            if hard is UNKNOWN:
                raise Undecided(f"quota {one.name} is not known yet")
            if not spec.get("scopes") and not spec.get("scopeSelector"):
                yield from cast(Mapping[str, str], hard or {})


def _pod(resource: str = "nvidia.com/gpu", namespace: object = "team", **labels: str) -> Resource:
    spec = {"containers": [{"name": "c", "resources": {"limits": {resource: "1"}}}]}
    metadata = {"namespace": namespace, "labels": labels}
    return Resource("kubernetes:core/v1:Pod", "p", {"metadata": metadata, "spec": spec}, urn="p")


def _quota(hard: object, namespace: str = "team", **spec: Any) -> Resource:
    props = {"metadata": {"namespace": namespace}, "spec": {"hard": hard, **spec}}
    return Resource(_QUOTA, "q", props, urn="q")


def _claim(name: str = "gpu.nvidia.com") -> Resource:
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": name}}]}}
    token = "kubernetes:resource.k8s.io/v1:ResourceClaim"
    return Resource(token, "c", {"metadata": {"namespace": "team"}, "spec": spec}, urn="c")


def _queue(namespace: str = "team") -> Resource:
    props = {"metadata": {"namespace": namespace}, "spec": {"clusterQueue": "q"}}
    return Resource("kubernetes:kueue.x-k8s.io/v1beta1:LocalQueue", "l", props, urn="l")


_COUNTED = {"requests.nvidia.com/gpu": "2"}

CONTROL = Control(
    id="SOV-GPU-02",
    title="A quota counts the GPUs of every namespace that asks for them",
    severity=Severity.HIGH,
    sources=("OWASP LLM10",),
    remedy="State `gpus` of the tenant, or add a ResourceQuota for the resource or the DeviceClass.",
    rule=StackRule(may_ask, _counted),
    cases=(
        Case("counted", Verdict.GOOD, _pod(), (_quota(_COUNTED),)),
        Case("without a quota", Verdict.BAD, _pod()),
        Case("a quota of another namespace", Verdict.BAD, _pod(), (_quota(_COUNTED, "other"),)),
        Case("a quota of memory alone", Verdict.BAD, _pod(), (_quota({"requests.memory": "1Gi"}),)),
        Case(
            "a quota of limits, which counts nothing",
            Verdict.BAD,
            _pod(),
            (_quota({"limits.nvidia.com/gpu": 1}),),
        ),
        Case(
            "whole GPUs are counted, and slices not",
            Verdict.BAD,
            _pod("nvidia.com/mig-1g.5gb"),
            (_quota(_COUNTED),),
        ),
        Case(
            "a quota for pods of one priority",
            Verdict.BAD,
            _pod(),
            (_quota(_COUNTED, scopeSelector={"a": 1}),),
        ),
        Case("a quota of a scope", Verdict.BAD, _pod(), (_quota(_COUNTED, scopes=["BestEffort"]),)),
        Case("no GPU", Verdict.GOOD, _pod("memory")),
        Case(
            "a claim, counted",
            Verdict.GOOD,
            _claim(),
            (_quota({"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": 1}),),
        ),
        Case(
            "a claim, as a resource counted",
            Verdict.GOOD,
            _claim(),
            (_quota({_IMPLICIT.format("gpu.nvidia.com"): 1}),),
        ),
        Case(
            "a claim of a class that is not counted",
            Verdict.BAD,
            _claim("mig.nvidia.com"),
            (_quota({"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": 1}),),
        ),
        Case("a claim without a quota", Verdict.BAD, _claim(), (_quota(_COUNTED),)),
        Case("what waits in a queue of the namespace", Verdict.GOOD, _pod(**{QUEUED: "l"}), (_queue(),)),
        Case("what does not wait in the queue", Verdict.BAD, _pod(), (_queue(),)),
        Case("what waits in a queue of elsewhere", Verdict.BAD, _pod(**{QUEUED: "l"}), (_queue("other"),)),
        Case("a quota that is not known yet", Verdict.UNDECIDED, _pod(), (_quota(UNKNOWN),)),
        Case(
            "a namespace that is not known yet",
            Verdict.UNDECIDED,
            _pod(namespace=UNKNOWN),
            (_quota(_COUNTED),),
        ),
    ),
    not_enforced=(
        "at admission: a quota is another object, which a policy about one object does not see; where "
        "one the API server itself counts",
        "by generation: a quota that is made for a namespace would have to know how many GPUs are its own",
    ),
)
