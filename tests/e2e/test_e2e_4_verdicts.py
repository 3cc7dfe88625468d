"""The API server's own policies and Kyverno's say of every mutation what it is made for, in each profile."""

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest
from platform_client import Platform, wait_for
from tests.controls.same_verdict import live
from tests.controls.same_verdict.nets import stopping
from tests.controls.same_verdict.test_mutations import limits

from corral.catalogue.vocabulary import CLASS_LABEL
from corral.controls.register import control

pytestmark = pytest.mark.engine

SECONDS = 90
CONSTRAINTS = {
    tried.policy: (control(one.control), limits(one.profile, one.stores)) for one, tried in live.objects()
}


@pytest.fixture(scope="module")
def installed(platform: Platform) -> Iterator[Platform]:
    """The platform with a policy per control, profile and net, in a namespace that none of its own holds."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": live.NAMESPACE}}
    namespace["metadata"]["labels"] = {CLASS_LABEL: "internal", "owner": "tests"}
    held = {key: (of, stopping(of, profile)) for key, (of, profile) in CONSTRAINTS.items()}
    several = [policy for net in live.LABELS for policy in live.policies(net, held)]
    listed = {"apiVersion": "v1", "kind": "List", "items": [namespace, *several]}
    platform.kubectl("create", "-f", "-", stdin=listed)
    try:
        wait_for(
            lambda: platform.try_kubectl("get", "serviceaccount", "default", "-n", live.NAMESPACE).code == 0,
            SECONDS,
            "the namespace has an account",
        )
        yield platform
    finally:
        with contextlib.suppress(AssertionError):
            platform.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=listed)


@pytest.mark.parametrize("net", live.LABELS)
def test_a_running_cluster_says_of_every_mutation_what_it_is_made_for(installed: Platform, net: str) -> None:
    kubeconfig = installed.plane.kubeconfig
    several = [one for _, one in live.objects()]
    if net == live.KYVERNO:
        several = [one for one in several if one.subject["kind"] not in live.FILTERED]
    first = {one.policy: one for one in several if one.stops}
    wait_for(
        lambda: all(one.refused for one in live.answers(kubeconfig, net, [*first.values()])),
        SECONDS,
        f"every policy of {net} holds",
    )
    said = live.answers(kubeconfig, net, several)
    wrong = [f"{one.tried.title}: {one.said or 'passes'}" for one in said if one.wrong]
    left = Counter(one.said[:120] for one in said if not one.compared)
    assert not wrong, "\n".join(wrong)
    assert not left, left
