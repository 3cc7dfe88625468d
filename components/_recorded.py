"""What a program registers, without an engine: for the reference, which shows what each example creates."""

import asyncio
import re
import runpy
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi.resource_hooks
from pulumi.runtime import config, mocks, settings

from corral.catalogue.addons import descriptors
from corral.components.existing_cluster import component as existing_cluster
from corral.components.existing_cluster.examination import Examination
from corral.components.existing_cluster.state import ClusterState

REQUIRED = re.compile(r"require(_secret)?\(\"([a-z0-9-]+)\"\)")
TEXT = "0" * 64
"""Value of each key of configuration: as long as an encryption key and a checksum are."""
ANSWERS: Mapping[str, dict[str, Any]] = {
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:index/getServicePrincipal:getServicePrincipal": {
        "name": "ec2.amazonaws.com",
        "id": "ec2.eu-central-1.amazonaws.com",
    },
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "111122223333"},
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
        return ANSWERS.get(args.token, {}), []

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
        return args.resource_id or f"{args.name}-id", state


class _Monitor(mocks.MockMonitor):
    def __init__(self, objects: mocks.Mocks):
        super().__init__(objects)
        self.seen: list[Recorded] = []

    def RegisterResource(self, request: Any) -> Any:
        self._record(request, request.type, read=False)
        return cast(Any, super()).RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:
        self._record(request, request.id, read=True)
        return cast(Any, super()).ReadResource(request)

    def _record(self, request: Any, type_: str, *, read: bool) -> None:
        urn = self.make_urn(request.parent, request.type, request.name)
        self.seen.append(Recorded(urn, type_, request.name, request.parent, read))


def recorded(program: Path) -> list[Recorded]:
    """What `program` registers, in an order that does not depend on how it was scheduled."""
    # Pulumi keeps its settings and its event loop per thread.
    with ThreadPoolExecutor(1) as thread:
        return sorted(thread.submit(_run, program).result(), key=lambda one: (one.kind, one.name))


def _run(program: Path) -> list[Recorded]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    hooks, existing = cast(Any, pulumi.resource_hooks), cast(Any, existing_cluster)
    original, examined = hooks.register_resource_hook, existing.examined
    try:
        monitor = _Monitor(_Objects())
        settings.reset_options()
        mocks.set_mocks(monitor.mocks, project="example", stack="example", preview=False, monitor=monitor)
        config.set_all_config({f"example:{key}": TEXT for _, key in REQUIRED.findall(program.read_text())})
        # Nothing here could call a hook back.
        hooks.register_resource_hook = _registered
        existing.examined = _examined
        cast(Any, mocks).test(lambda: runpy.run_path(str(program), run_name="__main__") and None)()
        return monitor.seen
    finally:
        hooks.register_resource_hook, existing.examined = original, examined
        for task in asyncio.all_tasks(loop):
            task.cancel()
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
