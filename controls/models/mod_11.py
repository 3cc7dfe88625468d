"""Nobody asks a model without limit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.gpu.spaces import objects, space
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_ROUTES = ("kubernetes:gateway.networking.k8s.io/", "kubernetes:aigateway.envoyproxy.io/")
_KINDS = ("HTTPRoute", "GRPCRoute", "AIGatewayRoute")
_POLICIES = ("kubernetes:gateway.envoyproxy.io/", "kubernetes:kuadrant.io/")
_LIMITING = ("BackendTrafficPolicy", "RateLimitPolicy", "TokenRateLimitPolicy")
_SERVING = "kubernetes:serving.kserve.io/"
_MODEL_KINDS = ("InferencePool", "AIServiceBackend", "LLMInferenceService", "InferenceService")
_PREDICTOR = "-predictor"


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removesuffix("Patch").removesuffix("List")


def _applies(token: str) -> bool:
    return token.startswith(_ROUTES) and _kind(token) in _KINDS


def _unlimited(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    for route in objects(subject):
        leading = [rule for rule in _several(route.get("spec"), "rules") if _of_model(rule, others)]
        if not leading:
            continue
        policies = list(_of_route(route, subject, others))
        if not any(_rate(one) for one in policies):
            yield "no rate limit holds for a route that leads to a model"
        if not all(_timed(rule) for rule in leading) and not any(_patient(one) for one in policies):
            yield "no timeout holds for a route that leads to a model"


def _at(holder: Any, key: str) -> Any:
    """What `holder` has at `key`; None: nothing.

    Raises:
        Undecided: it is not known yet.
    """
    fields: Mapping[str, Any] = cast(Mapping[str, Any], holder) if isinstance(holder, Mapping) else {}
    value: Any = UNKNOWN if holder is UNKNOWN else fields.get(key)
    if value is UNKNOWN:
        raise Undecided(f"`{key}` is not known yet")
    return value


def _several(holder: Any, key: str) -> list[Mapping[str, Any]]:
    """The mappings of a list at `key`."""
    value = _at(holder, key)
    items = cast(list[Any], value) if isinstance(value, list) else []
    if UNKNOWN in items:
        raise Undecided(f"`{key}` is not known yet")
    return [cast(Mapping[str, Any], one) for one in items if isinstance(one, Mapping)]


def _of_model(rule: Mapping[str, Any], others: Sequence[Resource]) -> bool:
    for backend in _several(rule, "backendRefs"):
        name = backend.get("name")
        if name is UNKNOWN:
            raise Undecided("the name of a backend is not known yet")
        if (
            backend.get("kind") in _MODEL_KINDS
            or str(name).endswith(_PREDICTOR)
            or _served(str(name), others)
        ):
            return True
    return False


def _served(name: str, others: Sequence[Resource]) -> bool:
    """Whether the stack has a model served whose Service is called so."""
    return any(
        one.type.startswith(_SERVING)
        and one.value("metadata.name", "") in (name, name.removesuffix("-kserve"))
        for one in others
        if _kind(one.type) in _MODEL_KINDS
    )


def _of_route(
    route: Mapping[str, Any], subject: Resource, others: Sequence[Resource]
) -> Iterator[Mapping[str, Any]]:
    """Specs of the policies that hold for a route: its own, and the gateway's where it has none or merges."""
    place = space(route, subject, others)
    gateways = {one.get("name") for one in _several(route.get("spec"), "parentRefs")}
    own: list[Mapping[str, Any]] = []
    inherited: list[Mapping[str, Any]] = []
    for one in others:
        if not one.type.startswith(_POLICIES) or _kind(one.type) not in _LIMITING:
            continue
        for policy in objects(one):
            spec: Any = policy.get("spec")
            if space(policy, one, others) != place or spec is None:
                continue
            if _targets(spec, route):
                own.append(spec)
            elif any(
                ref.get("kind") == "Gateway" and ref.get("name") in gateways for ref in _references(spec)
            ):
                inherited.append(spec)
    yield from own
    if not own or any("mergeType" in one for one in own):
        yield from inherited


def _references(spec: Any) -> list[Mapping[str, Any]]:
    single = _at(spec, "targetRef")
    return [
        *_several(spec, "targetRefs"),
        *([cast(Mapping[str, Any], single)] if isinstance(single, Mapping) else []),
    ]


def _targets(spec: Any, route: Mapping[str, Any]) -> bool:
    """Whether a policy is about a route, by its name or by its labels."""
    about = _at(route, "metadata")
    name = _at(about, "name")
    if any(ref.get("kind") in _KINDS and ref.get("name") == name for ref in _references(spec)):
        return True
    return any(
        one.get("kind") in _KINDS and _selected(_at(one, "matchLabels"), _at(about, "labels"))
        for one in _several(spec, "targetSelectors")
    )


def _selected(wanted: Any, labels: Any) -> bool:
    held = cast(Mapping[str, Any], labels or {})
    return all(held.get(key) == value for key, value in cast(Mapping[str, Any], wanted or {}).items())


def _rate(spec: Mapping[str, Any]) -> bool:
    limit = _at(spec, "rateLimit")
    rules = [rule for kind in ("local", "global") for rule in _several(_at(limit, kind), "rules")]
    return bool(rules) or any(_at(spec, key) for key in ("limits", "defaults", "overrides"))


def _timed(rule: Mapping[str, Any]) -> bool:
    timeouts = _at(rule, "timeouts")
    return any(_lasts(_at(timeouts, key)) for key in ("request", "backendRequest"))


def _patient(spec: Mapping[str, Any]) -> bool:
    return _lasts(_at(_at(_at(spec, "timeout"), "http"), "requestTimeout"))


def _lasts(duration: Any) -> bool:
    """Whether a duration ends: 0 is without end, to Gateway API."""
    return duration is not None and str(duration).strip("0hms.") != ""


_ROUTE, _TRAFFIC = (
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy",
)
_LIMITS: Any = {"rateLimit": {"local": {"rules": [{"limit": {"requests": 60, "unit": "Minute"}}]}}}
_BY_NAME: Any = {"targetRefs": [{"kind": "HTTPRoute", "name": "chat"}]}
_BY_GATEWAY: Any = {"targetRefs": [{"kind": "Gateway", "name": "models"}]}
_TIMED: Any = {"timeouts": {"request": "600s"}}


def _route(backend: Any = None, **rule: Any) -> Resource:
    rules = [{"backendRefs": [backend or {"name": "chat-predictor"}], **rule}]
    metadata = {"name": "chat", "namespace": "gw", "labels": {"tenant": "a"}}
    spec = {"parentRefs": [{"name": "models"}], "rules": rules}
    return Resource(_ROUTE, "chat", {"metadata": metadata, "spec": spec}, urn="r")


def _policy(namespace: str = "gw", token: str = _TRAFFIC, **spec: Any) -> Resource:
    return Resource(token, "p", {"metadata": {"namespace": namespace}, "spec": spec}, urn=f"p{sorted(spec)}")


_LABELLED: Any = {"targetSelectors": [{"kind": "HTTPRoute", "matchLabels": {"tenant": "a"}}]}
_WAITS: Any = {"timeout": {"http": {"requestTimeout": "300s"}}}

CONTROL = Control(
    id="SOV-MOD-11",
    title="Every way to a model has a rate limit and a timeout",
    severity=Severity.MEDIUM,
    sources=("OWASP LLM10",),
    remedy="Add a BackendTrafficPolicy with `rateLimit` for the route, and `timeouts.request` to its rules.",
    rule=StackRule(_applies, _unlimited),
    cases=(
        Case("both", Verdict.GOOD, _route(**_TIMED), (_policy(**_BY_NAME, **_LIMITS),)),
        Case("by the route's labels", Verdict.GOOD, _route(**_TIMED), (_policy(**_LABELLED, **_LIMITS),)),
        Case("of the whole gateway", Verdict.GOOD, _route(**_TIMED), (_policy(**_BY_GATEWAY, **_LIMITS),)),
        Case("a timeout of the policy", Verdict.GOOD, _route(), (_policy(**_BY_NAME, **_LIMITS, **_WAITS),)),
        Case(
            "tokens that are counted",
            Verdict.GOOD,
            _route(**_TIMED),
            (
                _policy(
                    token="kubernetes:kuadrant.io/v1alpha1:TokenRateLimitPolicy",
                    targetRef={"kind": "HTTPRoute", "name": "chat"},
                    limits={"free": {"rates": [{"limit": 1000, "window": "1m"}]}},
                ),
            ),
        ),
        Case("no policy", Verdict.BAD, _route(**_TIMED)),
        Case("no timeout", Verdict.BAD, _route(), (_policy(**_BY_NAME, **_LIMITS),)),
        Case(
            "a timeout without end",
            Verdict.BAD,
            _route(timeouts={"request": "0s"}),
            (_policy(**_BY_NAME, **_LIMITS),),
        ),
        Case("a policy without a limit", Verdict.BAD, _route(**_TIMED), (_policy(**_BY_NAME, rateLimit={}),)),
        Case(
            "a limit without rules",
            Verdict.BAD,
            _route(**_TIMED),
            (_policy(**_BY_NAME, rateLimit={"local": {"rules": []}}),),
        ),
        Case(
            "a policy of another namespace",
            Verdict.BAD,
            _route(**_TIMED),
            (_policy("other", **_BY_NAME, **_LIMITS),),
        ),
        Case(
            "a policy for another route",
            Verdict.BAD,
            _route(**_TIMED),
            (_policy(targetRefs=[{"kind": "HTTPRoute", "name": "code"}], **_LIMITS),),
        ),
        Case(
            "a policy for another tenant",
            Verdict.BAD,
            _route(**_TIMED),
            (_policy(targetSelectors=[{"kind": "HTTPRoute", "matchLabels": {"tenant": "b"}}], **_LIMITS),),
        ),
        Case(
            "the gateway's limit, which the route's own policy replaces",
            Verdict.BAD,
            _route(**_TIMED),
            (_policy(**_BY_GATEWAY, **_LIMITS), _policy(**_BY_NAME, **_WAITS)),
        ),
        Case(
            "the gateway's limit, merged",
            Verdict.GOOD,
            _route(**_TIMED),
            (_policy(**_BY_GATEWAY, **_LIMITS), _policy(**_BY_NAME, **_WAITS, mergeType="StrategicMerge")),
        ),
        Case("a pool of models", Verdict.BAD, _route({"kind": "InferencePool", "name": "chat"})),
        Case(
            "a model by the name of its service",
            Verdict.BAD,
            _route({"name": "chat"}),
            (
                Resource(
                    "kubernetes:serving.kserve.io/v1beta1:InferenceService",
                    "chat",
                    {"metadata": {"name": "chat"}},
                    urn="s",
                ),
            ),
        ),
        Case("no model", Verdict.GOOD, _route({"name": "grafana"})),
        Case("a backend that is not known yet", Verdict.UNDECIDED, _route({"name": UNKNOWN})),
        Case(
            "a limit that is not known yet",
            Verdict.UNDECIDED,
            _route(**_TIMED),
            (_policy(**_BY_NAME, rateLimit=UNKNOWN),),
        ),
        Case(
            "a policy that is not known yet",
            Verdict.UNDECIDED,
            _route(**_TIMED),
            (_policy(**_BY_NAME, rateLimit={"local": UNKNOWN}),),
        ),
    ),
    not_enforced=(
        "at admission: a limit is another object, which a policy about one object does not see",
        "of the tokens of one answer, which a gateway counts only where it is made for models: an engine's "
        "context ends them",
    ),
)
