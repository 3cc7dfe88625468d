"""Every image that a chart or its operator starts carries its digest once the catalogue has it."""

from dataclasses import replace

import pytest
import yaml
from tests.commands import helm_template

from corral.catalogue import images as catalogue
from corral.catalogue.platforms import platforms
from corral.catalogue.vocabulary import Platform
from corral.components.cert_manager.component import cert_manager_values
from corral.components.dra_driver.values import dra_values
from corral.components.gpu_operator.values import OPERANDS, operator_values
from corral.components.kyverno.values import kyverno_values
from corral.components.observability.digests import PLACES, with_digests
from corral.components.observability.values import stack_values
from corral.components.vector_db.qdrant.values import qdrant_values
from corral.embedded import toolchain
from corral.embedded.plane.charts import STAND_INS

HEX = "ab" * 32
PREINSTALLED = platforms()[Platform.PREINSTALLED]
SUPPLY = {"registry": "registry.example.eu/mirror"}


@pytest.fixture
def resolved(monkeypatch):
    """A catalogue after `corral lock`."""
    entries = {name: replace(one, digest=f"sha256:{HEX}") for name, one in catalogue.images().items()}
    monkeypatch.setattr(catalogue, "images", lambda: entries)


def test_nothing_is_set_while_digests_are_unresolved():
    if any(catalogue.image(name).digest != "unresolved" for name in PLACES):
        pytest.skip("the catalogue has digests")
    assert with_digests({"grafana": {"a": 1}}) == {"grafana": {"a": 1}}


def test_every_image_of_the_monitoring_chart_has_its_digest_under_the_charts_own_key(resolved):
    values = stack_values(
        retention_days=1, size_gib=10, storage_class=None, control_plane=False, supply=SUPPLY
    )
    assert values["prometheus"]["prometheusSpec"]["image"]["sha"] == HEX
    assert values["prometheus"]["prometheusSpec"]["retention"] == "1d", "what was there stays"
    assert values["kube-state-metrics"]["image"]["sha"] == f"sha256:{HEX}"
    assert values["prometheus-node-exporter"]["image"]["digest"] == f"sha256:{HEX}"
    brought = {one.name for one in catalogue.images_of("kube-prometheus-stack")}
    assert set(PLACES) == brought


def test_every_operand_of_the_gpu_operator_but_the_driver_runs_by_digest(resolved):
    values = operator_values(PREINSTALLED, device_plugin=True, monitors=True, supply=SUPPLY)
    pinned = {name for name in OPERANDS if str(values[name].get("version", "")).endswith(f"@sha256:{HEX}")}
    assert set(OPERANDS) - pinned == {"driver"}
    assert values["driver"]["manager"]["version"].endswith(f"@sha256:{HEX}")
    assert values["node-feature-discovery"]["image"]["tag"].endswith(f"@sha256:{HEX}")


def test_the_dra_driver_runs_by_digest(resolved):
    values = dra_values(PREINSTALLED, supply=SUPPLY)
    assert values["image"]["tag"].endswith(f"@sha256:{HEX}")
    assert values["image"]["repository"].startswith(SUPPLY["registry"])


@pytest.mark.engine
def test_qdrant_runs_by_digest_though_its_chart_reads_a_tag_as_a_version(resolved):
    values = qdrant_values(
        replicas=1,
        replication_factor=1,
        size_gib=1,
        memory_mib=1024,
        storage_class=None,
        credential_revision="1",
        supply=SUPPLY,
    )
    assert set(rendered_images(STAND_INS / "qdrant", values)) == {
        f"registry.example.eu/mirror/qdrant/qdrant:{catalogue.image('qdrant').tag}@sha256:{HEX}"
    }


@pytest.mark.engine
def test_every_container_of_cert_managers_real_chart_runs_by_digest(resolved):
    values = cert_manager_values("cert-manager", SUPPLY)
    references = rendered_images(toolchain.chart("cert-manager"), values)
    assert len(references) >= 4
    assert [one for one in references if not one.endswith(f"@sha256:{HEX}")] == []


@pytest.mark.engine
def test_every_container_of_kyvernos_real_chart_runs_by_digest(resolved):
    values = kyverno_values("kyverno", replicas=1, supply=SUPPLY)
    references = rendered_images(toolchain.chart("kyverno"), values)
    assert len(references) >= 5
    for one in references:
        assert one.startswith("registry.example.eu/mirror/kyverno/"), one
        assert one.endswith(f"@sha256:{HEX}") and one.count(":") == 2, one


WORKLOADS = ("Deployment", "StatefulSet", "Job", "Pod")


def rendered_images(chart, values):
    text = helm_template(chart.name, chart, values)
    objects = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]
    return list(images_in([one for one in objects if one["kind"] in WORKLOADS]))


def images_in(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "image" and isinstance(item, str):
                yield item
            else:
                yield from images_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from images_in(item)
