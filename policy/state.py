"""The pack over an exported state: `python -m corral.policy.state < question.json > answer.json`.

The question is `{"config": {"corral:platform": JSON text}, "deployment": …}`, as `pulumi stack export` has it
without `--show-secrets`; the answer is an `Evaluation`. What is encrypted counts as not known. A Helm release
is rendered with a word in place of what is encrypted in its values, and what is wrong then is undecided.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, cast

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from corral.controls.control import UNKNOWN, Control, ObjectRule, Resource
from corral.controls.register import CONTROLS
from corral.controls.tasks import TASKS
from corral.controls.verdicts import Evaluation, Finding, Outcome
from corral.policy.adapter import adapted
from corral.policy.configured import configured
from corral.policy.constraints import constraints_of
from corral.policy.pack import EXCEPTED, NAME, RENDERABLE, UNDECIDED, concerns, policies
from corral.policy.rendered import RELEASE
from corral.policy.stamp import control_of

ENCRYPTED = "encrypted-values"
"""Finding about a release that was rendered without what is encrypted in its values."""
WORD = "encrypted"

Recorded = Mapping[str, Any]
"""A resource of the state."""


def evaluation(config: Mapping[str, str], resources: Sequence[Recorded]) -> Evaluation:
    """What the pack says of `resources`, under the constraints that `config` has.

    Raises:
        ValueError: the configuration is wrong.
    """
    made = policies(constraints_of(config))
    servicer: Any = configured(lambda _config: made, concerns)(NAME, "0", made, EnforcementLevel.MANDATORY)
    by_urn = {str(one["urn"]): one for one in resources}
    # Neither what was only read nor what waits for its deletion is evaluated by a run.
    present = [one for one in resources if not one.get("external") and not one.get("delete")]
    diagnostics: list[tuple[str, Any]] = []
    for one in present:
        request = analyzer_pb2.AnalyzeRequest(**_request(one, by_urn))
        diagnostics += [(str(one["urn"]), said) for said in servicer.Analyze(request, None).diagnostics]
    whole = analyzer_pb2.AnalyzeStackRequest(resources=[_of_stack(one, by_urn) for one in present])
    diagnostics += [(said.urn, said) for said in servicer.AnalyzeStack(whole, None).diagnostics]
    blind = {str(one["urn"]) for one in present if one["type"] == RELEASE and _has_secret(one.get("inputs"))}
    found = {_finding(urn, said, blind): None for urn, said in diagnostics}
    found |= {Finding(ENCRYPTED, urn, Outcome.UNDECIDED): None for urn in sorted(blind)}
    demanded = {one.name for one in made}
    tokens = {str(one["urn"]): str(one["type"]) for one in present}
    kinds = {str(one["urn"]): _kinds(one) for one in present}
    evaluated = {
        one.id: tuple(urn for urn, token in tokens.items() if _about(one, token, kinds[urn]))
        for one in CONTROLS
        if one.id.lower() in demanded
    }
    return Evaluation(evaluated, tuple(found))


def _about(control: Control, token: str, kinds: Set[str]) -> bool:
    """Whether the rule of `control` is about a resource of type `token` with workloads of `kinds`."""
    if isinstance(control.rule, ObjectRule):
        about = control.rule.of_clouds or token not in TASKS
        return about and not kinds.isdisjoint(control.rule.kinds)
    return control.rule.applies(token)


def _kinds(one: Recorded) -> Set[str]:
    """Kinds of the workloads in a resource, those of a release as it is rendered."""
    inputs = _plain(one.get("inputs") or {}, WORD if one["type"] == RELEASE else UNKNOWN)
    subject = Resource(str(one["type"]), _name(one["urn"]), inputs)
    return {str(workload.known.get("kind")) for workload in adapted(subject).workloads}


def _finding(urn: str, said: Any, blind: Set[str]) -> Finding:
    policy = said.policyName.removesuffix("-of-the-stack")
    if policy == EXCEPTED:
        outcome = Outcome.EXCEPTED
    elif policy in (UNDECIDED, RENDERABLE) or urn in blind:
        outcome = Outcome.UNDECIDED
    elif said.enforcementLevel == analyzer_pb2.ADVISORY:
        outcome = Outcome.REPORTED
    else:
        outcome = Outcome.VIOLATED
    return Finding(control_of(policy, said.message), urn, outcome)


def _request(one: Recorded, by_urn: Mapping[str, Recorded]) -> dict[str, Any]:
    options = analyzer_pb2.AnalyzerResourceOptions(
        protect=bool(one.get("protect")), ignoreChanges=list(one.get("ignoreChanges") or ())
    )
    made: dict[str, Any] = {
        "type": one["type"],
        "name": _name(one["urn"]),
        "urn": one["urn"],
        "properties": _struct(one),
        "options": options,
    }
    provider = by_urn.get(str(one.get("provider") or "").rpartition("::")[0])
    if provider is not None:
        made["provider"] = analyzer_pb2.AnalyzerProviderResource(
            type=provider["type"],
            properties=_struct(provider),
            urn=provider["urn"],
            name=_name(provider["urn"]),
        )
    return made


def _of_stack(one: Recorded, by_urn: Mapping[str, Recorded]) -> Any:
    made = analyzer_pb2.AnalyzerResource(**_request(one, by_urn), parent=str(one.get("parent") or ""))
    for key, urns in cast("Mapping[str, Any]", one.get("propertyDependencies") or {}).items():
        made.propertyDependencies[key].urns.extend(urns or ())
    return made


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _struct(one: Recorded) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(_plain(one.get("inputs") or {}, WORD if one["type"] == RELEASE else UNKNOWN_STRING_VALUE))
    return made


def _plain(value: Any, secret: object) -> Any:
    """`value` with `secret` in place of each secret."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        if fields.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            return secret
        return {key: _plain(item, secret) for key, item in fields.items()}
    if isinstance(value, list):
        return [_plain(item, secret) for item in cast("list[Any]", value)]
    return value


def _has_secret(value: Any) -> bool:
    """Whether something in `value` is encrypted."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return fields.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG or any(map(_has_secret, fields.values()))
    return isinstance(value, list) and any(map(_has_secret, cast("list[Any]", value)))


def recorded(deployment: Mapping[str, Any]) -> Iterator[Recorded]:
    """The resources of an exported state."""
    whole = cast("Mapping[str, Any]", deployment.get("deployment") or deployment)
    yield from cast("Sequence[Recorded]", whole.get("resources") or ())


def main() -> int:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    try:
        found = evaluation(question["config"], list(recorded(question["deployment"])))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    json.dump(found.document, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
