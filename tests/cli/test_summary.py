"""What runs and as what, on a console of 80 columns."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from corral.cli import summary
from corral.cli.stack import load
from corral.embedded.plane.overview import Overview, PodView

ROOT = Path(__file__).parents[2]
LONG = "node-feature-discovery-master-of-a-rather-long-name-5b5696dc7f-v6r5t"


def pod(name, namespace="kserve", kind="process", state="ready", **more):
    fields = {"uid": name, "processes": (), "devices": (), "model": None, **more}
    return PodView(namespace=namespace, name=name, kind=kind, state=state, **fields)


@pytest.fixture(scope="module")
def plan():
    return load(ROOT / "Pulumi.dev.yaml")


@pytest.fixture(scope="module")
def replicas(plan):
    return tuple(
        pod(
            f"{model.name}-{index}",
            model.namespace,
            "simulated",
            model=model.name,
            devices=("slices-0/gpu-1-mig-1g5gb-0",),
        )
        for model in plan.models
        for index in range(model.replicas_min)
    )


def rendered(pods, plan=None, charts=None, outputs=None, width=80):
    console = Console(file=io.StringIO(), width=width)
    fine = summary.render(console, Overview(tuple(pods)), plan, charts or {}, outputs or {})
    return console.file.getvalue(), fine


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_name_is_cut_and_no_line_is_too_long(plan, replicas, width):
    text, _ = rendered([*replicas, pod(LONG)], plan, width=width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    assert LONG in text.replace("\n", "") if width == 40 else LONG in text


def test_pods_are_grouped_by_namespace_with_what_they_run_as(plan, replicas):
    text, _ = rendered([*replicas, pod("manager"), pod("grafana", "monitoring", "simulated")], plan)
    assert f"Pods: {len(replicas) + 1} simulated, 1 process" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["manager", "process", "ready"] in lines
    assert ["grafana", "simulated", "ready"] in lines
    assert text.index("\nkserve\n") < text.index("\n  manager ") < text.index("\nmonitoring ")


def test_charts_of_ours_are_told_from_upstreams_and_from_plain_objects(plan):
    charts = {
        "kyverno": {"kind": "real", "version": "3.9.1"},
        "gpu-operator": {"kind": "stand-in", "version": "v26.7.0"},
    }
    lines = [" ".join(line.split()) for line in rendered([], plan, charts)[0].splitlines()]
    assert "kyverno upstream's chart kyverno 3.9.1" in lines
    assert "gpu-operator stand-in chart gpu-operator 26.7.0" in lines
    assert "model-storage plain objects" in lines


def test_omitted_containers_are_named(plan):
    text, _ = rendered([pod("manager", omitted="kube-rbac-proxy: not needed on loopback")], plan)
    assert "omitted: kube-rbac-proxy: not needed on loopback" in text


def test_each_model_shows_its_service_devices_and_memory(plan, replicas):
    text, _ = rendered(replicas, plan)
    assert "smollm2-predictor.assistants.svc.cluster.local" in text
    assert "on slices-0/gpu-1-mig-1g5gb-0, simulated" in text
    assert "used 0.7 GiB, free 4.1 GiB of each device" in text


def test_unresolved_digests_are_counted(plan):
    missing, total = len(plan.digests.unresolved), len(plan.digests.unresolved) + plan.digests.resolved
    assert f"digests: {missing} of {total} unresolved" in rendered([], plan)[0]


def test_all_is_well_when_every_pod_and_every_replica_is_ready(plan, replicas):
    text, fine = rendered([*replicas, pod("import", state="done")], plan)
    assert fine
    assert "Not as it should be" not in text


def test_a_refused_pod_is_a_fault_and_its_reason_is_shown(plan, replicas):
    refused = pod("db-0", "vector-db", "refused", "refused", note="setting ssl=on is not honoured")
    text, fine = rendered([*replicas, refused], plan)
    assert not fine
    assert "setting ssl=on is not honoured" in text
    assert "pod vector-db/db-0 is refused" in text


def test_a_model_without_its_replicas_is_a_fault(plan, replicas):
    text, fine = rendered([one for one in replicas if one.model != "code"], plan)
    assert not fine
    assert "model code has 0 of 1 replicas ready" in text


def test_one_replica_is_enough_until_a_scaler_that_is_not_the_stack_s_own_sets_the_number(plan, replicas):
    (code,) = [one for one in plan.models if one.name == "code"]
    ranged = replace(code, replicas_min=2, replicas_max=4)
    fixed = replace(code, replicas_min=2, replicas_max=2)
    for model, fine in ((ranged, True), (fixed, False)):
        others = [one for one in plan.models if one.name != "code"]
        assert rendered(replicas, replace(plan, models=[*others, model]))[1] is fine


def test_a_plane_without_pods_says_what_to_do():
    text, fine = rendered([])
    assert not fine
    assert "nothing is deployed: `corral up`" in text


def test_outputs_are_shown_whole(plan, replicas):
    outputs = {"bucket": "s3://models", "policy": {"profile": "open", "controls": ["A", "B"]}}
    text, _ = rendered(replicas, plan, outputs=outputs)
    assert "bucket: s3://models" in text
    assert "policy controls: A, B" in text


@pytest.mark.parametrize(("kind", "said"), [("simulated", True), ("process", False)])
def test_an_address_with_nothing_behind_it_says_so(plan, kind, said):
    where = {"grafana": "grafana.monitoring.svc:80", "vector-db": "vector-db.vector-db.svc:5432"}
    pods = [pod("grafana-5f", "monitoring", kind), pod("vector-db-0", "vector-db")]
    text, _ = rendered(pods, plan, outputs=where, width=160)
    nothing = " (simulated: nothing answers there)"
    assert (f"grafana: {where['grafana']}{nothing}" in text) is said
    assert f"vector-db: {where['vector-db']}\n" in text
