"""What a stack file leaves out and what a component's arguments leave out come to the same."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS
from tests.planning.test_secrets import VAULT
from tests.stacks.stack_files import model, planned

from corral.catalogue.clusters import capabilities
from corral.catalogue.vocabulary import Addon, ClusterKind, Fabric
from corral.components.cert_manager import CertManager
from corral.components.efa_device_plugin import EfaDevicePlugin, EfaDevicePluginArgs
from corral.components.kserve import KServe
from corral.components.model import Model, ModelArgs
from corral.components.model_cache import ModelCache, ModelCacheArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.efa_device_plugin import efa_device_plugin_args
from corral.stacks.deploy.component_args.model import model_args
from corral.stacks.deploy.component_args.model_cache import model_cache_args
from corral.stacks.deploy.wiring import Wiring, wirings


def wiring(addon: Addon) -> Wiring[Any]:
    """The component of `addon`."""
    return wirings(addon)[0]


@dataclass(frozen=True)
class Case:
    """A component as the least stack file describes it."""

    wiring: Wiring[Any]
    stack: Mapping[str, Any] = field(default_factory=dict[str, Any])
    elsewhere: frozenset[str] = frozenset()
    """Arguments that follow from other sections of the stack file, or that only the stack can know."""


def served(context: DeployContext) -> ModelArgs:
    """The first model, on a KServe of the same program."""
    context.built.add(KServe("kserve", {"supply": {}, "cert_manager": "there"}), Addon.KSERVE)
    return model_args(context, context.plan.models[0])


def cached(context: DeployContext) -> ModelCacheArgs:
    """A pool that keeps models, on a KServe and a store of the same program."""
    stores = wiring(Addon.MODEL_STORAGE)
    context.built.add(KServe("kserve", {"supply": {}, "cert_manager": "there"}), Addon.KSERVE)
    context.built.add(stores.component("store", stores.args(context), None), Addon.MODEL_STORAGE)
    args = model_cache_args(context)
    assert args is not None
    return {**args, "pools": [{"pool": "whole", "room_gib": 9}]}


def joined(context: DeployContext) -> EfaDevicePluginArgs:
    """Pools with AWS's fabric, which a cluster that is there cannot have."""
    pools = tuple(replace(pool, fabric=Fabric.EFA) for pool in context.plan.pools)
    args = efa_device_plugin_args(replace(context, plan=replace(context.plan, pools=pools)))
    assert args is not None
    return args


HANDED_OVER = frozenset({"cert_manager", "gateway_types", "monitor_types"})
SECRET_OF_ITS_OWN = frozenset({"credential", "grafana_password", "encryption_key", "password"}) | HANDED_OVER
QDRANT = {"engine": "qdrant", "vectors": 1000}
SIMULATED = {"models": [model()]}
PLACED = ("pool", "tenant", "claim", "runtime", "store", "files", "source", "license", "path")
LIMITED = {"gateway": {"host": "models.example.eu"}, "token_limits": {"tokens-per-day": 9}}
SCALED = {
    "models": [model(scaling={"max": 2})],
    "gateway": {"host": "models.example.eu"},
}
CASES = {
    "admission": Case(
        wiring(Addon.ADMISSION), elsewhere=frozenset({"buckets", "pod_security", "exempt_namespaces"})
    ),
    "cert-manager": Case(wiring(Addon.CERT_MANAGER)),
    "dra-driver": Case(wiring(Addon.DRA_DRIVER), elsewhere=frozenset({"mig_layouts"})),
    "efa-device-plugin": Case(Wiring(EfaDevicePlugin, joined)),
    "envoy-gateway": Case(wiring(Addon.ENVOY_GATEWAY), {"gateway": {"host": "models.example.eu"}}),
    "external-secrets": Case(
        wiring(Addon.EXTERNAL_SECRETS), {"secrets": VAULT}, frozenset({"namespaces", "server", "role"})
    ),
    "gateway-api": Case(wiring(Addon.GATEWAY_API)),
    "gpu-operator": Case(
        wiring(Addon.GPU_OPERATOR), elsewhere=frozenset({"mig_configurations", "shared_pools"})
    ),
    "keda": Case(wiring(Addon.KEDA), SCALED),
    "kserve": Case(wiring(Addon.KSERVE)),
    "kueue": Case(wiring(Addon.KUEUE), {"fair_sharing": {}}, frozenset({"classes"})),
    "kyverno": Case(wiring(Addon.KYVERNO), elsewhere=frozenset({"scope", "exempt_namespaces"})),
    "llm-inference-service": Case(wiring(Addon.LLM_INFERENCE_SERVICE)),
    "lws": Case(wiring(Addon.LWS)),
    "model-cache": Case(Wiring(ModelCache, cached)),
    "model": Case(
        Wiring(Model, served),
        SIMULATED,
        frozenset({"arguments", "memory_gib", "weights", *PLACED}),
    ),
    "model-storage": Case(
        wiring(Addon.MODEL_STORAGE),
        elsewhere=frozenset({"clients", "region", "endpoint", "access_key", "secret_key"}),
    ),
    "observability": Case(wiring(Addon.OBSERVABILITY), {"observability": {}}),
    "pgvector": Case(wiring(Addon.VECTOR_DB), {"vector_db": {"engine": "pgvector"}}, frozenset({"clients"})),
    "prometheus-crds": Case(wiring(Addon.PROMETHEUS_CRDS)),
    "token-limits": Case(wiring(Addon.TOKEN_LIMITS), LIMITED),
    "qdrant": Case(wiring(Addon.VECTOR_DB), {"vector_db": QDRANT}, frozenset({"clients"})),
    "replicated qdrant": Case(
        wiring(Addon.VECTOR_DB),
        {"vector_db": {**QDRANT, "replicas": 3}},
        frozenset({"clients", "replicas"}),
    ),
    "tenancy": Case(wiring(Addon.TENANCY), elsewhere=frozenset({"reachable", "callers"})),
}


def test_every_addon_is_compared():
    assert {id(case.wiring.component) for case in CASES.values()} >= {
        id(wiring(addon).component) for addon in Addon
    }


def made(case: Case, without: Collection[str] = ()) -> tuple[set[str], Graph]:
    """Optional arguments that the stack gives, and the graph without some of them."""
    optional: set[str] = set()

    def program():
        plan = planned(cluster={"kind": "existing"}, **case.stack)
        context = DeployContext(plan, {}, capabilities(ClusterKind.EXISTING), None)
        context.built.add(CertManager("certificates", {"supply": {}}), Addon.CERT_MANAGER)
        args = dict(case.wiring.args(context) or {})
        optional.update(set(args) & _optional(case.wiring.component) - case.elsewhere - SECRET_OF_ITS_OWN)
        for key in without:
            del args[key]
        case.wiring.component("one", args, None)

    return optional, build(program, secret_config=SECRETS)


def _optional(component: Any) -> frozenset[str]:
    return component.__init__.__annotations__["args"].__optional_keys__


def content(graph: Graph) -> list[tuple[str, str, str]]:
    return sorted((one.type, one.name, repr(one.inputs)) for one in graph)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_argument_left_out_is_what_the_stack_file_leaves_out(case: Case):
    optional, whole = made(case)
    assert optional
    expected = content(whole)
    if content(made(case, without=optional)[1]) != expected:
        different = [key for key in sorted(optional) if content(made(case, without=[key])[1]) != expected]
        pytest.fail(f"left out, these make another component: {', '.join(different)}")


def test_the_comparison_sees_a_default_that_differs(monkeypatch):
    case = Case(wiring(Addon.OBSERVABILITY), {"observability": {"retention-days": 16}})
    assert content(made(case)[1]) != content(made(case, without=["retention_days"])[1])
