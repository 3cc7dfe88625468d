"""What a stack file leaves out and what a component's arguments leave out come to the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS
from tests.stacks.stack_files import planned

from corral.catalogue.clusters import capabilities
from corral.catalogue.vocabulary import ClusterKind
from corral.components.cert_manager import CertManager
from corral.components.fair_sharing import FairSharing
from corral.components.gpu_operator import GpuOperator
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.vector_db import VectorDatabase
from corral.stacks.deploy.component_args.cert_manager import cert_manager_args
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.fair_sharing import fair_sharing_args
from corral.stacks.deploy.component_args.gpu_operator import gpu_operator_args
from corral.stacks.deploy.component_args.kserve import kserve_args
from corral.stacks.deploy.component_args.kyverno import kyverno_args
from corral.stacks.deploy.component_args.model_storage import model_storage_args
from corral.stacks.deploy.component_args.observability import observability_args
from corral.stacks.deploy.component_args.vector_db import vector_db_args


@dataclass(frozen=True)
class Case:
    """A component as the least stack file describes it."""

    component: Callable[..., Any]
    args: Callable[[DeployContext], Any]
    stack: Mapping[str, Any]
    elsewhere: frozenset[str] = frozenset()
    """Arguments that follow from other sections of the stack file, or that only the stack can know."""


HANDED_OVER = frozenset({"cert_manager", "monitor_types"})


def with_certificates(args: Callable[..., Any], **more: Any) -> Callable[[DeployContext], Any]:
    return lambda context: args(context, cert_manager=CertManager("certificates", {"supply": {}}), **more)


SECRET_OF_ITS_OWN = frozenset({"credential", "grafana_password", "encryption_key"}) | HANDED_OVER
CASES = {
    "observability": Case(Observability, observability_args, {"observability": {}}),
    "pgvector": Case(
        VectorDatabase,
        with_certificates(vector_db_args),
        {"vector_db": {"engine": "pgvector"}},
        frozenset({"clients"}),
    ),
    "qdrant": Case(
        VectorDatabase,
        with_certificates(vector_db_args),
        {"vector_db": {"engine": "qdrant", "vectors": 1000}},
        frozenset({"clients"}),
    ),
    "replicated qdrant": Case(
        VectorDatabase,
        with_certificates(vector_db_args),
        {"vector_db": {"engine": "qdrant", "vectors": 1000, "replicas": 3}},
        frozenset({"clients", "replicas"}),
    ),
    "model storage": Case(ModelStorage, model_storage_args, {}, frozenset({"clients", "region", "endpoint"})),
    "fair sharing": Case(FairSharing, fair_sharing_args, {"fair_sharing": {}}, frozenset({"classes"})),
    "GPU operator": Case(
        GpuOperator, gpu_operator_args, {}, frozenset({"mig_configurations", "shared_pools"})
    ),
    "KServe": Case(KServe, with_certificates(kserve_args, types=None), {}),
    "Kyverno": Case(
        Kyverno, partial(kyverno_args, types=None), {}, frozenset({"scope", "exempt_namespaces"})
    ),
    "cert-manager": Case(CertManager, partial(cert_manager_args, types=None), {}),
}


def made(case: Case, without: str | None = None) -> tuple[set[str], Graph]:
    """Optional arguments that the stack gives, and the graph without one of them."""
    optional: set[str] = set()

    def program():
        plan = planned(cluster={"kind": "existing"}, **case.stack)
        context = DeployContext(plan, {}, capabilities(ClusterKind.EXISTING), None)
        args = dict(case.args(context))
        optional.update(set(args) & _optional(case.component) - case.elsewhere - SECRET_OF_ITS_OWN)
        if without is not None:
            del args[without]
        case.component("one", args)

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
    different = [key for key in sorted(optional) if content(made(case, without=key)[1]) != expected]
    assert different == []


def test_the_comparison_sees_a_default_that_differs(monkeypatch):
    case = Case(Observability, observability_args, {"observability": {"retention-days": 16}})
    assert content(made(case)[1]) != content(made(case, without="retention_days")[1])
