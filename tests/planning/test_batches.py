"""Section `batches`: what becomes of it, what is shown of it, and what is refused."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, planned, problems

from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

POOL = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 4}]
TENANTS = [{"name": "blue"}, {"name": "red", "namespace": "red-1"}]
EXISTING = {"kind": "existing", "endpoint": "https://s3.example.eu"}


def stack(*batches: dict[str, Any], **more: Any) -> dict[str, Any]:
    real = {"model": "smollm2-135m", "context": 2048, "max-num-seqs": 8, "weights": "real"}
    models = [
        model(tenant="blue", **{**real, **more.pop("model", {})}),
        model(name="code", tenant="red", weights="simulated"),
    ]
    return {"tenants": TENANTS, "models": models, "gpu_pools": POOL, "batches": list(batches), **more}


def batch(**more: Any) -> dict[str, Any]:
    return {"name": "nightly", "model": "chat", "schedule": "30 2 * * *", **more}


def test_a_batch_is_in_its_models_tenant_and_leaves_half_of_the_model_to_callers():
    (made,) = planned(**stack(batch())).batches
    assert (made.tenant, made.namespace, made.model, made.asked_for) == ("blue", "blue", "chat", "chat")
    assert (made.input, made.output) == ("blue/nightly/input", "blue/nightly/output")
    assert (made.concurrency, made.deadline, made.time_zone) == (4, 14400, "Etc/UTC")


def test_what_the_file_states_holds():
    stated = {"input": "in/2026", "output": "out", "concurrency": 8, "deadline": 60}
    (made,) = planned(**stack(batch(**stated, **{"time-zone": "Europe/Berlin"}))).batches
    assert (made.input, made.output) == ("blue/in/2026", "blue/out")
    assert (made.concurrency, made.deadline, made.time_zone) == (8, 60, "Europe/Berlin")


def test_a_canary_is_asked_by_its_models_name():
    canary = {"canary": {"weight": 0, "context": 1024}}
    gateway = {"host": "models.example.eu"}
    (made,) = planned(**stack(batch(model="chat-canary"), model=canary, gateway=gateway)).batches
    assert (made.model, made.asked_for) == ("chat-canary", "chat")


def test_an_adapter_is_asked_by_its_own_name_where_its_model_is():
    def made(**more: Any) -> Any:
        adapter = {"name": "sql", "source": "s3://models/sql", "rank": 8, **more}
        llama = {"model": "llama-3.2-1b", "source": "s3://models/llama", "adapters": [adapter]}
        (one,) = planned(**stack(batch(model="sql", **{"per-revision": True}), model=llama)).batches
        return one

    assert (made().model, made().asked_for, made().tenant) == ("chat", "sql", "blue")
    assert made().revision != made(source="s3://models/other").revision


def test_each_revision_of_a_model_answers_below_a_prefix_of_its_own():
    def output(**changed: Any) -> str:
        (made,) = planned(**stack(batch(**{"per-revision": True}), model=changed)).batches
        assert made.output == f"blue/nightly/output/{made.revision}"
        return made.output

    assert output() == output(replicas=2), "copies are no revision"
    llama = [{"model": "llama-3.2-1b", "source": f"hf://acme/{one}"} for one in "ab"]
    assert len({output(), output(**{"max-num-seqs": 4}), *(output(**one) for one in llama)}) == 4
    assert planned(**stack(batch())).batches[0].revision is None


def test_batches_are_on_the_terminal_and_on_the_page_and_nothing_without_them():
    made = planned(**stack(batch()))
    out = StringIO()
    render(made, Console(file=out, width=240))
    for shown in (out.getvalue(), page(made)):
        assert "30 2 * * *" in shown and "s3://batches/blue/nightly/input" in shown
    assert planned().batches == ()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"schedule": "30 2 * *"}, "batches[0].schedule: 30 2 * *: use five fields"),
        ({"schedule": "60 2 * * *"}, "batches[0].schedule: 60 2 * * *: minute 60: use 0 to 59"),
        ({"schedule": "0 0 31 2 *"}, "none of its months has a day 31"),
        ({"time-zone": "Europe/Atlantis"}, "batches[0].time-zone: Europe/Atlantis: use a time zone of IANA"),
        ({"input": "/etc"}, "batches[0].input: /etc: use a prefix"),
        ({"output": "a/../b"}, "batches[0].output: a/../b: use a prefix"),
        ({"model": "chatt"}, "batches[0].model: chatt:"),
        ({"model": "code"}, "batches[0].model: code: its weights are simulated"),
        ({"concurrency": 9}, "batches[0].concurrency: 9: chat runs 8 sequences in each of 1 copies"),
        ({"input": "one", "output": "one/two"}, "batches[0].output: one/two: batches[0].input is one"),
        ({"name": "x" * 31}, "batches[0].name"),
        ({"deadline": 0}, "batches[0].deadline"),
    ],
)
def test_what_cannot_run_is_refused_with_its_place(changed: dict[str, Any], line: str):
    assert any(line in one for one in problems(**stack(batch(**changed))))


def test_batches_may_answer_the_same_requests_and_never_share_another_place():
    first = batch()
    assert problems(**stack(first, batch(name="weekly", input="nightly/input"))) == []
    (line,) = problems(**stack(first, batch(name="weekly", output="nightly/output")))
    assert line.startswith("batches[1].output: nightly/output: batches[0].output is nightly/output")
    (line,) = problems(**stack(first, batch(name="weekly", input="nightly/input/more")))
    assert line.startswith("batches[1].input: nightly/input/more: batches[0].input is nightly/input")
    (line,) = problems(**stack(first, batch(name="weekly", input="nightly/output")))
    assert line.startswith("batches[1].input: nightly/output: batches[0].output is nightly/output")


def test_a_name_stands_once():
    found = problems(**stack(batch(), batch(output="other", input="third")))
    assert [one.partition(":")[0] for one in found] == ["batches[1].name"]


@pytest.mark.parametrize(
    ("store", "path"),
    [(EXISTING, "model-storage.kind: existing"), ({"bucket": "batches"}, "model-storage.bucket: batches")],
)
def test_a_store_without_keys_of_tenants_is_refused(store: dict[str, Any], path: str):
    assert any(one.startswith(path) for one in problems(**stack(batch(), model_storage=store)))


def test_a_model_that_may_have_no_copy_is_refused():
    scaling = {"scaling": {"min": 0, "max": 2}}
    gateway = {"host": "models.example.eu"}
    found = problems(**stack(batch(), model=scaling, gateway=gateway))
    assert any(one.startswith("batches[0].model: chat: no copy of it may run") for one in found)
    scaling["scaling"]["min"] = 1
    assert problems(**stack(batch(), model=scaling, gateway=gateway)) == []
