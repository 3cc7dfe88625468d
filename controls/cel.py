"""CEL as the controls use it: the shared variables, and their evaluation without an API server.

The text is what Kubernetes' ValidatingAdmissionPolicy and Kyverno's ValidatingPolicy evaluate; here the CEL
C++ runtime evaluates it, with the optional and strings extensions that both know.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from corral.controls.control import UNKNOWN, ObjectRule, Undecided
from corral.controls.kinds import KINDS, PLAIN_KINDS
from corral.controls.profiles import Profile
from corral.controls.shapes import without

_LEGACY = (
    "sklearn",
    "xgboost",
    "tensorflow",
    "pytorch",
    "triton",
    "onnx",
    "huggingface",
    "pmml",
    "lightgbm",
    "paddle",
)
"""Predictors of KServe that name their framework in place of a model's format."""
_POD_LISTS = ("containers", "initContainers", "ephemeralContainers")


def _pod(number: int) -> str:
    """CEL for the pod spec with this number; empty if the kind has fewer."""
    by_path: dict[str, list[str]] = {}
    for kind in KINDS.values():
        if number < len(kind.pod_specs):
            by_path.setdefault(kind.pod_specs[number], []).append(kind.kind)
    branches = [
        f"object.kind in {json.dumps(kinds)} ? object.?{path.replace('.', '.?')}.orValue({{}}) : "
        for path, kinds in by_path.items()
    ]
    return "".join(branches) + "{}"


def _pods() -> dict[str, str]:
    most = max(len(kind.pod_specs) for kind in KINDS.values())
    return {f"pod{number or ''}": _pod(number) for number in range(most)}


def listed(holder: str, key: str) -> str:
    """CEL for a list that may be absent or null."""
    return f"(has({holder}.{key}) && {holder}.{key} != null ? {holder}.{key} : [])"


def _each_pod(*keys: str) -> str:
    return " + ".join(listed(f"variables.{pod}", key) for pod in _pods() for key in keys)


def _present(key: str) -> str:
    return f"variables.containers.filter(c, has(c.{key}) && c.{key} != null)"


_EXPLAINERS = ("art", "alibi")
_MODELS = (
    f"{json.dumps(['model', *_LEGACY])}.filter(k, k in variables.pod).map(k, variables.pod[k]) + "
    f"{json.dumps(_EXPLAINERS)}.filter(k, k in variables.pod3).map(k, variables.pod3[k])"
)
_SPACED = {"\\n": " ", "\\t": " ", "\\\\": " ", "'-": " -", '\\"-': " -", ",-": " -", "[-": " -"}
SPACES = "".join(f'.replace("{sign}", "{plain}")' for sign, plain in _SPACED.items())
_SPEC = "object.?spec.orValue({})"
ANNOTATIONS = (
    "object.?metadata.?annotations.orValue({})",
    "object.?spec.?template.?metadata.?annotations.orValue({})",
    "object.?spec.?jobTemplate.?spec.?template.?metadata.?annotations.orValue({})",
)
"""CEL: annotations of an object, and of its pods."""
_SOURCE = "storage-initializer-sourceuri"
"""End of the annotation from which KServe's initializer has an address."""
_STORED = (
    f"{_present('storage')}.filter(c, has(c.storage.parameters) && has(c.storage.parameters.bucket))"
    ".map(c, c.storage.parameters.?type.orValue('s3') + '://' + c.storage.parameters.bucket + '/')"
)
HOOKS = (
    "lifecycle.postStart.exec.command",
    "lifecycle.preStop.exec.command",
    "livenessProbe.exec.command",
    "readinessProbe.exec.command",
    "startupProbe.exec.command",
)
"""Paths of commands that a container runs beside its own."""


def reached(holder: str, path: str) -> str:
    """CEL for a list deep in `holder`, empty where a part of the path is absent."""
    parts = path.split(".")
    heads = [".".join([holder, *parts[: count + 1]]) for count in range(len(parts))]
    return f"({' && '.join(f'has({head})' for head in heads)} ? {heads[-1]} : [])"


_PARTED = "".join(f'.replace("{sign}", " ")' for sign in ("\\n", ";", "&", "(", "|"))
_ASSIGNED = (
    f"variables.lines.map(l, !l.contains('=') ? [] : l{_PARTED}"
    """.replace("'", "").replace('"', '').split(' ').filter(w, w.matches('^[A-Z][A-Z0-9_]*='))"""
    ".map(w, {'name': w.split('=')[0], 'value': w.substring(w.indexOf('=') + 1)}))"
)
"""CEL: variables that commands set for what they run, as a container would have them."""
VARIABLES: Mapping[str, str] = {
    **_pods(),
    "models": f"object.kind == 'InferenceService' ? {_MODELS} : []",
    "containers": f"{_each_pod(*_POD_LISTS)} + variables.models",
    "volumes": _each_pod("volumes"),
    "images": (
        f"{_present('image')}.map(c, c.image) + "
        "variables.volumes.filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))"
        + "".join(
            f" + {one}.filter(k, k.endsWith('Image') && {one}[k].contains('/')).map(k, {one}[k])"
            for one in ANNOTATIONS
        )
    ),
    "spec": _SPEC,
    "uris": (
        f"{_present('storageUri')}.map(c, c.storageUri) + "
        f"({_each_pod('storageUris')}).filter(u, has(u.uri)).map(u, u.uri) + "
        + "".join(f"{one}.filter(k, k.endsWith('{_SOURCE}')).map(k, {one}[k]) + " for one in ANNOTATIONS)
        + f"{_STORED} + variables.volumes.filter(v, has(v.gitRepo) && has(v.gitRepo.repository))"
        ".map(v, v.gitRepo.repository) + "
        "(has(variables.spec.sourceModelUri) ? [variables.spec.sourceModelUri] : []) + "
        "(has(variables.spec.model) && has(variables.spec.model.uri) ? [variables.spec.model.uri] : []) + "
        "(has(variables.spec.model) && has(variables.spec.model.lora) ? "
        "variables.spec.model.lora.?adapters.orValue([])"
        ".filter(a, has(a.uri)).map(a, a.uri) : [])"
    ),
    "lines": (
        "variables.containers.map(c, "
        f"({listed('c', 'command')} + {listed('c', 'args')}"
        + "".join(f" + {reached('c', hook)}" for hook in HOOKS)
        + ").map(w, string(w)).join(' '))"
    ),
    "env": f"{_present('env')}.map(c, c.env.filter(e, has(e.name))) + {_ASSIGNED}",
    "texts": (
        "variables.lines + variables.env.map(l, l.filter(e, has(e.value) && e.value != null)"
        ".map(e, string(e.value)).join(' ; '))"
    ),
    "text": f"variables.texts.join(' ; '){SPACES}",
    "names": "variables.env.map(l, l.map(e, e.name).join(' ')).join(' ').upperAscii()",
    "words": (
        f"{_present('command')}.map(c, c.command) + {_present('args')}.map(c, c.args)"
        + "".join(f" + variables.containers.map(c, {reached('c', hook)})" for hook in HOOKS)
    ),
}
"""Shared variables, each able to use those above. `env`, with what commands set, and `words` are lists of
lists; `lines` has one command line per container, `texts` beside these the values of its environment, `text`
all of them in one line, and `names` the names of the environment. A regular expression is compiled at each
use: ask `text` and `names` first."""
OPTIONS = f"variables.texts.map(l, (' ' + l{SPACES}).split(' -'))"
"""CEL: what each text has between the dashes of its options."""


def variables(rule: ObjectRule, profile: Profile) -> dict[str, str]:
    """All variables of `rule` under `profile`, in the order in which they may use each other."""
    return {**VARIABLES, **rule.parameters(profile)}


def text(value: object) -> str:
    """`value`, a string, or a list or mapping of strings, as CEL text."""
    return json.dumps(value, ensure_ascii=True)


@cache
def _runtime() -> Any:
    # 11 MiB that a program which hands rules to an API server does not need.
    from cel_expr_python import cel  # pyright: ignore[reportMissingTypeStubs]

    return cel


@cache
def _environment() -> Any:
    from cel_expr_python.ext import ext_optional, ext_strings  # pyright: ignore[reportMissingTypeStubs]

    cel = _runtime()
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
    if result.type() == _runtime().Type.ERROR:
        raise ValueError(f"CEL {expression!r}: {result.plain_value()}")
    return result.plain_value()


@dataclass(frozen=True)
class Staged:
    """Expressions that use each other, in stages: those of one are evaluated at once."""

    stages: Sequence[tuple[Sequence[tuple[str, str]], str]]
    """Names with their CEL, and a list of all of them in CEL."""

    def values(self, subject: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        """`known` and the value of each expression over `subject`.

        Raises:
            ValueError: an expression could not be evaluated.
        """
        values = dict(known)
        for members, together in self.stages:
            try:
                found = evaluate(together, subject, values)
            except ValueError:
                found = [evaluate(one, subject, values) for _, one in members]
            values.update(zip((name for name, _ in members), found, strict=True))
        return values


def staged(expressions: Mapping[str, str]) -> Staged:
    """`expressions`, each of which may use those above it as `variables.<name>`, in few stages."""
    depth: dict[str, int] = {}
    for name, one in expressions.items():
        depth[name] = max((depth[used] + 1 for used in set(_USED.findall(one)) if used in depth), default=0)
    stages: list[list[tuple[str, str]]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, one in expressions.items():
        stages[depth[name]].append((name, one))
    return Staged([(members, f"[{', '.join(one for _, one in members)}]") for members in stages])


_USED = re.compile(r"variables\.(\w+)")


@cache
def _shared() -> Staged:
    return staged(VARIABLES)


def _without_unknown(value: Any) -> Any:
    """`value` less what is unknown, `UNKNOWN` where it is as a whole: items of lists and variables are."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        if fields.get("value") is UNKNOWN and "name" in fields:
            return UNKNOWN
        parts = ((key, _without_unknown(item)) for key, item in fields.items())
        return {key: item for key, item in parts if item is not UNKNOWN}
    if isinstance(value, list):
        items = (_without_unknown(item) for item in cast(list[Any], value))
        return [item for item in items if item is not UNKNOWN]
    return value


def _has_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_unknown(item) for item in cast(Mapping[str, Any], value).values())
    if isinstance(value, list):
        return any(_has_unknown(item) for item in cast(list[Any], value))
    return value is UNKNOWN


@dataclass(frozen=True)
class Prepared:
    """A Kubernetes object with the shared variables, evaluated once for all rules."""

    known: Mapping[str, Any]
    """The object less what is unknown."""
    unknown: bool
    """Whether a part that rules read is unknown: `spec`, or all but metadata of a kind without pods."""
    values: Mapping[str, Any]
    whole: Mapping[str, Any]
    """The object with what is unknown."""
    computed: dict[str, Any] = field(default_factory=dict[str, Any])
    """Parameters of rules that use the shared variables alone: CEL -> value."""

    def unknown_at(self, path: str) -> bool:
        """Whether a value at dotted `path`, or on the way to it, is unknown."""
        value: Any = self.whole
        for part in path.split("."):
            value = cast(Mapping[str, Any], value).get(part) if isinstance(value, Mapping) else value
        return _has_unknown(value)


def prepared(subject: Mapping[str, Any]) -> Prepared:
    """`subject` for evaluation.

    Raises:
        ValueError: a variable could not be evaluated.
    """
    stored = cast(Mapping[str, Any], without(subject, None))
    known = cast(Mapping[str, Any], _without_unknown(stored)) if _has_unknown(stored) else stored
    if known.get("kind") in PLAIN_KINDS:
        unknown = any(_has_unknown(item) for key, item in subject.items() if key != "metadata")
        return Prepared(known, unknown, {"containers": []}, subject)
    unknown = _has_unknown(subject.get("spec"))
    return Prepared(known, unknown, _shared().values(known, {}), subject)


_PARAMETERS: dict[tuple[int, int], tuple[ObjectRule, Profile, Mapping[str, str], Mapping[str, Any]]] = {}
"""By rule and profile, kept so that no other takes their place: what depends on the object, and the rest."""


def parameters_of(rule: ObjectRule, profile: Profile) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Parameters of `rule` under `profile`: CEL of those that depend on the object, values of the rest."""
    key = (id(rule), id(profile))
    if key not in _PARAMETERS:
        texts = rule.parameters(profile)
        varying = {name: one for name, one in texts.items() if "variables." in one or "object" in one}
        constant = {name: evaluate(one, {}, {}) for name, one in texts.items() if name not in varying}
        _PARAMETERS[key] = (rule, profile, varying, constant)
    return _PARAMETERS[key][2:]


@cache
def _of_all(expression: str) -> bool:
    """Whether `expression` uses no variable but those that all rules share."""
    return VARIABLES.keys() >= set(_USED.findall(expression))


def _computed(expression: str, subject: Prepared, values: Mapping[str, Any]) -> Any:
    """The value of a parameter; one that means the same in every rule is computed once per object."""
    if not _of_all(expression):
        return evaluate(expression, subject.known, values)
    if expression not in subject.computed:
        subject.computed[expression] = evaluate(expression, subject.known, subject.values)
    return subject.computed[expression]


def _holds(rule: ObjectRule, subject: Prepared, profile: Profile) -> bool:
    varying, constant = parameters_of(rule, profile)
    values = {**subject.values, **constant}
    for name, expression in varying.items():
        values[name] = _computed(expression, subject, values)
    verdict = evaluate(rule.expression, subject.known, values)
    if not isinstance(verdict, bool):
        raise ValueError(f"CEL {rule.expression!r} gives {verdict!r}, not true or false")
    return verdict


def violations(rule: ObjectRule, subject: Prepared, profile: Profile) -> list[str]:
    """What breaks `rule`, containers with their images if the rule names them; none if it holds.

    What is known decides first: a violation there stays one whatever the rest will be.

    Raises:
        Undecided: the known part is fine and another part is unknown.
        ValueError: the rule could not run.
    """
    verdict = _holds(rule, subject, profile)
    if verdict and (subject.unknown or any(subject.unknown_at(path) for path in rule.reads)):
        raise Undecided("a part of the object is not known yet")
    if verdict:
        return []
    open_ = next((path for path in rule.demanded if subject.unknown_at(path)), None)
    if open_ is not None:
        raise Undecided(f"`{open_}` is not known yet")
    offenders = _offenders(rule, subject, profile)
    return [f"{rule.message}: {', '.join(offenders)}" if offenders else rule.message]


def _offenders(rule: ObjectRule, subject: Prepared, profile: Profile) -> list[str]:
    """The containers that break `rule` each by itself, with their images."""
    containers = cast(Sequence[Mapping[str, Any]], subject.values["containers"])
    if subject.known.get("kind") == "Pod" and len(containers) == 1:
        return [_named(containers[0])]
    alone = [(one, prepared({"kind": "Pod", "spec": {"containers": [one]}})) for one in containers]
    return [_named(one) for one, pod in alone if not _holds(rule, pod, profile)]


def _named(container: Mapping[str, Any]) -> str:
    return f"{container.get('name', 'model')} ({container.get('image', 'no image')})"
