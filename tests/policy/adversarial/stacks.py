"""Entries of the adversarial set, and the verdict of the whole pack on one of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from corral.controls.profiles import profile
from corral.policy.configured import configured
from corral.policy.pack import concerns, policies

REGISTRY = "registry.example.eu"
STORES = ("s3://models/",)
DIGEST = "@sha256:" + "a" * 64
IMAGE = f"{REGISTRY}/vllm/vllm-openai:v0.11.0{DIGEST}"
PROFILE = "eu-controlled"


@dataclass(frozen=True)
class Entry:
    """One resource, alone or among others, with the control that must stop it; "": none may."""

    title: str
    control: str
    token: str
    props: Mapping[str, Any]
    others: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Further resources; a property `@0` refers to the first resource."""
    provider: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ignored: Sequence[str] = ()
    protect: bool = True
    profile: str = PROFILE


@cache
def analyzer(name: str) -> Any:
    made = policies(profile(name, registry=REGISTRY, stores=STORES))
    return configured(lambda _config: made, concerns)("corral", "0.1.0", made, EnforcementLevel.MANDATORY)


def struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(dict(props))
    return made


def urn(token: str, index: int) -> str:
    return f"urn:pulumi:s::p::{token}::r{index}"


def _provider(request: Any, token: str, props: Mapping[str, Any]) -> None:
    package = token.partition(":")[0]
    place = {"aws": {"region": "eu-central-1"}, "gcp": {"region": "europe-west3"}}.get(package, {})
    request.provider.type = f"pulumi:providers:{package}"
    request.provider.name = "named"
    request.provider.urn = f"urn:pulumi:s::p::pulumi:providers:{package}::named"
    request.provider.properties.update({**place, **props})


def stopped(entry: Entry) -> set[str]:
    """Policies that stop `entry` under its profile, whether alone or among its others."""
    served = analyzer(entry.profile)
    everything = [(entry.token, entry.props), *entry.others]
    listed: list[Any] = []
    found: list[Any] = []
    for index, (token, props) in enumerate(everything):
        plain = {
            key: f"ref-{value}" if isinstance(value, str) and value.startswith("@") else value
            for key, value in props.items()
        }
        options = analyzer_pb2.AnalyzerResourceOptions(
            protect=entry.protect, ignoreChanges=list(entry.ignored) if index == 0 else []
        )
        request = analyzer_pb2.AnalyzeRequest(
            type=token, name=f"r{index}", urn=urn(token, index), properties=struct(plain), options=options
        )
        _provider(request, token, entry.provider)
        found.extend(served.Analyze(request, None).diagnostics)
        one = analyzer_pb2.AnalyzerResource(
            type=token, name=f"r{index}", urn=urn(token, index), properties=struct(plain), options=options
        )
        _provider(one, token, entry.provider)
        for key, value in props.items():
            if isinstance(value, str) and value.startswith("@"):
                target = int(value[1:])
                one.propertyDependencies[key].urns.append(urn(everything[target][0], target))
        listed.append(one)
    found.extend(served.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=listed), None).diagnostics)
    names: set[str] = set()
    for one in found:
        if one.enforcementLevel != analyzer_pb2.MANDATORY:
            continue
        names.add(one.policyName.upper() if one.policyName.startswith("sov") else one.policyName)
        if one.policyName == "configuration-keeps-to-controls":
            names.add(one.message.splitlines()[-1].partition(":")[0])
    return names


def text(document: Any) -> str:
    return json.dumps(document)
