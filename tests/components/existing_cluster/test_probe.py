"""A try of NetworkPolicies on an API server that answers as clusters do whose networks hold or do not."""

import contextlib
import json

import pytest
from tests.components.existing_cluster.clusters import WHOLE, kubeconfig
from tests.doubles.servers import Handler, listening

from corral.components.existing_cluster import ProbePods, Requirements, examined, probe
from corral.components.existing_cluster.args import FindingLevel
from corral.components.existing_cluster.probe import STAGES

FORBIDDEN = 'namespaces is forbidden: User "me" cannot create resource "namespaces"'
PODS = ProbePods("registry.example.eu/corral/tools@sha256:" + "0" * 64, {"nodeSelector": {"pool": "cpu"}})


class Cluster:
    """Objects that were made, by path; a network that holds policies of some directions."""

    def __init__(self, holds=("ingress", "egress"), *, reaches=True, refuses=None, waiting=None):
        self.holds, self.reaches, self.refuses, self.waiting = holds, reaches, refuses, waiting
        self.objects, self.seen, self.accounts = {}, [], 1

    def post(self, path, content):
        if self.refuses is not None:
            return 403, {"message": self.refuses}
        if content["kind"] == "Namespace":
            content["metadata"]["name"] = content["metadata"]["generateName"] + "x1"
        elif content["kind"] == "Pod" and self.accounts:
            self.accounts -= 1
            return 403, {"message": 'pods "listener" is forbidden: serviceaccount "default" not found'}
        elif content["kind"] == "Service":
            content["spec"]["clusterIP"] = "10.0.0.7"
        name = f"{path}/{content['metadata']['name']}"
        self.objects[name] = content
        self.seen.append((content["kind"], content))
        return 201, content

    def delete(self, path):
        inside = f"{path.removeprefix('/api/v1')}/"
        gone = [name for name in self.objects if name == path or inside in name]
        for name in gone:
            del self.objects[name]
        return (200, {}) if gone else (404, {})

    def get(self, path):
        made = self.objects.get(path)
        if made is not None and made["kind"] == "Pod":
            made["status"] = self.status(made)
        answer = made if made is not None else WHOLE.get(path)
        return (404, {}) if answer is None else (200, answer)

    def status(self, pod):
        if self.waiting is not None:
            return {"containerStatuses": [{"name": "egress", "state": {"waiting": self.waiting}}]}
        if pod["metadata"]["name"] == "listener":
            return {"phase": "Running"}
        denied = {
            name.rpartition("/")[2] for name, one in self.objects.items() if one["kind"] == "NetworkPolicy"
        }
        ended = pod.setdefault("ended", {})
        stage = next((one for one in STAGES if one not in ended), None)
        closed = bool(denied & set(self.holds)) or not self.reaches
        if stage is not None and (closed or not STAGES[stage] or denied):
            ended[stage] = int(closed is not STAGES[stage])
        statuses = [{"name": one, "state": {"terminated": {"exitCode": code}}} for one, code in ended.items()]
        return {"initContainerStatuses": statuses[:-1], "containerStatuses": statuses[-1:]}


@contextlib.contextmanager
def serving(cluster):
    class Api(Handler):
        def respond(self):
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length)) if length else None
            method = getattr(cluster, self.command.lower())
            status, body = method(self.path, content) if content is not None else method(self.path)
            self.answer(status, json.dumps(body).encode())

        do_GET = do_POST = do_DELETE = respond

    with listening(Api) as address:
        yield f"http://{address}"


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(probe, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(probe, "OPEN_SECONDS", 0)
    monkeypatch.setattr(probe, "START_SECONDS", 1)


def network_policy(cluster, *, strict=False):
    """Findings about NetworkPolicies of a cluster where they were tried."""
    needed = Requirements(network_policies=strict)
    with serving(cluster) as server:
        seen = examined(
            kubeconfig(server), None, needed, lambda connection: probe.probe(connection, PODS, print)
        )
    return [(one["level"], one["message"]) for one in seen.findings if one["check"] == "network-policy"]


def test_policies_that_end_connections_in_both_directions_are_enforced():
    (found,) = network_policy(Cluster())
    message = "policies that deny ingress and egress each ended a connection between two pods"
    assert found == (FindingLevel.FINE, message)


@pytest.mark.parametrize(("holds", "direction"), [((), "ingress"), (("ingress",), "egress")])
@pytest.mark.parametrize(("strict", "level"), [(False, FindingLevel.WARNING), (True, FindingLevel.REFUSED)])
def test_what_the_objects_of_a_network_promise_does_not_count_where_a_packet_passes(
    holds, direction, strict, level
):
    message = f"a policy that denies {direction} did not end a connection in 30 s"
    assert network_policy(Cluster(holds), strict=strict) == [(level, message)]


def test_pods_that_never_reach_each_other_prove_nothing():
    concluded, tried = network_policy(Cluster(reaches=False), strict=True)
    assert concluded[0] is FindingLevel.FINE and "was not tried" in concluded[1]
    message = "not tried: one pod does not reach the other even without a policy"
    assert tried == (FindingLevel.WARNING, message)


def test_an_identity_that_may_make_no_namespace_is_said_in_the_words_of_the_cluster():
    assert (FindingLevel.WARNING, f"not tried: {FORBIDDEN}") in network_policy(Cluster(refuses=FORBIDDEN))


def test_an_image_that_is_not_pulled_is_said_with_the_reason():
    waiting = {"reason": "ImagePullBackOff", "message": "unauthorized"}
    assert (FindingLevel.WARNING, "not tried: ImagePullBackOff: unauthorized") in network_policy(
        Cluster(waiting=waiting)
    )


@pytest.mark.parametrize("cluster", [Cluster(), Cluster(()), Cluster(reaches=False)])
def test_everything_is_in_one_new_namespace_which_is_removed_in_the_end(cluster):
    network_policy(cluster)
    assert not cluster.objects
    made = dict(cluster.seen)
    assert made["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_are_of_the_mirrors_image_on_the_nodes_of_the_stack_and_end_by_themselves():
    cluster = Cluster()
    network_policy(cluster)
    pods = [content["spec"] for kind, content in cluster.seen if kind == "Pod"]
    assert len(pods) == 2
    for spec in pods:
        containers = [*spec["initContainers"], *spec["containers"]]
        assert {one["image"] for one in containers} == {PODS.image}
        assert spec["nodeSelector"] == {"pool": "cpu"} and spec["activeDeadlineSeconds"] == 600
        assert spec["automountServiceAccountToken"] is False
