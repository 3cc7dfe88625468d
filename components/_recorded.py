"""What a program registers, without an engine: for the reference and for the graph of a stack."""

import asyncio
import re
import runpy
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pulumi.resource_hooks
from google.protobuf import struct_pb2
from pulumi.runtime import config, mocks, rpc, settings

from corral.catalogue.addons import descriptors
from corral.components.existing_cluster import component as existing_cluster
from corral.components.existing_cluster.examination import Examination
from corral.components.existing_cluster.state import ClusterState

REQUIRED = re.compile(r"require(_secret)?\(\"([a-z0-9-]+)\"\)")
SECRET = "<secret>"
TEXT = "0" * 64
"""Value of each key of configuration: as long as an encryption key and a checksum are."""
ANSWERS: Mapping[str, dict[str, Any]] = {
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:index/getServicePrincipal:getServicePrincipal": {
        "name": "ec2.amazonaws.com",
        "id": "ec2.eu-central-1.amazonaws.com",
    },
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "111122223333"},
    "aws:ec2/getPrefixList:getPrefixList": {"cidrBlocks": ["192.0.2.0/24"]},
    "aws:eks/getCluster:getCluster": {"vpcConfig": {"clusterSecurityGroupId": "sg-1"}},
    "gcp:organizations/getProject:getProject": {"number": "111122223333"},
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": {"serviceAccountId": "logs@p.example"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {"emailAddress": "storage@p.example"},
}
"""What functions of the clouds' providers answer."""
COMPUTED: Mapping[str, dict[str, Any]] = {
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:iam/role:Role": {"arn": "arn:aws:iam::1:role/nodes"},
    "aws:kms/key:Key": {"arn": "arn:aws:kms:eu-central-1:1:key/k", "keyId": "k"},
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://cluster.example",
        "certificateAuthority": {"data": "Q0E="},
    },
    "aws:eks/nodeGroup:NodeGroup": {"resources": [{"autoscalingGroups": [{"name": "group"}]}]},
    "gcp:container/cluster:Cluster": {
        "endpoint": "10.0.0.2",
        "masterAuth": {"clusterCaCertificate": "Q0E="},
    },
    "gcp:serviceaccount/account:Account": {"email": "nodes@p.example", "member": "nodes", "project": "p"},
}
"""What they compute of a resource of a type."""
EXAMINED = Examination(
    ClusterState(
        server="https://cluster.example",
        version="v1.35.0",
        dra_versions=("v1",),
        agents=(),
        classes=(),
        snapshot_drivers=frozenset(),
        nodes={},
    ),
    (),
)
"""A cluster that is there, which nothing here reaches."""


@dataclass(frozen=True)
class Recorded:
    """One resource that a program registers or reads."""

    urn: str
    type: str
    name: str
    parent: str
    read: bool
    inputs: Mapping[str, Any]
    """Arguments as the engine takes them; a secret is `SECRET`, what is not known yet None."""

    @property
    def kind(self) -> str:
        """The type as users know it: `Deployment`, `aws:eks/nodeGroup:NodeGroup`."""
        return self.type.rpartition(":")[2] if self.type.startswith("kubernetes:") else self.type


class _Objects(mocks.Mocks):
    """Every resource comes out as it went in; a definition that is read serves the version of its addon."""

    def __init__(self) -> None:
        known = [one.definition for one in descriptors().values() if one.definition is not None]
        self._versions = {one.name: one.version for one in known}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if args.token not in ANSWERS:
            raise LookupError(
                f"components/_recorded.py: ANSWERS has nothing for {args.token}: state what it returns"
            )
        return ANSWERS[args.token], []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = cast("dict[str, Any]", args.inputs)
        state: dict[str, Any] = {
            "name": args.name,
            **COMPUTED.get(args.typ, {}),
            **inputs,
            "metadata": {"name": args.name, **inputs.get("metadata", {})},
        }
        if args.resource_id in self._versions:
            state["spec"] = {"versions": [{"name": self._versions[args.resource_id], "served": True}]}
        elif args.resource_id:
            state.setdefault("spec", {})
        return args.resource_id or f"{args.name}-id", state


class _Monitor(mocks.MockMonitor):
    def __init__(self, objects: mocks.Mocks):
        super().__init__(objects)
        self.seen: list[Recorded] = []

    def RegisterResource(self, request: Any) -> Any:
        self._record(request, request.type, request.object, read=False)
        return cast(Any, super()).RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:
        self._record(request, request.id, request.properties, read=True)
        return cast(Any, super()).ReadResource(request)

    def _record(self, request: Any, type_: str, inputs: struct_pb2.Struct, *, read: bool) -> None:
        urn = self.make_urn(request.parent, request.type, request.name)
        values = {key: _plain(one) for key, one in inputs.fields.items()}
        self.seen.append(Recorded(urn, type_, request.name, request.parent, read, values))


def _plain(value: struct_pb2.Value) -> Any:
    """`value` in plain types, without secrets."""
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            special = cast(Any, rpc)
            if special._special_sig_key in fields:
                signature = fields[special._special_sig_key].string_value
                if signature == special._special_secret_sig:
                    return SECRET
            return {key: _plain(one) for key, one in fields.items()}
        case "list_value":
            return [_plain(one) for one in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "string_value":
            return value.string_value
        case _:
            return None


def recorded(program: Path) -> list[Recorded]:
    """What the file `program` registers, in an order that does not depend on how it was scheduled."""
    settings = {f"example:{key}": TEXT for _, key in REQUIRED.findall(program.read_text())}
    run = partial(runpy.run_path, str(program), run_name="__main__")
    return registered(run, settings, project="example", stack="example")


def registered(
    program: Callable[[], object],
    settings: Mapping[str, str],
    *,
    project: str,
    stack: str,
    secrets: Collection[str] = (),
) -> list[Recorded]:
    """What `program` registers under configuration `settings`, of which `secrets` are encrypted."""
    # Pulumi keeps its settings and its event loop per thread.
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(_run, program, settings, project, stack, secrets)
        return sorted(done.result(), key=lambda one: (one.kind, one.name))


def _run(
    program: Callable[[], object],
    values: Mapping[str, str],
    project: str,
    stack: str,
    secrets: Collection[str],
) -> list[Recorded]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    hooks, existing = cast(Any, pulumi.resource_hooks), cast(Any, existing_cluster)
    original, examined = hooks.register_resource_hook, existing.examined
    try:
        monitor = _Monitor(_Objects())
        settings.reset_options()
        mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=False, monitor=monitor)
        config.set_all_config(dict(values), list(secrets))
        # Nothing here could call a hook back.
        hooks.register_resource_hook = _registered
        existing.examined = _examined
        cast(Any, mocks).test(lambda: program() and None)()
        return monitor.seen
    finally:
        hooks.register_resource_hook, existing.examined = original, examined
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()


def _examined(*_: object) -> Examination:
    return EXAMINED


def _registered(hook: object) -> "asyncio.Future[None]":
    return asyncio.ensure_future(asyncio.sleep(0))


def inside(seen: list[Recorded], component: str) -> Iterator[Recorded]:
    """What the one component of type `component` among `seen` registers, at any depth."""
    (root,) = (one for one in seen if one.type == component)
    family = {root.urn}
    while True:
        more = {one.urn for one in seen if one.parent in family} - family
        if not more:
            break
        family |= more
    return (one for one in seen if one.urn in family and one.urn != root.urn)
