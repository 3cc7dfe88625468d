"""The API server's own policies and Kyverno's say of every mutation what it is made for, in each profile."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from platform_client import Platform, wait_for
from test_e2e_4_admission import BAD, BINDINGS, POLICIES, made, refusal, without
from tests.controls.same_verdict import live
from tests.controls.same_verdict.nets import stopping
from tests.controls.same_verdict.test_mutations import limits
from tests.door.pod_security import FIXTURES, VERSION, debugged, levels, pods

from corral.catalogue.vocabulary import CLASS_LABEL
from corral.controls.register import control

pytestmark = pytest.mark.engine

SECONDS = 90
ENFORCE = "pod-security.kubernetes.io/enforce"
CONSTRAINTS = {
    tried.policy: (control(one.control), limits(one.profile, one.stores)) for one, tried in live.objects()
}
EXPECTED = {live.NATIVE: 3000, live.KYVERNO: 600}
"""Objects that are compared at least."""
OF_ADDED_KINDS = {"sov-key-14-eu-resident", "sov-net-12-eu-resident"}
"""Policies for kinds alone that have a type for these tests, which a running Kyverno does not know."""


@pytest.fixture(scope="module")
def alone(platform: Platform) -> Iterator[Platform]:
    """The platform without its own policies, which come back afterwards."""
    with without(platform, POLICIES), without(platform, BINDINGS):
        yield platform
    wait_for(lambda: refusal(platform, *BAD[0][1:]), SECONDS, "the platform's own policies hold again")


@pytest.fixture(scope="module")
def added(alone: Platform) -> Iterator[frozenset[str]]:
    """Kinds that have a type for these tests alone: Kyverno knows those that were there when it started."""
    listed = alone.kubectl("get", "customresourcedefinitions", "-o", "name").split()
    types = [*live.resource_types(frozenset(one.rpartition("/")[2] for one in listed))]
    with made(alone, *types):
        yield frozenset(one["spec"]["names"]["kind"] for one in types)


@pytest.fixture(scope="module")
def installed(alone: Platform, added: frozenset[str]) -> Iterator[Platform]:
    """The platform with a policy per control, profile and net, each for the objects of that control."""
    namespace: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": live.NAMESPACE},
    }
    namespace["metadata"]["labels"] = {CLASS_LABEL: "internal", "owner": "tests"}
    held = {key: (of, stopping(of, profile)) for key, (of, profile) in CONSTRAINTS.items()}
    several = [policy for net in live.LABELS for policy in live.policies(net, held)]
    with made(alone, namespace, *several):
        account = ("get", "serviceaccount", "default", "-n", live.NAMESPACE)
        wait_for(lambda: alone.try_kubectl(*account).code == 0, SECONDS, "the namespace has an account")
        yield alone


@pytest.mark.parametrize("net", live.LABELS)
def test_a_running_cluster_says_of_every_mutation_what_it_is_made_for(
    installed: Platform, added: frozenset[str], net: str
) -> None:
    kubeconfig = installed.plane.kubeconfig
    unseen = {*live.FILTERED, *added} if net == live.KYVERNO else set[str]()
    several = [one for _, one in live.objects(every=net == live.NATIVE) if one.subject["kind"] not in unseen]
    first = {one.policy: one for one in several if one.stops}
    assert CONSTRAINTS.keys() - first.keys() == (OF_ADDED_KINDS if net == live.KYVERNO else set())
    wait_for(
        lambda: all(one.refused for one in live.answers(kubeconfig, net, [*first.values()])),
        SECONDS,
        f"every policy of {net} holds",
    )
    said = live.answers(kubeconfig, net, several)
    wrong = [f"{one.tried.title}: {one.said or 'passes'}" for one in said if one.wrong]
    left = Counter(one.said[:200] for one in said if not one.compared)
    assert not wrong, "\n".join(wrong)
    assert not left, left
    assert len(said) >= EXPECTED[net]


@pytest.mark.skipif(
    not FIXTURES.exists(), reason=f"no Pod Security test pods in {FIXTURES}; set CORRAL_POD_SECURITY"
)
@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_pods_of_the_pod_security_tests_are_told_apart_debuggers_too(alone: Platform, level: str) -> None:
    space = f"pods-{level}"
    namespace: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
    namespace["metadata"]["labels"] = {
        ENFORCE: level,
        f"{ENFORCE}-version": VERSION,
        CLASS_LABEL: "internal",
        "owner": "tests",
    }
    with made(alone, namespace):
        account = ("get", "serviceaccount", "default", "-n", space)
        wait_for(lambda: alone.try_kubectl(*account).code == 0, SECONDS, "the namespace has an account")
        kubeconfig = alone.plane.kubeconfig
        said = live.violations(kubeconfig, space, pods(level))
        wrong = [f"{one}: {text[:300]}" for one, stops, text in said if stops is not violates(text)]
        assert not wrong, "\n".join(wrong)
        assert Counter(stops for _, stops, _ in said) == levels(level)
        beside = live.violations(kubeconfig, space, debugged(level))
        wrong = [f"{one}: {text[:300]}" for one, stops, text in beside if stops is not violates(text)]
        assert not wrong, "\n".join(wrong)
        assert {stops for _, stops, _ in beside} == {True, False}


def violates(text: str) -> bool:
    assert not text or "violates PodSecurity" in text, text
    return bool(text)
