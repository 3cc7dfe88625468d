"""Under profile air-gapped no property of any resource names a host outside the site, charts included."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given
from tests.charts.real.folders import documents, printed
from tests.deploy.eks_stack import locks
from tests.planning.test_secrets import VAULT
from tests.stacks.any_stack import LARGE, bounded, stack_files

from corral.catalogue.charts import charts
from corral.cli.bundle import named_hosts, site_of
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.deploy.graph import graph
from corral.stacks.planning.planner import plan
from corral.stacks.reports.bundle import contents

ROOT = Path(__file__).parents[2]
SOVEREIGNTY = {
    "profile": "air-gapped",
    "region": {"country": "DE", "site": "fra-1"},
    "registry": "registry.example.eu/mirror",
}
FEW_BUILT = 3
"""Graphs of the plain tests; each takes a second."""


def air_gapped(content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` on a cluster of the site, under the strictest profile, with weights from its intake."""
    given = content.get("sovereignty", {})
    kept = {key: given[key] for key in ("pull-secret",) if key in given}
    cluster = {
        key: one
        for key, one in content["cluster"].items()
        if key not in ("context", "plane", "kubeconfig", "stack")
    }
    models = [
        {**{key: one for key, one in model.items() if key != "weights"}, "source": f"s3://intake/{index}"}
        for index, model in enumerate(content.get("models", ()))
    ]
    return {
        **content,
        "tenants": classified(content.get("tenants", ())),
        "sovereignty": {**SOVEREIGNTY, **kept},
        "cluster": {**cluster, "kind": "existing"},
        "models": models,
    }


def classified(tenants: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`tenants`, each with a class of its data, as the profile demands."""
    return [{"data-class": "internal", **one} for one in tenants] or [
        {"name": "models", "data-class": "internal"}
    ]


def onprem() -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "Pulumi.onprem.yaml").read_text())["config"]["corral:platform"]
    changed = {"tenants": classified(content["tenants"]), "sovereignty": content["sovereignty"] | SOVEREIGNTY}
    return {**content, **changed}


def platform(
    config: StackConfig, locked: Mapping[str, LockedModel] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The graph of a stack as the command reads it."""
    return [vars(one) for one in graph(plan(config, "onprem", locked, pinned=False))]


def outside(config: StackConfig, manifests: Any) -> list[str]:
    return [f"{one.host}: {one.place}" for one in named_hosts(list(manifests), site_of(config))]


@cache
def committed() -> tuple[StackConfig, list[dict[str, Any]]]:
    config = parse(onprem())
    return config, platform(config)


def test_no_resource_of_the_committed_stack_names_a_host_outside_its_site():
    config, registered = committed()
    manifests = list(contents.registered(registered))
    assert len(manifests) > 100
    assert outside(config, manifests) == []


def test_a_chart_from_upstream_is_a_host_outside_the_site():
    """The same stack without a mirror, so that the test above can fail."""
    content = onprem()
    content["sovereignty"] = {"profile": "open", "region": "embedded"}
    config = parse(content)
    found = "\n".join(outside(config, contents.registered(platform(config))))
    for host in ("ghcr.io", "helm.ngc.nvidia.com", "docker.io"):
        assert f"{host}: " in found


BUILT: list[str] = []


@pytest.mark.exhaustive
@bounded(60)
@given(stack_files())
def test_no_resource_of_any_accepted_stack_names_a_host_outside_its_site(content: dict[str, Any]):
    if len(BUILT) >= FEW_BUILT and not LARGE:
        return
    try:
        config = parse(air_gapped(content))
        registered = platform(config)
    except StackErrors:
        return
    BUILT.append(config.sovereignty.profile.value)
    assert outside(config, contents.registered(registered)) == []


@pytest.mark.exhaustive
def test_enough_of_what_is_generated_is_accepted():
    """Runs after the one before: stacks that nobody accepts prove nothing."""
    assert len(BUILT) >= FEW_BUILT


@cache
def everything() -> tuple[StackConfig, list[dict[str, Any]]]:
    """The committed stack with all addons managed, so that each chart is installed."""
    content = {**onprem(), "fair-sharing": {}, "gateway": {"host": "models.example.eu"}, "secrets": VAULT}
    content.pop("addons")
    content["models"][0]["scaling"] = content["models"][0].pop("replicas")
    content["models"][1]["local-cache"] = True
    config = parse(content)
    return config, platform(config, locks(config))


@cache
def over_nodes() -> tuple[StackConfig, list[dict[str, Any]]]:
    """The same site with a model that spans nodes, which no queue takes."""
    content = onprem()
    nodes = {"name": "large", "gpu": "H100-80GB", "nodes": {"names": ["gpu-3", "gpu-4"]}, "gpus-per-node": 8}
    content["gpu-pools"].append(nodes)
    spread = {"kind": "LLMInferenceService", "pipeline-parallel": 2, "pool": "large", "replicas": 1}
    content["models"][0].update(spread)
    config = parse(content)
    return config, platform(config, locks(config))


OVER_NODES = {"kserve-llmisvc-crd-minimal", "kserve-llmisvc-resources", "lws"}
ON_EKS = {"aws-efa-k8s-device-plugin"}
"""For a fabric of AWS's alone."""


@pytest.mark.engine
@pytest.mark.real_charts
@pytest.mark.parametrize("name", sorted(charts().keys() - ON_EKS))
def test_no_object_of_a_chart_names_a_host_outside_the_site(name: str):
    config, registered = over_nodes() if name in OVER_NODES else everything()
    releases = [one for one in contents.releases(registered) if one.chart == name]
    assert releases
    for release in releases:
        text = printed(release.chart, release.values, release.namespace)
        assert outside(config, printed_objects(release, text)) == []


def printed_objects(release: contents.Release, text: str) -> Iterator[contents.Manifest]:
    for one in documents(text):
        yield contents.Manifest(f"{one['kind']} {one['metadata']['name']}, {release}", one)
