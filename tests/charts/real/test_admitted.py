"""Upstream's own charts as the API server of a plane takes them: every object, every pod of a template."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charts.in_use import MIRROR, pinned, uses
from tests.charts.real.folders import SEPARATOR, definitions, documents, folder, printed
from tests.commands import kubectl
from tests.components.harness import build
from tests.components.test_namespaces import HOMES

from corral.catalogue.charts import chart
from corral.components.admission.render import (
    NATIVE_API,
    native_binding,
    native_policy,
    policy_name,
)
from corral.controls.control import ObjectRule
from corral.controls.profiles import profile
from corral.controls.register import CONTROLS
from corral.controls.scope import Scope
from corral.embedded.home import Home
from corral.embedded.plane import plane

pytestmark = [pytest.mark.engine, pytest.mark.real_charts]
STRICTEST = profile("air-gapped", registry=MIRROR["registry"])
USES = [one for one in pinned() if one.registry]
SECONDS = 60
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger", "namespace": "gpu-operator"}}


@dataclass(frozen=True)
class Cluster:
    """A plane with every resource type of the charts, their namespaces, and the policies in force."""

    kubeconfig: Path

    def refusals(self, objects: list[dict[str, Any]] | str, namespace: str, *more: str) -> list[str]:
        """Lines in which the API server refuses some; none when it takes all."""
        content = yaml.safe_load(self.kubeconfig.read_text())
        for one in content["contexts"]:
            one["context"]["namespace"] = namespace
        own = self.kubeconfig.with_name(f"kubeconfig-{namespace}")
        own.write_text(yaml.safe_dump(content))
        text = objects if isinstance(objects, str) else yaml.dump_all(objects, Dumper=yaml.CSafeDumper)
        options = ("--server-side", "--force-conflicts", *more)
        done = kubectl(own, "apply", "-f", "-", *options, stdin=text)
        return [line for line in done.stderr.splitlines() if not line.startswith("Warning:")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    texts = {one.chart: printed(one.chart, one.values, one.chart) for one in uses()}
    home = Home(tmp_path_factory.mktemp("h"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORRAL_TOOLCHAIN", str(Home.find().toolchain))
        patch.setenv("CORRAL_HOME", str(home.root))
        try:
            plane.up(home, "real", lambda _line: None)
            made = tmp_path_factory.mktemp("k") / "kubeconfig"
            made.write_text(home.plane("real").kubeconfig.read_text())
            found = Cluster(made)
            for name, text in texts.items():
                types = SEPARATOR.join([*_types(name), definitions(text)])
                assert not types.strip("-\n ") or found.refusals(types, "default") == [], name
            assert found.refusals(list(_namespaces()), "default") == []
            assert found.refusals(list(_policies()), "default") == []
            _wait_until_in_force(found)
            yield found
        finally:
            plane.down(home, "real", lambda _line: None)


def _types(name: str) -> Iterator[str]:
    """Resource types in the folders `crds` of a chart and its subcharts."""
    for file in (*folder(name).glob("crds/*.yaml"), *folder(name).glob("charts/*/crds/*.yaml")):
        yield file.read_text()


def _namespaces() -> Iterator[dict[str, Any]]:
    """As the components make them."""
    for namespace, made in HOMES.items():
        inputs = build(lambda made=made: made({})).one("Namespace", namespace).inputs
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": inputs["metadata"]}


def _policies() -> Iterator[dict[str, Any]]:
    for control in (one for one in CONTROLS if isinstance(one.rule, ObjectRule) and one.rule.admitted):
        metadata = {"name": policy_name(control)}
        policy = native_policy(control, STRICTEST, Scope(), own_serving=False)
        binding = native_binding(control, STRICTEST)
        for kind, spec in (("Policy", policy), ("PolicyBinding", binding)):
            kind = f"ValidatingAdmission{kind}"
            yield {"apiVersion": NATIVE_API, "kind": kind, "metadata": metadata, "spec": spec}


def _wait_until_in_force(cluster: Cluster) -> None:
    stranger = {**POD, "spec": {"containers": [{"name": "a", "image": "docker.io/library/nginx:1.29"}]}}
    end = time.monotonic() + SECONDS
    while not any(
        "SOV-SUP" in line for line in cluster.refusals([stranger], "gpu-operator", "--dry-run=server")
    ):
        assert time.monotonic() < end, "a stranger's image is admitted"
        time.sleep(1)


def pods(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pod of each template, with its claims; without its account, which is not there yet."""
    spec = document.get("spec") or {}
    spec = spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(template, dict) or "containers" not in template.get("spec", {}):
        return
    inner = {key: value for key, value in template["spec"].items() if not key.startswith("serviceAccount")}
    claims = [one["metadata"]["name"] for one in spec.get("volumeClaimTemplates") or []]
    if claims:
        own = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
        inner["volumes"] = [*(inner.get("volumes") or []), *own]
    metadata = {
        **{key: value for key, value in (template.get("metadata") or {}).items() if key != "name"},
        "name": document["metadata"]["name"][:60],
        "namespace": document["metadata"].get("namespace"),
    }
    metadata = {key: value for key, value in metadata.items() if value is not None}
    yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": inner}


@pytest.mark.parametrize("use", USES, ids=str)
def test_every_object_and_every_pod_of_a_real_chart_is_admitted_under_the_strictest_profile(use, cluster):
    namespace = chart(use.chart).namespace
    found = documents(printed(use.chart, use.values, namespace))
    assert cluster.refusals(found, namespace, "--dry-run=server") == []
    started = [pod for one in found for pod in pods(one)]
    assert not started or cluster.refusals(started, namespace, "--dry-run=server") == []


def test_a_pod_of_elsewhere_is_refused_in_the_namespace_of_each_component(cluster):
    for namespace in {chart(one.chart).namespace for one in USES}:
        meta = {**POD["metadata"], "namespace": namespace}
        stranger = {**POD, "metadata": meta, "spec": {"containers": [{"name": "a", "image": "nginx:1"}]}}
        assert cluster.refusals([stranger], namespace, "--dry-run=server"), namespace
