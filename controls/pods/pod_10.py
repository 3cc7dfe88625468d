"""What a stack puts into a restricted namespace is restricted: the Pod Security Standards' second level."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, cast

from corral.catalogue.vocabulary import TENANT_LABEL
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.gpu.spaces import NAMESPACES, labels_of, namespaces, space
from corral.controls.kinds import PODS
from corral.controls.levels import Severity
from corral.controls.pods.pod_01 import USER_NAMESPACES
from corral.controls.profiles import Profile
from corral.controls.workloads import workloads

ENFORCE = "pod-security.kubernetes.io/enforce"
_TOKENS = frozenset(f"{kind.token}{end}" for kind in PODS for end in ("", "Patch", "List", "PatchList"))
_SPECS = {kind.kind: kind.pod_specs for kind in PODS}
_LISTS = ("initContainers", "containers", "ephemeralContainers")
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_PROFILES = ("RuntimeDefault", "Localhost")
_BIND = "NET_BIND_SERVICE"
_TRUE, _FALSE, _ROOT = (True, "true"), (False, "false"), (0, "0")
"""Spellings that the provider takes."""

Fields = Mapping[str, Any]


def _at(holder: Any, *path: str | int) -> Any:
    """The value at `path`, None where a part of it is absent.

    Raises:
        Undecided: it is not known yet.
    """
    value = reduce(_step, path, holder)
    if value is UNKNOWN:
        raise Undecided(f"`{'.'.join(str(part) for part in path)}` is not known yet")
    return value


def _step(value: Any, part: str | int) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    return cast(Fields, value).get(str(part)) if isinstance(value, Mapping) else None


def _items(holder: Any, *path: str) -> list[Any]:
    """The items of a list, none of them unknown."""
    listed = _at(holder, *path)
    items = cast(list[Any], listed) if isinstance(listed, list) else []
    if UNKNOWN in items:
        raise Undecided(f"an item of `{'.'.join(path)}` is not known yet")
    return items


def _containers(pod: Fields) -> Iterator[Fields]:
    for key in _LISTS:
        yield from (one for one in _items(pod, key) if isinstance(one, Mapping))


def _each(pod: Fields, breaks: Callable[[Fields], bool]) -> str:
    """Names of the containers that `breaks` says break a rule."""
    return ", ".join(str(one.get("name")) for one in _containers(pod) if breaks(one))


def _of(container: Fields, *path: str) -> Any:
    return _at(container, "securityContext", *path)


def _volumes(pod: Fields) -> str:
    named = [(one.get("name"), set(one) - {"name"} - _VOLUMES) for one in _items(pod, "volumes")]
    return ", ".join(f"{name} ({', '.join(sorted(kinds))})" for name, kinds in named if kinds)


def _escalates(pod: Fields) -> str:
    if _windows(pod):
        return ""
    return _each(pod, lambda one: _of(one, "allowPrivilegeEscalation") not in _FALSE)


def _rooted(pod: Fields) -> str:
    if _own_users(pod):
        return ""
    whole = _of(pod, "runAsNonRoot")
    each = _each(pod, lambda one: (whole if (own := _of(one, "runAsNonRoot")) is None else own) not in _TRUE)
    return each or ("the pod" if whole in _FALSE else "")


def _root(pod: Fields) -> str:
    if _own_users(pod):
        return ""
    own = _each(pod, lambda one: _of(one, "runAsUser") in _ROOT)
    return own or ("the pod" if _of(pod, "runAsUser") in _ROOT else "")


def _unfiltered(pod: Fields) -> str:
    if _windows(pod):
        return ""
    whole = _of(pod, "seccompProfile", "type")
    return _each(pod, lambda one: (_of(one, "seccompProfile", "type") or whole) not in _PROFILES)


def _capable(pod: Fields) -> str:
    if _windows(pod):
        return ""
    return _each(
        pod,
        lambda one: (
            "ALL" not in _items(one, "securityContext", "capabilities", "drop")
            or not {_BIND}.issuperset(_items(one, "securityContext", "capabilities", "add"))
        ),
    )


def _unmasked(pod: Fields) -> str:
    """A user namespace is no excuse here, as it is in the baseline since Kubernetes 1.35."""
    return _each(pod, lambda one: _of(one, "procMount") not in (None, "Default"))


def _own_users(pod: Fields) -> bool:
    """Whether root of the pod is no root of its node."""
    return _at(pod, "hostUsers") in _FALSE


def _windows(pod: Fields) -> bool:
    return _at(pod, "os", "name") == "windows"


_CHECKS: Mapping[str, Callable[[Fields], str]] = {
    "volumes of other kinds": _volumes,
    "privileges may be gained by": _escalates,
    "runAsNonRoot is not set for": _rooted,
    "user 0 is set for": _root,
    "no seccomp profile for": _unfiltered,
    "capabilities are not dropped by": _capable,
    "/proc is unmasked for": _unmasked,
}


def _restricted(name: str, others: Sequence[Resource]) -> bool:
    """Whether the stack's namespace of that name is a tenant's, or enforces the restricted level."""
    labels = labels_of(name, others) or {}
    if labels.get(TENANT_LABEL):
        return True
    return _at(labels, ENFORCE) == "restricted"


def _kept(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    """Messages about each object that is less than restricted; what is not known comes last.

    Raises:
        Undecided: a part of an object is not known, or its namespace.
    """
    if not namespaces(others):
        return
    api_version, _, kind = subject.type.partition(":")[2].rpartition(":")
    stated = {"apiVersion": api_version.removeprefix("core/"), "kind": kind}
    open_: Undecided | None = None
    for one in workloads({**subject.props, **stated}):
        if one["kind"] not in _SPECS or not _restricted(space(one, subject, others), others):
            continue
        for path in _SPECS[one["kind"]]:
            for title, check in _CHECKS.items():
                try:
                    pod = _at(one, *path.split("."))
                    offenders = check(_judged(pod, profile)) if pod else ""
                except Undecided as reason:
                    open_ = open_ or reason
                    continue
                if offenders:
                    yield f"its namespace holds pods to the restricted level, and {title} {offenders}"
    if open_:
        raise open_


def _judged(pod: Fields, profile: Profile) -> Fields:
    """`pod` as the cluster's version judges it: before 1.35 its own users excuse nothing."""
    if profile.kubernetes is None or profile.kubernetes >= USER_NAMESPACES:
        return pod
    return {key: value for key, value in pod.items() if key != "hostUsers"}


_POD = "kubernetes:core/v1:Pod"
_CLOSED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _container(**context: object) -> dict[str, Any]:
    return {"name": "c", "image": "e/x", "securityContext": {**_CLOSED, **context}}


def _pod(container: Any = None, *, namespace: object = "team", **spec: object) -> Resource:
    containers = {"containers": [container or _container()]}
    return Resource(_POD, "p", {"metadata": {"namespace": namespace}, "spec": {**containers, **spec}}, "p")


def _rooted_pod(**spec: object) -> Resource:
    return _pod(_container(runAsNonRoot=None, runAsUser=0), **spec)


def _space(level: object = "restricted", **labels: object) -> tuple[Resource, ...]:
    own = {"metadata": {"name": "team", "labels": {ENFORCE: level, **labels}}}
    return (Resource(NAMESPACES[0], "team", own, urn="ns"),)


def _volume(**source: Mapping[str, str]) -> Resource:
    return _pod(volumes=[{"name": "v", **source}])


def _held(token: str, spec: object) -> Resource:
    return Resource(token, "d", {"metadata": {"namespace": "team"}, "spec": spec}, urn="d")


_OPEN: dict[str, Any] = {"containers": [{"name": "c", "image": "e/x"}]}
_RESTRICTED = _space()

CONTROL = Control(
    id="SOV-POD-10",
    title="Pods of a restricted namespace are restricted",
    severity=Severity.HIGH,
    sources=("Pod Security Standards: restricted", "CIS EKS 4.2"),
    remedy=(
        "Set runAsNonRoot and seccompProfile RuntimeDefault for the pod; for every container "
        "allowPrivilegeEscalation false and capabilities drop ALL."
    ),
    rule=StackRule(_TOKENS.__contains__, _kept),
    not_enforced=(
        "what Helm releases and operators make, and pods of a namespace that the stack does not have: Pod "
        "Security refuses them in the cluster, by the label of their namespace",
    ),
    cases=(
        Case("restricted", Verdict.GOOD, _pod(), _RESTRICTED),
        Case(
            "a port below 1024",
            Verdict.GOOD,
            _pod(_container(capabilities={"drop": ["ALL"], "add": [_BIND]})),
            _RESTRICTED,
        ),
        Case(
            "nothing said, in a namespace of another level", Verdict.GOOD, _pod(**_OPEN), _space("baseline")
        ),
        Case("nothing said, in a namespace of another stack", Verdict.GOOD, _pod(**_OPEN)),
        Case(
            "by the pod as a whole",
            Verdict.GOOD,
            _pod(
                {"name": "c", "securityContext": {k: _CLOSED[k] for k in list(_CLOSED)[:2]}},
                securityContext={k: _CLOSED[k] for k in list(_CLOSED)[2:]},
            ),
            _RESTRICTED,
        ),
        Case("a volume in memory", Verdict.GOOD, _volume(emptyDir={}), _RESTRICTED),
        Case(
            "a pod of Windows",
            Verdict.GOOD,
            _pod({"name": "c", "securityContext": {"runAsNonRoot": True}}, os={"name": "windows"}),
            _RESTRICTED,
        ),
        *(
            Case(title, verdict, _rooted_pod(hostUsers=False), _RESTRICTED, profile=profile)
            for title, verdict, profile in (
                ("root of a user namespace", Verdict.GOOD, "eu-resident"),
                ("root of a user namespace, on 1.35", Verdict.GOOD, "1.35"),
                ("root of a user namespace, on 1.34", Verdict.BAD, "1.34"),
            )
        ),
        Case(
            "/proc unmasked, in a user namespace",
            Verdict.BAD,
            _pod(_container(procMount="Unmasked"), hostUsers=False),
            _RESTRICTED,
            profile="1.35",
        ),
        Case("root among the node's users", Verdict.BAD, _rooted_pod(hostUsers=True), _RESTRICTED),
        Case(
            "perhaps root, by the pod",
            Verdict.BAD,
            _pod(securityContext={"runAsNonRoot": False}),
            _RESTRICTED,
        ),
        Case("nothing said", Verdict.BAD, _pod(**_OPEN), _RESTRICTED),
        Case(
            "nothing said, in a tenant's", Verdict.BAD, _pod(**_OPEN), _space(UNKNOWN, **{TENANT_LABEL: "a"})
        ),
        *(
            Case(title, Verdict.BAD, _pod(_container(**{key: value})), _RESTRICTED)
            for title, key, value in (
                ("privileges to gain", "allowPrivilegeEscalation", True),
                ("privileges that nothing is said of", "allowPrivilegeEscalation", None),
                ("a capability", "capabilities", {"drop": ["ALL"], "add": ["CHOWN"]}),
                ("capabilities that stay", "capabilities", {"drop": ["NET_RAW"]}),
                ("perhaps root", "runAsNonRoot", False),
                ("user 0", "runAsUser", 0),
                ("no seccomp", "seccompProfile", {"type": "Unconfined"}),
            )
        ),
        Case("user 0 of the pod", Verdict.BAD, _pod(securityContext={"runAsUser": 0}), _RESTRICTED),
        Case("a volume of a server's", Verdict.BAD, _volume(nfs={"server": "n", "path": "/"}), _RESTRICTED),
        Case("an init container", Verdict.BAD, _pod(initContainers=[{"name": "i"}]), _RESTRICTED),
        Case("a debugger's", Verdict.BAD, _pod(ephemeralContainers=[{"name": "i"}]), _RESTRICTED),
        Case(
            "a template",
            Verdict.BAD,
            _held("kubernetes:apps/v1:Deployment", {"template": {"spec": _OPEN}}),
            _RESTRICTED,
        ),
        Case(
            "a template of a template",
            Verdict.BAD,
            _held("kubernetes:batch/v1:CronJob", {"jobTemplate": {"spec": {"template": {"spec": _OPEN}}}}),
            _RESTRICTED,
        ),
        Case(
            "a patch",
            Verdict.BAD,
            _held("kubernetes:apps/v1:DeploymentPatch", {"template": {"spec": _OPEN}}),
            _RESTRICTED,
        ),
        Case(
            "a patch of labels",
            Verdict.GOOD,
            _held("kubernetes:apps/v1:DeploymentPatch", {"template": {"metadata": {}}}),
            _RESTRICTED,
        ),
        Case(
            "within a list",
            Verdict.BAD,
            Resource(f"{_POD}List", "l", {"items": [_pod(**_OPEN).props]}, urn="l"),
            _RESTRICTED,
        ),
        Case(
            "of a namespace that is not known yet",
            Verdict.UNDECIDED,
            _pod(namespace=UNKNOWN, **_OPEN),
            _RESTRICTED,
        ),
        Case("a level that is not known yet", Verdict.UNDECIDED, _pod(**_OPEN), _space(UNKNOWN)),
        Case("not known yet", Verdict.UNDECIDED, _pod(_container(runAsNonRoot=UNKNOWN)), _RESTRICTED),
        Case(
            "a violation beside an unknown",
            Verdict.BAD,
            _pod(_container(runAsNonRoot=UNKNOWN, runAsUser=0)),
            _RESTRICTED,
        ),
    ),
)
