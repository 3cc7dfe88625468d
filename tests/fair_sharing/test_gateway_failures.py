"""Servers that do not answer as a model does, behind the real proxies: failures in the interface's form."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.callers import (
    ATTEMPTS,
    CHANGED_SECONDS,
    KEYS,
    RESTART_SECONDS,
    SPACE,
    Steady,
    answers,
    call,
    connected,
)

from corral.components.gateway.objects import PROXY_PODS
from corral.embedded.plane.processes import Process

pytestmark = pytest.mark.engine

ROUTE = "red--smollm2"
OTHER, OTHER_PATH = "another-server", "/red/another-server/v1"
GRPC = 19333
"""Port of SeaweedFS's master that begins with HTTP/2, whatever the client says."""
VALKEY = 6379
"""Port of a server that ends a connection on which somebody speaks HTTP."""
DRAINED = 4
"""Seconds of the five that a replica has before it is told to end."""
DRAINED_SECONDS = 120
"""Twice what Envoy Gateway gives the connections of a proxy that is to end."""
LONGEST = 2
"""Seconds that an answer may take."""


@contextmanager
def routed(platform: Platform, **rule: object) -> Iterator[None]:
    """A route beside the model's and like it, but for its path and `rule`."""
    like = platform.read("httproute", ROUTE, "-n", SPACE)
    (own,) = like["spec"]["rules"]
    path = {"path": {"type": "PathPrefix", "value": OTHER_PATH}}
    metadata = {"name": OTHER, "namespace": SPACE, "labels": like["metadata"]["labels"]}
    route = {"apiVersion": like["apiVersion"], "kind": "HTTPRoute", "metadata": metadata}
    spec = {**like["spec"], "rules": [{**own, "matches": [path], **rule}]}
    platform.kubectl("apply", "-f", "-", stdin={**route, "spec": spec})
    try:
        yield
    finally:
        platform.kubectl("delete", "httproute", OTHER, "-n", SPACE)


@contextmanager
def leading_to(platform: Platform, namespace: str, pod: str, port: int) -> Iterator[None]:
    """A route to a pod that serves something else."""
    address = platform.read("pod", pod, "-n", namespace)["status"]["podIP"]
    metadata = {"name": OTHER, "namespace": "red"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
    platform.kubectl("apply", "-f", "-", stdin={**service, "spec": {"ports": [{"name": "http", "port": 80}]}})
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": OTHER}},
        "ports": [{"name": "http", "port": port}],
        "endpoints": [
            {"addresses": [address], "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod}}
        ],
    }
    platform.kubectl("apply", "-f", "-", stdin=endpoints)
    try:
        with routed(platform, backendRefs=[{"name": OTHER, "namespace": "red", "port": 80}]):
            yield
    finally:
        for kind in ("endpointslice", "service"):
            platform.kubectl("delete", kind, OTHER, "-n", "red")


def failure(client: httpx.Client, status: int) -> dict[str, Any]:
    """The error of the first call that has this status."""
    known: list[httpx.Response] = []

    def failed() -> bool:
        known.append(call(client, f"{OTHER_PATH}/models", KEYS["red"]))
        return known[-1].status_code == status

    platform_client.wait_for(failed, CHANGED_SECONDS, f"a call fails with {status}")
    assert known[-1].headers["content-type"] == "application/json"
    return known[-1].json()["error"]


@pytest.fixture(scope="module", autouse=True)
def known(client: httpx.Client) -> None:
    answers(client, "red", KEYS["red"], 200)


@pytest.mark.parametrize(
    ("status", "pod"),
    [
        (502, ("model-storage", "model-storage-0", GRPC)),
        (503, ("token-limits", "rate-limit-store-0", VALKEY)),
    ],
    ids=["another protocol", "a connection that it ends"],
)
def test_a_server_that_does_not_speak_http_is_an_error_in_the_interfaces_form(platform, client, status, pod):
    with leading_to(platform, *pod):
        error = failure(client, status)
    assert error == {
        "message": "No server of the model answers; try again.",
        "type": "server_error",
        "param": None,
        "code": "service_unavailable",
    }


def test_a_server_that_does_not_answer_in_time_is_one_too(platform, client):
    with routed(platform, timeouts={"request": f"{LONGEST}s"}):
        stopped = platform.program_of("red", "smollm2-predictor")
        os.kill(stopped.pid, signal.SIGSTOP)
        try:
            error = failure(client, 504)
        finally:
            os.kill(stopped.pid, signal.SIGCONT)
    assert error == {
        "message": "The answer took longer than it may.",
        "type": "server_error",
        "param": None,
        "code": "timeout",
    }


def test_a_replica_that_is_to_end_answers_until_the_proxies_know_of_it(platform, client):
    (pod,) = platform.model_pods()
    platform.kubectl("delete", "pod", pod["metadata"]["name"], "-n", "red", "--wait=false")
    until = time.monotonic() + DRAINED
    while time.monotonic() < until:
        assert call(client, "/red/smollm2/v1/models", KEYS["red"]).status_code == 200
        time.sleep(0.1)
    platform_client.wait_for(
        lambda: (
            platform.model_pods() and platform.model_pods()[0]["metadata"]["uid"] != pod["metadata"]["uid"]
        ),
        RESTART_SECONDS,
        "another replica has taken its place",
    )


def proxies(platform: Platform) -> list[dict[str, Any]]:
    """Pods of proxies that are ready."""
    (selector,) = (f"{label}={value}" for label, value in PROXY_PODS.items())
    pods = platform.items("pods", "-n", SPACE, "-l", selector)
    return [
        one
        for one in pods
        if platform_client.holds(one, "Ready") and "deletionTimestamp" not in one["metadata"]
    ]


@pytest.fixture
def two(platform: Platform) -> Iterator[list[str]]:
    """Names of two proxies, as a platform has them that is not on one machine."""

    def scaled(replicas: int) -> None:
        spec = {"provider": {"kubernetes": {"envoyDeployment": {"replicas": replicas}}}}
        patch = ("envoyproxy", "corral", "-n", SPACE, "--type=merge", "-p", json.dumps({"spec": spec}))
        platform.kubectl("patch", *patch)
        platform_client.wait_for(
            lambda: len(proxies(platform)) == replicas, DRAINED_SECONDS, f"{replicas} proxies are ready"
        )

    scaled(2)
    try:
        yield [one["metadata"]["name"] for one in proxies(platform)]
    finally:
        scaled(1)


def envoy(platform: Platform, name: str) -> Process:
    """The proxy itself in its pod, beside what ends it in order."""
    folder = platform.plane.pods / platform.read("pod", name, "-n", SPACE)["metadata"]["uid"]
    (one,) = (
        one
        for one in platform.processes()
        if f"{folder}/" in one.command_of_parent and "--disable-hot-restart" in one.command
    )
    return Process(one.pid, one.start)


def listed(client: httpx.Client, attempts: int = 1) -> Steady:
    """Callers that ask a model's server."""
    return Steady(lambda: call(client, "/red/smollm2/v1/models", KEYS["red"]), attempts)


def test_of_two_proxies_one_that_is_deleted_and_one_that_is_killed_lose_no_call(platform, two):
    with connected(platform) as client, listed(client).calling() as steady:
        time.sleep(1)
        platform.kubectl("delete", "pod", two[0], "-n", SPACE, "--wait=false")
        platform_client.wait_for(
            lambda: platform.items("pods", "-n", SPACE, f"--field-selector=metadata.name={two[0]}") == [],
            DRAINED_SECONDS,
            "its connections have ended, and it",
        )
    assert steady.lost() == [], "an application need not even ask again"

    platform_client.wait_for(lambda: len(proxies(platform)) == 2, RESTART_SECONDS, "there are two again")
    killed = envoy(platform, two[1])
    with connected(platform) as client, listed(client, ATTEMPTS).calling() as steady:
        time.sleep(1)
        os.kill(killed.pid, signal.SIGKILL)
        platform_client.wait_for(lambda: not killed.alive, 10, "the proxy is gone")
        platform_client.wait_for(lambda: len(proxies(platform)) == 2, RESTART_SECONDS, "it is back")
    assert steady.lost() == [], "a client that asks again as OpenAI's do"
