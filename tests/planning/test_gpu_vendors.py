"""Consumer, workstation and AMD GPUs in a stack file: what is planned, what is refused, and what is said."""

import io

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, planned, pool, problems

from corral.catalogue.gpus import architecture, gpus
from corral.catalogue.vocabulary import Vendor
from corral.stacks.reports.terminal.plan import render

CONSUMER = [key for key, entry in gpus().items() if entry.geforce]
AMD = [key for key in gpus() if architecture(key).vendor is Vendor.AMD]
PLUGIN = {"dra-driver": "off"}


def whole(gpu: str, **changes: object) -> dict[str, object]:
    return pool(gpu=gpu, nodes={"names": ["gpu-0"]}, gpus_per_node=1, **{"sharing": "whole", **changes})


@pytest.mark.parametrize("gpu", CONSUMER)
def test_a_consumer_gpu_serves_whole_and_by_time(gpu: str):
    small = [model(model="llama-3.2-1b")]
    assert planned(gpu_pools=[whole(gpu)], models=small).models[0].device == "whole GPU"
    shared = [whole(gpu, sharing={"time-slicing": 2})]
    assert planned(gpu_pools=shared, models=small, addons=PLUGIN).models[0].device == "1/2 GPU"


@pytest.mark.parametrize("gpu", CONSUMER)
def test_mig_on_a_consumer_gpu_is_refused_in_one_line(gpu: str):
    (line,) = problems(gpu_pools=[whole(gpu, sharing={"mig": "auto"})], models=[])
    assert line.startswith(
        f"gpu-pools[0].sharing: mig on {gpu}: {gpu} has no MIG: use whole, time-slicing or mps"
    )


def text(gpu: str) -> str:
    console = Console(file=io.StringIO(), width=400)
    render(planned(gpu_pools=[whole(gpu)], models=[]), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_licence_of_a_consumer_gpu_is_in_the_plan_and_in_no_other():
    assert "not licensed for datacenter deployment" in text("RTX-4090-24GB")
    assert "datacenter" not in text("RTX-A6000-48GB")


@pytest.mark.parametrize(
    ("gpu", "name", "dtype"),
    [
        ("T4", "llama-3.2-1b", "float16"),
        ("T4", "qwen3-8b-int4", "float16"),
        ("L4", "llama-3.2-1b", "bfloat16"),
        ("RTX-3090-24GB", "qwen3-8b-int4", "auto"),
    ],
)
def test_a_gpu_without_bfloat16_is_told_float16(gpu: str, name: str, dtype: str):
    (served,) = planned(gpu_pools=[whole(gpu)], models=[model(model=name, context=2048)]).models
    assert served.args[served.args.index("--dtype") + 1] == dtype


@pytest.mark.parametrize("gpu", AMD)
def test_a_gpu_that_the_operator_cannot_serve_is_refused_with_the_way_out(gpu: str):
    (line,) = problems(gpu_pools=[whole(gpu)], models=[])
    assert line.startswith(f"gpu-pools[0].gpu: {gpu}: ")
    assert f"corral fit MODEL --gpu {gpu}" in line and "NVIDIA" in line


def test_an_unknown_gpu_is_answered_with_those_that_can_be_served():
    (line,) = problems(gpu_pools=[whole("RTX-4090")], models=[])
    assert "did you mean RTX-4090-24GB?" in line
    assert not any(gpu in line for gpu in AMD)
