"""The namespace that a component runs in."""

import pulumi
import pytest
from tests.components.harness import build

from corral.components._namespaces import other_managers
from corral.components.cert_manager import CertManager
from corral.components.dra_driver import DraDriver
from corral.components.efa_device_plugin import EfaDevicePlugin
from corral.components.fair_sharing import FairSharing
from corral.components.gpu_operator import GpuOperator
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.observability import Observability
from corral.components.tenancy import Tenancy
from corral.components.vector_db import VectorDatabase

SUPPLY = {"pull_secret": "mirror", "registry_auth": '{"auths": {"r": {}}}'}
HOMES = {
    "cert-manager": lambda more: CertManager("one", {"supply": SUPPLY, **more}),
    "dra-driver-nvidia-gpu": lambda more: DraDriver(
        "one", {"supply": SUPPLY, "platform": "bare-metal", **more}
    ),
    "efa-device-plugin": lambda more: EfaDevicePlugin("one", {"supply": SUPPLY, "pools": ["a"], **more}),
    "gpu-operator": lambda more: GpuOperator("one", {"supply": SUPPLY, "platform": "bare-metal", **more}),
    "kserve": lambda more: KServe("one", {"supply": SUPPLY, "cert_manager": "cert-manager", **more}),
    "kueue-system": lambda more: FairSharing("one", {"supply": SUPPLY, "tenants": [], "offered": [], **more}),
    "kyverno": lambda more: Kyverno("one", {"supply": SUPPLY, **more}),
    "monitoring": lambda more: Observability("one", {"supply": SUPPLY, "grafana_password": "x", **more}),
    "vector-db": lambda more: VectorDatabase(
        "one",
        {"supply": SUPPLY, "engine": "qdrant", "credential": "x", "cert_manager": "cert-manager", **more},
    ),
    "team": lambda more: Tenancy(
        "one", {"supply": SUPPLY, "tenants": [{"name": "team", "namespace": "team", **more}]}
    ),
}
every_home = pytest.mark.parametrize(("namespace", "made"), HOMES.items(), ids=HOMES)


@every_home
def test_a_component_makes_its_namespace_with_the_pull_secret(namespace, made):
    graph = build(lambda: made({}))
    space = graph.one("Namespace", namespace)
    assert not space.read and "pod-security.kubernetes.io/enforce" in space.inputs["metadata"]["labels"]
    assert graph.one("Secret", "mirror").namespace == namespace


@pytest.mark.parametrize("auth", ["canary-token", "[]", '{"auths": {}}', '{"username": "canary"}'])
def test_credentials_in_another_form_are_refused_and_not_repeated(auth):
    supply = {**SUPPLY, "registry_auth": auth}
    tenants = {"supply": supply, "tenants": [{"name": "team", "namespace": "team"}]}
    with pytest.raises(pulumi.RunError, match=r"supply\.registry_auth.*`auths`") as refused:
        build(lambda: Tenancy("one", tenants))
    assert "canary" not in str(refused.value)


@every_home
def test_a_component_leaves_a_namespace_that_is_there_as_it_is(namespace, made):
    there = {namespace: {"metadata": {"name": namespace}}}
    graph = build(lambda: made({"create_namespace": False}), found=there)
    assert graph.one("Namespace").read
    assert not [one for one in graph.of("Secret") if one.object_name == "mirror"], "its owner brings it"


def test_who_else_manages_a_new_object_had_made_it_before():
    def created(*managers):
        fields = [{"manager": one} for one in managers]
        return {"__fieldManager": "pulumi-1", "metadata": {"managedFields": fields}}

    assert other_managers(created("pulumi-1")) == []
    assert other_managers(created("pulumi-1", "kubectl-create")) == ["kubectl-create"]
    assert other_managers(created("pulumi-1", "pulumi-2")) == ["pulumi-2"], "another stack made it"
    assert other_managers({"metadata": {"name": "in a preview that cannot ask"}}) == []
