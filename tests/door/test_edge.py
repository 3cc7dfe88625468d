"""The edge stack as it is committed, on one machine with one GPU, all from a site's mirror.

It is asked for by `CORRAL_EDGE_STACK=1`: the on-prem stack, which is always run, is the same program. The
machine is a plane taken as somebody's cluster. Changed are the addresses of mirror and intake, and the
models, whose weights are not to be had here: SmolLM2 from the same intake in their place.
In order: each test goes on from where the one before it ended.
"""

import json
import os

import pytest
from tests.door import site as sites
from tests.door.newcomer import SECRETS, newcomer_in
from tests.measured import measured

from corral.catalogue.models import models

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif("CORRAL_EDGE_STACK" not in os.environ, reason="CORRAL_EDGE_STACK is not set"),
]

STACK, TENANT, NODE = "edge", "plant", "edge-1"
SMOLLM2 = models()["smollm2-135m"]
FILE = SMOLLM2.files[0].name
MACHINE = {"name": NODE, "cpu": "16", "memory": "64Gi", "pods": 250, "gpu": "L4", "gpus": 1}
ENCRYPTED = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "encrypted"},
    "provisioner": "corral.dev/local",
    "allowVolumeExpansion": True,
}
"""The class that the committed stack names, by the plane's own driver of volumes."""
OWN_SECRETS = {**SECRETS, **sites.INTAKE_SECRETS}
CHAT = {
    "name": "chat",
    "model": "smollm2-135m",
    "source": "s3://intake/smollm2",
    "context": 2048,
    "max-num-seqs": 2,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edge")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    with sites.inventory(newcomer) as content:
        content["products"]["L4"] = sites.l4()
        content["machines"] = [MACHINE]
    with sites.cluster(newcomer, folder, STACK) as (made, _charts):
        made.kubectl("apply", "-f", "-", stdin=json.dumps(ENCRYPTED))
        made.kubectl("label", "--overwrite", "node", NODE, "topology.kubernetes.io/region=plant-7")
        made.put_model("smollm2", {FILE: sites.packaged(SMOLLM2.package_source, FILE)})
        made.write_stack({"models": [CHAT]})
        made.newcomer.stack(STACK, OWN_SECRETS)
        yield made


def test_what_the_site_has_is_locked_and_the_plan_passes(site):
    site.run("corral", "lock", "--mirror", site.registry)
    site.done("corral", "lock", "--models")
    assert "shared" in site.done("corral", "plan")


def test_the_platform_comes_up_on_the_one_machine_and_a_model_answers(site, record_property):
    output = site.done(*sites.UP)
    record_property("up", site.seconds[-1])
    assert "corral-sovereignty@" in output and "[mandatory]" not in output
    assert site.answer(TENANT, "chat")


def test_every_pod_runs_on_the_machine_and_the_model_has_half_of_its_gpu(site):
    pods = site.items("pods", "-A")
    assert [one["metadata"]["name"] for one in pods if one["spec"].get("nodeName") != NODE] == []
    (node,) = site.items("nodes")
    assert node["status"]["allocatable"]["nvidia.com/gpu.shared"] == "2"
    (model,) = site.items("pods", "-n", TENANT)
    limits = [one.get("resources", {}).get("limits", {}) for one in model["spec"]["containers"]]
    assert [one["nvidia.com/gpu.shared"] for one in limits if "nvidia.com/gpu.shared" in one] == ["1"]


def test_everything_that_runs_comes_from_the_mirror(site):
    references = {
        one for space in site.namespaces("corral.dev/policies=enforced") for one in site.images(space)
    }
    assert len(references) > 10
    assert [one for one in sorted(references) if not one.startswith(f"{site.registry}/")] == []


def test_volumes_are_of_the_class_that_the_stack_names(site):
    volumes = site.items("persistentvolumes")
    assert volumes and {one["spec"]["storageClassName"] for one in volumes} == {"encrypted"}


def test_a_second_up_changes_nothing(site, record_property):
    assert " unchanged" in (output := site.done(*sites.UP))
    record_property("again", site.seconds[-1])
    for word in (" created", " updated", " replaced", " deleted"):
        assert word not in output.partition("Resources:")[2], output


@measured
def test_kubectl_takes_what_is_there_as_it_is(site, record_property):
    site.peer.beside_no_change(record_property)


def test_destroy_stops_at_what_is_protected_and_then_leaves_the_bare_machine(site):
    assert site.run(*sites.DESTROY).returncode != 0
    assert site.answer(TENANT, "chat")
    site.done("pulumi", "state", "unprotect", "--all", "--yes")
    site.done(*sites.DESTROY)
    assert set(site.namespaces()) == {"default", "kube-node-lease", "kube-public", "kube-system"}
    (node,) = site.items("nodes")
    assert "corral.dev/pool" not in node["metadata"]["labels"]
    assert not node["spec"].get("taints")


@measured
def test_kubectl_takes_the_same_where_nothing_of_it_is(site, record_property):
    site.peer.beside_first_up(record_property)
