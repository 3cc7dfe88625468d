"""The same resource in other places, spellings, kinds and wrappers: its verdict stays what it is."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from tests.controls.same_verdict.generated import held_by, stored
from tests.controls.same_verdict.mutated import Mutated

from corral.controls.control import Verdict
from corral.controls.kinds import KINDS

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""By which the engine marks a value as secret (pulumi's `resource.SigKey` and `SecretSig`)."""
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_TWINS = {
    "aws:lb/": "aws:alb/",
    "Bucket": "BucketV2",
    "BucketServerSideEncryptionConfiguration": "BucketServerSideEncryptionConfigurationV2",
    "BucketObjectLockConfiguration": "BucketObjectLockConfigurationV2",
    "BucketAcl": "BucketAclV2",
}
"""Older and newer tokens of one resource of pulumi-aws: by prefix, or by the name of the type."""


def objects(one: Mutated, kinds: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways to write an object that `kinds` are rules for: other containers, words and holders."""
    whole = stored(one.subject)
    yield "as it is", whole
    if whole["kind"] != "Pod" or one.fixed:
        return
    yield from held(one.subject, kinds)
    if movable(one):
        (container,) = one.subject["spec"]["containers"]
        yield from placed(one, container)
        for way, spelled in containers(one):
            yield way, _with(whole, {"containers": [spelled]})


def movable(one: Mutated) -> bool:
    """Whether the verdict on a pod is one on its container."""
    return one.verdict is Verdict.GOOD or one.changed[:2] == ("spec", "containers")


def held(pod: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What has `pod` as its pods."""
    for kind in (KINDS[name] for name in kinds):
        if kind.kind != "Pod" and kind.pod_specs:
            yield f"in a {kind.kind}", held_by(kind, pod)


def placed(one: Mutated, container: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pod of `one` with `container` beside the good one, in every list."""
    whole = stored(one.subject)
    (beside,) = one.good["spec"]["containers"]
    neutral = {**beside, "name": "neutral"}
    for place in ("initContainers", "ephemeralContainers"):
        if place not in one.subject["spec"]:
            moved = {"containers": [neutral], place: [{**container, "name": "moved"}]}
            yield f"in {place}", _with(whole, moved)
    yield "second of two", _with(whole, {"containers": [neutral, container]})


def containers(one: Mutated) -> Iterator[tuple[str, dict[str, Any]]]:
    """The container of `one` in other words."""
    (container,) = one.subject["spec"]["containers"]
    yield from _words(container, one)
    yield from _variables(container, one)


def _with(pod: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {**deepcopy(dict(pod)), "spec": {**deepcopy(pod["spec"]), **deepcopy(dict(spec))}}


def _words(container: Mapping[str, Any], one: Mutated) -> Iterator[tuple[str, dict[str, Any]]]:
    """`container` with its words elsewhere; what stops it there stops it here."""
    command, args = container.get("command", []), container.get("args", [])
    if not command and not args:
        return
    plain = {key: value for key, value in container.items() if key not in ("command", "args")}
    if command and command[:2] == ["sh", "-c"]:
        line = command[2]
    else:
        words = (
            [*command, *args] if command else ["vllm", *([] if args[:1] == ["serve"] else ["serve"]), *args]
        )
        if not command and "llama.cpp" in str(container.get("image")):
            words = ["llama-server", *args]
        line = shlex.join(map(str, words))
        yield "in a shell's line", {**plain, "command": ["sh", "-c", f"exec {line}"]}
        yield "in a shell's argument", {**plain, "command": ["/bin/sh"], "args": ["-c", line]}
    yield "after another command", {**plain, "command": ["bash", "-ec", f"sleep 1 && {line}"]}
    if one.verdict is Verdict.GOOD or one.changed[3:4] not in (("args",), ("command",)):
        return
    shell = ["sh", "-c", line]
    yield "over two lines", {**plain, "command": ["sh", "-c", line.replace(" --", " \\\n  --")]}
    yield "in a hook", {**plain, "lifecycle": {"postStart": {"exec": {"command": shell}}}}
    yield "before its end", {**plain, "lifecycle": {"preStop": {"exec": {"command": shell}}}}
    for probe in _PROBES:
        yield f"in a {probe}", {**plain, probe: {"exec": {"command": shell}}}
    if args:
        yield (
            "from a variable",
            {
                **plain,
                "args": ["$(ARGUMENTS)"],
                "env": [{"name": "ARGUMENTS", "value": shlex.join(map(str, args))}],
            },
        )
        yield (
            "from a variable of the shell",
            {
                **plain,
                "command": ["sh", "-c", "vllm serve $ARGUMENTS"],
                "env": [{"name": "ARGUMENTS", "value": shlex.join(map(str, args))}],
            },
        )


def _variables(container: Mapping[str, Any], one: Mutated) -> Iterator[tuple[str, dict[str, Any]]]:
    """`container` with its environment set by its own command."""
    values = [each for each in container.get("env", ()) if "value" in each]
    if one.verdict is Verdict.GOOD or one.changed[3:4] != ("env",) or not values:
        return
    plain = {key: value for key, value in container.items() if key not in ("env", "command", "args")}
    line = shlex.join([*container.get("command", ["serve"]), *container.get("args", [])])
    set_ = " ".join(f"{each['name']}={shlex.quote(each['value'])}" for each in values)
    yield "exported in a shell", {**plain, "command": ["sh", "-c", f"export {set_}; {line}"]}
    yield "set before the command", {**plain, "command": ["sh", "-c", f"{set_} {line}"]}
    words = [f"{each['name']}={each['value']}" for each in values]
    yield "by env", {**plain, "command": ["env", *words, *shlex.split(line)]}
    yield "after another variable", {**container, "env": [{"name": "A", "value": "b"}, *container["env"]]}


def resources(one: Mutated) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Ways to write a resource of a program."""
    yield "as it is", one.subject
    for way, turn in (
        ("with truth as text", _texts),
        ("with JSON in many lines", _indented),
        ("with one statement alone", _alone),
        ("with lists of one", _listed),
        ("with a statement before", _preceded),
        ("as a secret", _secret),
    ):
        made = {key: value for key, value in one.subject.items() if key != "others"}
        turned = {**made, "props": {key: turn(item) for key, item in made["props"].items()}}
        others = [
            {**each, "props": {key: turn(item) for key, item in each["props"].items()}}
            for each in one.subject.get("others", ())
        ]
        if (turned["props"], others) != (made["props"], one.subject.get("others", [])):
            yield way, {**turned, **({"others": others} if "others" in one.subject else {})}
    twin = {**one.subject, "type": _twin(one.subject["type"])}
    if "others" in one.subject:
        twin["others"] = [{**each, "type": _twin(each["type"])} for each in one.subject["others"]]
    if twin != one.subject:
        yield "by its other token", twin
    if one.subject["type"].startswith("kubernetes:core/") and one.changed[:1] != ("@type",):
        yield "as a patch", {**one.subject, "type": f"{one.subject['type'].removesuffix('Patch')}Patch"}
        if not one.subject["type"].endswith("Patch"):
            listed = {"items": [one.subject["props"]]}
            yield (
                "in a list of its kind",
                {
                    **one.subject,
                    "type": f"{one.subject['type']}List",
                    "props": listed,
                },
            )


def _twin(token: str) -> str:
    module, _, name = token.rpartition(":")
    if module.startswith("aws:s3/") and name in _TWINS:
        return f"aws:s3/{_TWINS[name][0].lower()}{_TWINS[name][1:]}:{_TWINS[name]}"
    return token.replace("aws:lb/", _TWINS["aws:lb/"])


def _texts(value: Any) -> Any:
    """Truth and numbers as text, as configuration has them."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _within(value: Any, turn: Any) -> Any:
    """`value` with `turn` applied to the document that it is as JSON text."""
    if isinstance(value, str) and value[:1] == "{":
        return turn(json.loads(value))
    return value


def _indented(value: Any) -> Any:
    return _within(value, lambda document: json.dumps(document, indent=2))


def _alone(value: Any) -> Any:
    def turn(document: Any) -> str:
        several = document.get("Statement", ())
        return json.dumps({**document, "Statement": several[0]} if len(several) == 1 else document)

    return _within(value, turn)


def _listed(value: Any) -> Any:
    def one(statement: Mapping[str, Any]) -> Mapping[str, Any]:
        principal = statement.get("Principal")
        lists = {
            key: item if isinstance(item, list) else [item]
            for key, item in statement.items()
            if key in ("Action", "Resource")
        }
        if isinstance(principal, dict):
            lists["Principal"] = {
                key: item if isinstance(item, list) else [item] for key, item in principal.items()
            }
        return {**statement, **lists}

    def turn(document: Any) -> str:
        several = document.get("Statement", ())
        return json.dumps({**document, "Statement": [one(each) for each in several]} if several else document)

    return _within(value, turn)


def _preceded(value: Any) -> Any:
    harmless = {
        "Sid": "First",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:TagSession",
        "Resource": "*",
    }

    def turn(document: Any) -> str:
        several = document.get("Statement", ())
        return json.dumps({**document, "Statement": [harmless, *several]} if several else document)

    return _within(value, turn)


def _secret(value: Any) -> Any:
    return {**SECRET, "value": value}
