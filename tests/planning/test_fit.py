"""Where a model fits: the same devices, memory and shares of prices as in a plan."""

from decimal import Decimal

import pytest
from tests.stacks.stack_files import planned, pool

from corral.catalogue.gpus import architecture, gpus
from corral.catalogue.models import models
from corral.catalogue.vocabulary import Dtype, Purchase, Vendor
from corral.stacks.planning.fit import fit, spec_plan, with_dtype
from corral.stacks.planning.results.fit import FitPlan, GpuFit, Provenance


def fitted(name: str, **options: object) -> FitPlan:
    return fit(spec_plan(name, models()[name], Provenance("here")), models()[name], **options)  # type: ignore[arg-type]


def of(plan: FitPlan, gpu: str, *, whole: bool) -> GpuFit:
    return next(one for one in plan.fits if one.gpu == gpu and (one.profile is None) == whole)


@pytest.mark.parametrize("name", ["llama-3.2-1b", "qwen3-8b", "llama-3.3-70b", "gpt-oss-120b", "bge-m3"])
def test_a_whole_gpu_holds_what_a_plan_says_it_holds(name: str):
    served = {"name": "chat", "model": name, "weights": "simulated"}
    whole = pool(gpu="H100-80GB", nodes={"names": ["gpu-0"]}, gpus_per_node=8, sharing="whole")
    (model,) = planned(gpu_pools=[whole], models=[served]).models
    found = of(fitted(name), "H100-80GB", whole=True)
    assert (found.memory, found.largest_context, found.full_sequences) == (
        model.memory,
        model.largest_context,
        model.full_sequences,
    )
    assert (found.device, fitted(name).context) == (model.device, model.context)


def test_a_slice_is_the_one_that_a_plan_cuts_and_costs_what_a_plan_counts():
    served = {"name": "chat", "model": "qwen3-8b", "weights": "simulated"}
    cut = pool(
        gpu="H100-80GB",
        nodes={"names": ["gpu-0"]},
        gpus_per_node=8,
        sharing={"mig": "auto"},
        instance="p5.48xlarge",
    )
    region = {"profile": "open", "region": "us-east-1"}
    plan = planned(gpu_pools=[cut], models=[served], sovereignty=region, cluster={"kind": "existing"})
    found = of(fitted("qwen3-8b", region="us-east-1"), "H100-80GB", whole=False)
    assert found.device == plan.models[0].device
    assert found.price is not None
    share = plan.cost.pools[0].models[0].hour
    assert abs(found.price.hour - share) < Decimal("0.000002"), "both instances ask the same for a GPU"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", models())
def test_every_model_of_the_catalogue_is_answered_for_every_gpu(name: str):
    plan = fitted(name)
    assert {one.gpu for one in plan.fits} | set(plan.too_small) == set(gpus())
    for one in plan.fits:
        assert one.memory.free >= 0 and one.count in (1, 2, 4, 8)
        assert one.largest_context >= plan.context
        assert one.profile is None or one.memory.usable < gpus()[one.gpu].usable
    for gpu in plan.too_small:
        assert plan.least_memory > gpus()[gpu].usable


def test_what_no_stack_may_have_says_so():
    served = {one.gpu: one.served for one in fitted("llama-3.2-1b").fits}
    assert set(served.values()) == {True, False}
    for gpu, may in served.items():
        assert may == (architecture(gpu).vendor is Vendor.NVIDIA and gpus()[gpu].resolved), gpu


def test_a_price_is_of_an_instance_with_enough_gpus_and_the_cheapest_there_is():
    price = of(fitted("llama-3.3-70b"), "H100-80GB", whole=True).price
    assert price is not None and price.instance != "p5.4xlarge", "it needs more than one"
    everywhere = of(fitted("qwen3-8b"), "L40S", whole=True).price
    north = of(fitted("qwen3-8b", region="eu-north-1"), "L40S", whole=True).price
    assert everywhere is not None and north is not None
    assert everywhere.hour <= north.hour and north.region == "eu-north-1"


def test_gpus_that_unpack_weights_of_few_bits_are_named():
    (eight,) = [line for line in fitted("qwen3-32b-fp8").notes if "8 bits" in line]
    assert "A100-80GB" in eight and "H100-80GB" not in eight and "RTX-4090-24GB" not in eight
    (four,) = [line for line in fitted("gpt-oss-20b").notes if "4 bits" in line]
    assert "H100-80GB" in four and "B200-180GB" not in four and "MI355X-288GB" not in four
    assert not [line for line in fitted("qwen3-8b").notes if "bits" in line]


def test_spot_is_another_price_and_a_price_that_is_not_known_is_none():
    spot = of(fitted("qwen3-8b", purchase=Purchase.SPOT), "H100-80GB", whole=True).price
    assert spot is not None and spot.purchase is Purchase.SPOT
    assert of(fitted("qwen3-8b"), "RTX-4090-24GB", whole=True).price is None
    assert of(fitted("qwen3-8b"), "MI325X-256GB", whole=True).price is None


def test_weights_of_another_dtype_are_those_that_the_catalogue_computes():
    name, spec = with_dtype("qwen3-8b", models()["qwen3-8b"], Dtype.INT4)
    assert (name, spec) == ("qwen3-8b-int4", models()["qwen3-8b-int4"])
    same = with_dtype("qwen3-8b", models()["qwen3-8b"], Dtype.BF16)
    assert same == ("qwen3-8b", models()["qwen3-8b"])
    _name, computed = with_dtype(
        "llama-3.1-8b", models()["llama-3.1-8b"].model_copy(update={"family": None}), Dtype.FP8
    )
    assert computed.weights == pytest.approx(models()["llama-3.1-8b-fp8"].weights, rel=0.01)
