"""A try whether NetworkPolicies hold in a cluster: two pods in a namespace of their own, removed again."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from corral.components._pods import restricted_container, restricted_pod
from corral.components.existing_cluster.connection import Connection, Fields, Refused

PREFIX = "corral-probe-"
ROLE = "corral.dev/probe"
"""Label of the namespace and of both pods."""
LISTENER, DIALER = "listener", "dialer"
PORT = 8080
USER = 65532
OPEN_SECONDS = 60
"""How long a way may take to open."""
MARGIN_SECONDS = 15
"""From the end of one container to that of the next, beside what the next takes."""
START_SECONDS = 180
"""How long the pods may take to run: a node may have to be made, and the image to be pulled."""
LIFETIME_SECONDS = 600
"""After which both pods end by themselves, whoever was killed."""
ACCOUNT_SECONDS = 15
POLL_SECONDS = 0.5
STAGES = {"open": False, "ingress": True, "reopened": False, "egress": True}
"""Containers of the dialing pod, one after the other, and whether the way is to be closed in each."""
DENIED = {"ingress": LISTENER, "egress": DIALER}
"""Stages before which a policy is made, of the stage's own direction, and the pod that it selects."""


@dataclass(frozen=True)
class ProbePods:
    """What the two pods are made of."""

    image: str
    """Reference of the tools image."""
    placement: Mapping[str, Any]
    """Fields of a pod that choose its nodes; empty: any."""
    closing_seconds: int = 30
    """How long a policy may take to end connections: some networks take seconds for it."""


@dataclass(frozen=True)
class Probed:
    """What came of a try."""

    enforced: bool | None
    """None: it could not be tried."""
    message: str
    """What was seen, in one line."""


def probe(connection: Connection, pods: ProbePods, say: Callable[[str], None]) -> Probed:
    """Whether a policy that denies ingress, and one that denies egress, end connections between two pods.

    Nothing outside a new namespace is touched, and that is removed in the end.

    Raises:
        ClusterUnreachable: nobody answers any more; the namespace may then still be there.
    """
    try:
        with _namespace(connection, say) as space:
            return _tried(_Probe(connection, space, pods))
    except Refused as refusal:
        return Probed(None, f"not tried: {refusal}")


@contextmanager
def _namespace(connection: Connection, say: Callable[[str], None]) -> Generator[str]:
    made = connection.create(
        "/api/v1/namespaces",
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "generateName": PREFIX,
                "labels": {ROLE: "network-policy", "pod-security.kubernetes.io/enforce": "restricted"},
            },
        },
    )
    name = str(made["metadata"]["name"])
    say(f"trying NetworkPolicies by two pods in namespace {name}, which is removed afterwards")
    try:
        yield name
    finally:
        connection.delete(f"/api/v1/namespaces/{name}")


@dataclass(frozen=True)
class _Probe:
    connection: Connection
    space: str
    pods: ProbePods

    def create(self, group: str, kind: str, name: str, spec: Fields) -> None:
        """Make an object of `kind`, whose collection's path begins with `group`."""
        self.connection.create(
            f"{group}/namespaces/{self.space}/{PLURALS[kind]}",
            {
                "apiVersion": group.removeprefix("/apis/").removeprefix("/api/"),
                "kind": kind,
                "metadata": {"name": name, "labels": {ROLE: name}},
                "spec": spec,
            },
        )

    def pod(self, name: str, containers: Sequence[Fields]) -> None:
        """Make a pod whose containers run one after the other.

        Raises:
            Refused: it was not made.
        """
        *before, last = [{**self._container(), **one} for one in containers]
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": LIFETIME_SECONDS,
            "terminationGracePeriodSeconds": 1,
            "securityContext": restricted_pod(USER),
            "initContainers": before,
            "containers": [last],
            **self.pods.placement,
        }
        end = time.monotonic() + ACCOUNT_SECONDS
        while True:
            try:
                return self.create("/api/v1", "Pod", name, spec)
            except Refused as refusal:
                # The controller makes the namespace's account a moment after the namespace.
                if "serviceaccount" not in str(refusal).lower() or time.monotonic() > end:
                    raise
            time.sleep(POLL_SECONDS)

    def _container(self) -> dict[str, Any]:
        return {
            "image": self.pods.image,
            "command": ["corral"],
            "resources": {
                "requests": {"cpu": "50m", "memory": "128Mi"},
                "limits": {"memory": "256Mi"},
            },
            "securityContext": restricted_container(read_only_root=True),
        }

    def deny(self, direction: str) -> None:
        """Make the policy that lets nothing through in `direction`."""
        spec = {
            "podSelector": {"matchLabels": {ROLE: DENIED[direction]}},
            "policyTypes": [direction.capitalize()],
        }
        self.create("/apis/networking.k8s.io/v1", "NetworkPolicy", direction, spec)

    def allow(self, direction: str) -> None:
        """Remove that policy."""
        self.connection.delete(
            f"/apis/networking.k8s.io/v1/namespaces/{self.space}/networkpolicies/{direction}"
        )

    def status(self, pod: str) -> Fields:
        """What is known of a pod."""
        read = self.connection.read(f"/api/v1/namespaces/{self.space}/pods/{pod}") or {}
        return cast("Fields", read.get("status") or {})

    def ended(self, stage: str, seconds: float) -> int | str:
        """Exit code of the stage's container; a text: why there is none within `seconds`."""
        end = time.monotonic() + seconds
        while True:
            status = self.status(DIALER)
            code = _exit_code(status, stage)
            if code is not None:
                return code
            if time.monotonic() > end:
                return _obstacle(status) or _obstacle(self.status(LISTENER)) or f"no end within {seconds:g} s"
            time.sleep(POLL_SECONDS)


PLURALS = {"Pod": "pods", "Service": "services", "NetworkPolicy": "networkpolicies"}


def _tried(probe: _Probe) -> Probed:
    probe.create("/api/v1", "Service", LISTENER, {"selector": {ROLE: LISTENER}, "ports": [{"port": PORT}]})
    seconds = f"--seconds={LIFETIME_SECONDS}"
    listening = ["probe", "listen", f"--port={PORT}", seconds]
    probe.pod(LISTENER, [{"name": LISTENER, "args": listening}])
    service = probe.connection.read(f"/api/v1/namespaces/{probe.space}/services/{LISTENER}") or {}
    address = str(service["spec"]["clusterIP"])
    probe.pod(DIALER, [_dialing(stage, address, probe.pods) for stage in STAGES])
    for stage, closed in STAGES.items():
        if stage in DENIED:
            probe.deny(stage)
        elif stage == "reopened":
            probe.allow("ingress")
        started = MARGIN_SECONDS if closed else START_SECONDS
        ended = probe.ended(stage, started + _seconds(stage, probe.pods))
        if isinstance(ended, str):
            return Probed(None, f"not tried: {ended}")
        if ended and closed:
            seconds = probe.pods.closing_seconds
            return Probed(False, f"a policy that denies {stage} did not end a connection in {seconds} s")
        if ended:
            return Probed(None, "not tried: one pod does not reach the other even without a policy")
    if probe.status(LISTENER).get("phase") != "Running":
        return Probed(None, "not tried: the pod that is called has ended")
    return Probed(True, "policies that deny ingress and egress each ended a connection between two pods")


def _seconds(stage: str, pods: ProbePods) -> int:
    return pods.closing_seconds if STAGES[stage] else OPEN_SECONDS


def _dialing(stage: str, address: str, pods: ProbePods) -> dict[str, Any]:
    flags = [f"--host={address}", f"--port={PORT}", f"--seconds={_seconds(stage, pods)}"]
    return {"name": stage, "args": ["probe", "dial", *flags, *(["--closed"] if STAGES[stage] else [])]}


def _containers(status: Fields) -> list[Fields]:
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return cast("list[Fields]", listed)


def _exit_code(status: Fields, container: str) -> int | None:
    for one in _containers(status):
        ended = cast("Fields", one.get("state") or {}).get("terminated")
        if one["name"] == container and ended:
            return int(ended["exitCode"])
    return None


def _obstacle(status: Fields) -> str:
    """Why a pod does not run, in the words of its node or of the scheduler; empty: unknown."""
    for one in _containers(status):
        waiting = cast("Fields", cast("Fields", one.get("state") or {}).get("waiting") or {})
        if waiting.get("message"):
            return f"{waiting.get('reason')}: {waiting['message']}"
    for one in cast("list[Fields]", status.get("conditions") or ()):
        if one.get("status") == "False" and one.get("message"):
            return str(one["message"])
    return ""
