"""CEL as the controls use it: the shared variables, and their evaluation without an API server.

The text is what Kubernetes' ValidatingAdmissionPolicy and Kyverno's ValidatingPolicy evaluate; here the CEL
C++ runtime evaluates it, with the optional and strings extensions that both know.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from cel_expr_python import cel  # pyright: ignore[reportMissingTypeStubs]
from cel_expr_python.ext import ext_optional, ext_strings  # pyright: ignore[reportMissingTypeStubs]

from corral.controls.control import UNKNOWN, ObjectRule, Undecided
from corral.controls.profiles import Profile

_PREDICTOR = "object.spec.?predictor.orValue({})"
_SERVING = (
    f"object.kind == 'InferenceService' ? {_PREDICTOR} : "
    "object.kind == 'LLMInferenceService' ? object.spec.?template.orValue({}) : object.spec"
)

VARIABLES: Mapping[str, str] = {
    "pod": (
        "object.kind == 'Pod' ? object.spec : "
        "object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.spec : "
        "object.kind in ['InferenceService', 'LLMInferenceService', 'ServingRuntime', "
        f"'ClusterServingRuntime', 'LocalModelCache'] ? ({_SERVING}) : object.spec.template.spec"
    ),
    "models": "has(variables.pod.model) ? [variables.pod.model] : []",
    "containers": (
        "variables.pod.?containers.orValue([]) + variables.pod.?initContainers.orValue([]) + "
        "variables.pod.?ephemeralContainers.orValue([]) + variables.models"
    ),
    "images": (
        "variables.containers.filter(c, has(c.image)).map(c, c.image) + "
        "variables.pod.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))"
    ),
    "env": "variables.containers.filter(c, has(c.env)).map(c, c.env)",
    "uris": (
        "variables.containers.filter(c, has(c.storageUri)).map(c, c.storageUri) + "
        "variables.pod.?storageUris.orValue([]).map(u, u.uri) + "
        "(has(object.spec.sourceModelUri) ? [object.spec.sourceModelUri] : []) + "
        "(has(object.spec.model) && has(object.spec.model.uri) ? [object.spec.model.uri] : []) + "
        "(has(object.spec.model) && has(object.spec.model.lora) ? "
        "object.spec.model.lora.?adapters.orValue([]).map(a, a.uri) : [])"
    ),
    "words": (
        "variables.containers.filter(c, has(c.command)).map(c, c.command) + "
        "variables.containers.filter(c, has(c.args)).map(c, c.args)"
    ),
}
"""Shared variables, each able to use those above it. `env` and `words` are lists of lists."""


def variables(rule: ObjectRule, profile: Profile) -> dict[str, str]:
    """All variables of `rule` under `profile`, in the order in which they may use each other."""
    return {**VARIABLES, **rule.parameters(profile)}


def text(value: object) -> str:
    """`value`, a string or a list of strings, as CEL text."""
    return json.dumps(value, ensure_ascii=True)


@cache
def _environment() -> Any:
    return cel.NewEnv(
        variables={"object": cel.Type.DYN, "variables": cel.Type.DYN},
        extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
    )


@cache
def _compiled(expression: str) -> Any:
    return _environment().compile(expression)


def evaluate(expression: str, subject: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """The value of `expression` over `subject`.

    Raises:
        ValueError: the expression does not compile or could not be evaluated; never a verdict.
    """
    try:
        result = _compiled(expression).eval(data={"object": subject, "variables": known})
    except RuntimeError as error:
        raise ValueError(f"CEL {expression!r}: {error}") from error
    if result.type() == cel.Type.ERROR:
        raise ValueError(f"CEL {expression!r}: {result.plain_value()}")
    return result.plain_value()


def _without_unknown(value: Any) -> tuple[Any, bool]:
    """`value` less what is unknown, and whether anything was: an item of a list goes as a whole."""
    if value is UNKNOWN:
        return UNKNOWN, True
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        parts = {key: _without_unknown(item) for key, item in fields.items()}
        kept = {key: item for key, (item, _) in parts.items() if item is not UNKNOWN}
        return kept, any(found for _, found in parts.values())
    if isinstance(value, list):
        items = [_without_unknown(item) for item in cast(list[Any], value)]
        return [item for item, _ in items if item is not UNKNOWN], any(found for _, found in items)
    return value, False


def holds(rule: ObjectRule, subject: Mapping[str, Any], profile: Profile) -> bool:
    """Whether `subject` is as `rule` demands.

    What is known decides first: a violation there stands whatever the rest will be. Rules read `spec` alone.

    Raises:
        Undecided: the known part is fine and another part is unknown.
        ValueError: the rule could not run.
    """
    known_subject, _ = _without_unknown(subject)
    _, unknown = _without_unknown(subject.get("spec"))
    values: dict[str, Any] = {}
    for name, expression in variables(rule, profile).items():
        values[name] = evaluate(expression, known_subject, values)
    verdict = evaluate(rule.expression, known_subject, values)
    if not isinstance(verdict, bool):
        raise ValueError(f"CEL {rule.expression!r} gives {verdict!r}, not true or false")
    if verdict and unknown:
        raise Undecided("a part of the object is not known yet")
    return verdict
