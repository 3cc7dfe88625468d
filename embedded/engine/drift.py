"""Drift: objects that a stack or one of its Helm releases made, and that somebody deleted or scaled by hand.

Pulumi refreshes what it made itself; of a Helm release it reads no object.
"""

import base64
import gzip
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import yaml

from corral.embedded.engine.releases import TYPE as RELEASE
from corral.embedded.kube import Object, Objects
from corral.embedded.objects import at, child, children

SCALED = frozenset({"Deployment", "StatefulSet"})
COLUMNS = ("apiVersion", "kind", "metadata.namespace", "metadata.name", "spec.replicas")
Key = tuple[str, str, str]
"""Group, kind and name."""
DIVIDER = re.compile(r"^---\s*$", re.MULTILINE)
WORKLOAD = re.compile(rf"^kind: ['\"]?({'|'.join(sorted(SCALED))})\b", re.MULTILINE)
CONTENT = re.compile(r"^(?!apiVersion|kind|metadata)\w+:", re.MULTILINE)
STORED = "--selector=owner=helm,status=deployed"
"""Option of kubectl that chooses the Secrets in which Helm keeps its releases."""
ABSENT = "<none>"
"""What kubectl prints for a column without a value."""


@dataclass(frozen=True)
class ReleaseId:
    """A Helm release that is deployed, by its present revision."""

    namespace: str
    name: str
    revision: int

    @property
    def restoring(self) -> list[str]:
        """Arguments of the `helm` that makes anew what is missing of it."""
        place = ["--namespace", self.namespace, "--no-hooks", "--wait"]
        return ["rollback", self.name, str(self.revision), *place]


@dataclass(frozen=True)
class Stated:
    """One object as its maker stated it."""

    api_version: str
    kind: str
    namespace: str
    """Empty for an object of the cluster."""
    name: str
    replicas: int | None
    """Of a Deployment or StatefulSet; None: it has none."""
    release: ReleaseId | None = None
    """The release that it belongs to; None: Pulumi made it."""

    @property
    def key(self) -> "Key":
        """What tells it from others, whatever version of its group it is read in."""
        return _group(self.api_version), self.kind, self.name

    @property
    def title(self) -> str:
        """Such as `Deployment kserve/kserve-controller-manager`."""
        return f"{self.kind} " + "/".join(part for part in (self.namespace, self.name) if part)


@dataclass(frozen=True)
class Difference:
    """A stated object that the cluster does not have so."""

    stated: Stated
    replicas: int | None = None
    """How many replicas it has instead; None: it is not there."""

    @property
    def scaling(self) -> list[str]:
        """Arguments of the `kubectl` that brings back the stated replicas."""
        one = self.stated
        space = one.namespace or (one.release.namespace if one.release else "")
        return ["scale", f"{one.kind}/{one.name}", f"--namespace={space}", f"--replicas={one.replicas}"]

    def __str__(self) -> str:
        if self.replicas is None:
            return f"{self.stated.title} is missing"
        return f"{self.stated.title} is scaled to {self.replicas}, {self.stated.replicas} are stated"


class Unreadable(Exception):
    """The cluster, or what a stack made on it, cannot be read; the text is one line."""


def served(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a kubectl that has ended read what it should; False: the cluster has no such resource type.

    Raises:
        Unreadable: the cluster does not answer, or refuses.
    """
    if not done.returncode:
        return True
    if "the server doesn't have a resource type" in done.stderr:
        return False
    raise Unreadable(reason(done.stderr))


@dataclass(frozen=True)
class Kubectl:
    """A kubectl that reaches the stack's cluster."""

    command: Sequence[str]
    environment: Mapping[str, str]

    def run(self, arguments: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


def items(kubectl: Kubectl, kind: str, *options: str) -> Objects:
    """All objects of a kind; none where the cluster does not serve it.

    Raises:
        Unreadable: the cluster does not answer, or refuses.
    """
    done = kubectl.run(["get", kind, "--all-namespaces", *options, "--output=json"])
    return children(json.loads(done.stdout), "items") if served(done) else []


def differences(kubectl: Kubectl, state: Object) -> list[Difference]:
    """What differs between a stack's exported `state`, with its releases, and the cluster.

    A stack without Kubernetes objects asks no cluster.

    Raises:
        Unreadable: the cluster does not answer.
    """
    resources = children(state, "deployment", "resources")
    releases = releases_of(resources)
    secrets = items(kubectl, "secrets", STORED) if releases else []
    stated = [*of_pulumi(resources), *of_releases(contents(releases, secrets))]
    return list(compare(stated, live(kubectl, stated))) if stated else []


def of_pulumi(resources: Iterable[Object]) -> Iterator[Stated]:
    """Objects among the `resources` of a state; patches of others' objects are none."""
    for one in resources:
        inputs = child(one, "inputs")
        metadata = child(inputs, "metadata")
        patch = str(one["type"]).endswith("Patch")
        if not one.get("custom") or one.get("external") or one.get("delete") or patch:
            continue
        if not str(one["type"]).startswith("kubernetes:") or not metadata or "kind" not in inputs:
            continue
        namespace, _, name = str(one["id"]).rpartition("/")
        yield _stated(inputs, namespace, name, None)


def releases_of(resources: Iterable[Object]) -> frozenset[tuple[str, str]]:
    """Namespace and name of each Helm release of a state."""
    inputs = (child(one, "inputs") for one in resources if one["type"] == RELEASE)
    return frozenset((str(one.get("namespace")), str(one["name"])) for one in inputs)


def contents(ours: frozenset[tuple[str, str]], secrets: Objects) -> list[Object]:
    """The releases among `ours`, out of the Secrets in which Helm keeps them."""
    every = (_unpacked(str(child(secret, "data")["release"])) for secret in secrets)
    return [one for one in every if (str(one["namespace"]), str(one["name"])) in ours]


def of_releases(releases: Objects) -> Iterator[Stated]:
    """Objects of `releases`, as `contents` has them."""
    for content in releases:
        release = ReleaseId(str(content["namespace"]), str(content["name"]), int(content["version"]))
        for item in _objects(str(content["manifest"])):
            metadata = child(item, "metadata")
            yield _stated(item, str(metadata.get("namespace") or ""), str(metadata["name"]), release)


def _objects(manifest: str) -> Iterator[Object]:
    """What `compare` needs of each object: all of a workload, of others what comes before their content.

    The types of a chart are most of its text.
    """
    for text in DIVIDER.split(manifest):
        whole = WORKLOAD.search(text) is not None
        document = yaml.load(text if whole else CONTENT.split(text, maxsplit=1)[0], yaml.CSafeLoader)
        if not whole and isinstance(document, dict) and "metadata" not in document:
            document = yaml.load(text, yaml.CSafeLoader)
        if isinstance(document, dict) and "kind" in document:
            yield cast(Object, document)


def _stated(item: Object, namespace: str, name: str, release: ReleaseId | None) -> Stated:
    kind = str(item["kind"])
    replicas = None
    if kind in SCALED:
        declared = at(item, "spec", "replicas")
        replicas = 1 if declared is None else int(declared)
    return Stated(str(item["apiVersion"]), kind, namespace, name, replicas, release)


def _unpacked(encoded: str) -> Object:
    """A release of Helm's as it stores it: JSON, compressed, encoded, and encoded again by Kubernetes."""
    return json.loads(gzip.decompress(base64.b64decode(base64.b64decode(encoded))))


def compare(stated: Iterable[Stated], live: Mapping[Key, Mapping[str, int | None]]) -> Iterator[Difference]:
    """What of `stated` is not so in the cluster, where `live` has the replicas by namespace."""
    for one in stated:
        there = live.get(one.key, {})
        namespace = next((space for space in _spaces(one) if space in there), None)
        if namespace is None:
            yield Difference(one)
        elif one.replicas is not None and there[namespace] not in (None, one.replicas):
            yield Difference(one, there[namespace])


def _spaces(stated: Stated) -> tuple[str, ...]:
    """Where an object may be: one of a chart may name no namespace, or one though it is the cluster's."""
    if stated.release is None:
        return (stated.namespace,)
    return ("", stated.namespace or stated.release.namespace)


def live(kubectl: Kubectl, stated: Sequence[Stated]) -> dict[Key, dict[str, int | None]]:
    """Replicas by namespace of what is there of the stated kinds."""
    kinds = sorted({_resource(one) for one in stated})
    done = _listed(kubectl, kinds) if kinds else ""
    if done is None:
        # One type that is gone with all its objects fails the whole request.
        done = "".join(_listed(kubectl, [kind]) or "" for kind in kinds)
    replicas_of: dict[Key, dict[str, int | None]] = {}
    for line in done.splitlines():
        version, kind, namespace, name, replicas = line.split()
        space = "" if namespace == ABSENT else namespace
        key = (_group(version), kind, name)
        replicas_of.setdefault(key, {})[space] = int(replicas) if replicas.isdecimal() else None
    return replicas_of


def _listed(kubectl: Kubectl, kinds: Sequence[str]) -> str | None:
    """Lines of all objects of `kinds`; None: the cluster does not serve one of them.

    Raises:
        Unreadable: the cluster does not answer, or refuses.
    """
    columns = ",".join(f"C{index}:.{path}" for index, path in enumerate(COLUMNS))
    options = ("--all-namespaces", "--ignore-not-found", "--no-headers", f"--output=custom-columns={columns}")
    done = kubectl.run(["get", ",".join(kinds), *options])
    return done.stdout if served(done) else None


def _resource(stated: Stated) -> str:
    """The kind as kubectl takes it: `Deployment.v1.apps`, `Secret`."""
    group, _, version = stated.api_version.rpartition("/")
    return f"{stated.kind}.{version}.{group}" if group else stated.kind


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


REASONS = ("error: ", "Error from server", "Unable to connect to the server", "The connection to the server")
"""How kubectl begins the line with its reason; after it come hints, such as where plugins are documented."""


def reason(text: str) -> str:
    """Why a kubectl failed, in one line of what it said."""
    lines = text.strip().splitlines() or ["kubectl failed without a word"]
    return next((line for line in reversed(lines) if line.startswith(REASONS)), lines[-1]).strip()
