"""LoRA adapters: memory and arguments by what vLLM reserves for them, their names, files and refusals."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import GIB, model, parsed, planned, problems

from corral.catalogue.models import models
from corral.stacks.config.errors import PlanErrors
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.planning.memory.lora import Lora, reserved
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

POOLS = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]
QUERY = ["q_proj", "v_proj"]
LLAMA = models()["llama-3.1-8b"]
STEP = 8192


def adapter(name: str = "sql", **more: Any) -> dict[str, Any]:
    stated = {"name": name, "source": f"s3://models/{name}", "rank": 16, "target-modules": QUERY, **more}
    return {key: value for key, value in stated.items() if value is not None}


def stack(*adapters: Any, **more: Any) -> dict[str, Any]:
    return {"models": [model(adapters=list(adapters), **more)], "gpu_pools": POOLS}


def locked(source: str, **more: Any) -> LockedModel:
    files = [
        {"name": name, "size": 10**8, "sha256": digit * 64}
        for name, digit in (("adapter_config.json", "a"), ("adapter_model.safetensors", "b"))
    ]
    lora = {"rank": 16, "target-modules": QUERY}
    content = {"source": source, "date": "2026-11-28", "files": files, "lora": lora, **more}
    return LockedModel.model_validate(content)


def with_lock(lock: dict[str, LockedModel], *adapters: Any, profile: str = "open", **more: Any) -> Plan:
    real = {"weights": "real", "source": "s3://models/chat", **more}
    sovereignty = {"profile": profile, "region": "embedded"}
    return plan(parsed(**stack(*adapters, **real), sovereignty=sovereignty), "test", lock)


def refused(*adapters: Any, lock: dict[str, LockedModel] | None = None, **more: Any) -> list[str]:
    try:
        with_lock(lock or {}, *adapters, **more)
    except PlanErrors as error:
        return [str(one) for one in error.problems]
    return []


def value(args: tuple[str, ...], flag: str) -> str:
    return args[args.index(flag) + 1]


def parameters(rank: int, *widths: tuple[int, int]) -> int:
    """Elements of both factors in each layer of the model, by width in and out of its projections."""
    return LLAMA.layers * rank * sum(inner + outer for inner, outer in widths)


@pytest.mark.parametrize(
    ("targets", "widths"),
    [
        (["o_proj"], [(4096, 4096)]),
        # The engine has merged these, and makes room for each of them.
        (["q_proj"], [(4096, 4096), (4096, 1024), (4096, 1024)]),
        (["up_proj", "down_proj"], [(4096, 14336), (4096, 14336), (14336, 4096)]),
    ],
)
def test_memory_is_kept_for_both_factors_of_each_layer_that_an_adapter_changes(targets, widths):
    lora = Lora(("sql",), 3, 16, frozenset(targets))
    products = 3 * STEP * 16 * 4
    assert reserved(LLAMA, lora, parallel=1, step=STEP) == 3 * 2 * parameters(16, *widths) + products


def test_without_names_of_modules_embeddings_and_output_layer_count_too():
    known = Lora(("sql",), 1, 8, frozenset({"q_proj", "o_proj", "up_proj", "down_proj"}))
    unknown = [Lora(("sql",), 1, 8, one) for one in (None, frozenset({"q_proj", "c_attn"}))]
    tables = 2 * 2 * 8 * (LLAMA.vocabulary + LLAMA.hidden)
    base = reserved(LLAMA, known, parallel=1, step=STEP)
    assert [reserved(LLAMA, one, parallel=1, step=STEP) for one in unknown] == [base + tables] * 2


def test_tensor_parallelism_divides_one_factor_of_two():
    lora = Lora(("sql",), 1, 8, frozenset({"o_proj"}))
    assert reserved(LLAMA, lora, parallel=2, step=0) == 2 * parameters(8, (2048, 4096))


def test_every_expert_has_both_factors():
    spec = models()["qwen3-30b-a3b"]
    assert spec.experts is not None
    lora = Lora(("sql",), 1, 16, frozenset({"q_proj"}))
    experts = spec.layers * spec.experts.count * 3 * 16 * (spec.hidden + spec.experts.intermediate) * 2
    assert reserved(spec, lora, parallel=1, step=0) > experts


def test_adapters_are_planned_beside_weights_and_cache():
    (bare,) = planned(**stack()).models
    (chat,) = planned(**stack(adapter(rank=64), adapter("legal", rank=8))).models
    lora = Lora(("sql", "legal"), 2, 64, frozenset(QUERY))
    assert chat.memory.adapters == reserved(LLAMA, lora, parallel=1, step=STEP)
    assert chat.memory.weights == bare.memory.weights
    graphs = chat.memory.overhead - bare.memory.overhead
    assert graphs > 0, "graphs are captured with and without adapters"
    assert chat.memory.used == bare.memory.used + chat.memory.adapters + graphs
    assert bare.memory.adapters == 0 and "--enable-lora" not in bare.args


def test_the_engine_is_told_exactly_what_is_planned():
    (chat,) = planned(**stack(adapter(rank=24), adapter("legal", rank=8), max_loras=1)).models
    place = chat.args.index("--lora-modules")
    assert chat.args[place + 1 : place + 3] == ("sql=/mnt/adapters/sql", "legal=/mnt/adapters/legal")
    assert "--enable-lora" in chat.args
    assert value(chat.args, "--max-lora-rank") == "32", "the least that vLLM has for 24"
    assert value(chat.args, "--max-loras") == "1" and value(chat.args, "--max-cpu-loras") == "2"
    place = chat.args.index("--lora-target-modules")
    assert chat.args[place + 1 : place + 3] == ("q_proj", "v_proj")
    assert chat.adapter_slots == 1


@pytest.mark.parametrize("targets", [None, ["c_attn"]])
def test_modules_that_are_not_known_are_no_limit_for_the_engine(targets):
    (chat,) = planned(**stack(adapter(**{"target-modules": targets}))).models
    assert "--lora-target-modules" not in chat.args


def test_experts_have_no_list_of_modules_which_would_leave_their_layers_out():
    (chat,) = planned(**stack(adapter(), model="qwen3-30b-a3b")).models
    assert "--lora-target-modules" not in chat.args and chat.memory.adapters > GIB


def test_adapters_that_do_not_fit_are_refused_with_the_size():
    many = [adapter(f"a{number}", rank=512, **{"target-modules": None}) for number in range(40)]
    (line,) = problems(**stack(*many))
    assert line.startswith("models[0]: chat needs ") and "the largest device is" in line, line


def test_rank_and_modules_come_from_the_lock():
    lock = {"sql": locked("s3://models/sql", lora={"rank": 24, "target-modules": QUERY})}
    (chat,) = with_lock(lock, adapter(rank=None, **{"target-modules": None})).models
    (sql,) = chat.adapters
    assert (sql.rank, value(chat.args, "--max-lora-rank")) == (24, "32")
    assert [one.name for one in sql.files] == ["adapter_config.json", "adapter_model.safetensors"]
    assert sql.license == LLAMA.license and sql.storage_path.startswith("sql-")
    assert chat.unlocked_names == ("chat",)


def test_other_files_have_another_place_in_the_store():
    first, other = (
        with_lock({"sql": locked("s3://models/sql", files=files)}, adapter()).models[0].adapters[0]
        for files in (
            [{"name": "adapter_config.json", "size": 1, "sha256": "c" * 64}, weights]
            for weights in (
                {"name": "adapter_model.safetensors", "size": 1, "sha256": digit * 64} for digit in "de"
            )
        )
    )
    assert first.storage_path != other.storage_path


def test_a_hub_is_read_at_the_commit_that_was_locked():
    lock = {"sql": locked("hf://acme/sql", revision="c" * 40)}
    (chat,) = with_lock(lock, adapter(source="hf://acme/sql")).models
    assert chat.adapters[0].source == f"hf://acme/sql@{'c' * 40}"


def test_files_of_adapters_count_on_the_host_on_the_way_and_in_the_store():
    heavy = [
        {"name": name, "size": 10 * GIB, "sha256": "a" * 64}
        for name in ("adapter_config.json", "adapter_model.safetensors")
    ]
    lock = {"sql": locked("s3://models/sql", files=heavy)}
    bare, made = with_lock({}), with_lock(lock, adapter())
    (before,), (chat,) = bare.models, made.models
    assert chat.host_memory_gib == before.host_memory_gib + 20
    first, start = before.cold_start, chat.cold_start
    assert start.fetch > first.fetch and start.verify > first.verify and start.load > first.load
    assert start.size == first.size, "nodes keep the files of models alone"
    assert made.storage.models_gib == bare.storage.models_gib + 20


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"rank": None}, "models[0].adapters[0].rank: missing: memory is planned by it: run corral lock"),
        ({"rank": 8}, "models[0].adapters[0].rank: 8: its configuration has 16: leave it out"),
        (
            {"target-modules": ["q_proj"]},
            "models[0].adapters[0].target-modules: q_proj: its configuration has",
        ),
        ({"source": "s3://models/other", "rank": None}, "models[0].adapters[0].rank: missing"),
    ],
)
def test_what_the_lock_contradicts_or_lacks_is_refused(more, line):
    lock = {} if more == {"rank": None} else {"sql": locked("s3://models/sql")}
    (found,) = refused(adapter(**more), lock=lock)
    assert found.startswith(line), found


@pytest.mark.parametrize("lora", [None, {"rank": 8}])
def test_a_lock_without_an_adapter_is_none_of_an_adapter(lora):
    files = [{"name": "model.safetensors", "size": 1, "sha256": "a" * 64}]
    lock = {"sql": locked("s3://models/sql", lora=lora, files=files)}
    (found,) = refused(adapter(), lock=lock)
    assert "locked as a model, not as an adapter: run corral lock --models --refresh" in found


def test_a_profile_that_pins_files_pins_those_of_adapters():
    chat = LockedModel.model_validate(
        {
            "source": "s3://models/chat",
            "date": "2026-11-28",
            "files": [{"name": "model.safetensors", "size": 16 * 10**9, "sha256": "0" * 64}],
        }
    )
    sovereignty = {
        "profile": "eu-resident",
        "region": {"country": "DE", "site": "fra-1"},
        "registry": "registry.example.eu",
    }
    config = parsed(
        **stack(adapter(), weights="real", source="s3://models/chat"),
        sovereignty=sovereignty,
        cluster={"kind": "existing"},
    )
    with pytest.raises(PlanErrors) as error:
        plan(config, "test", {"chat": chat})
    found = [str(one) for one in error.value.problems]
    assert any(
        "models[0].adapters[0].source: s3://models/sql: its files are not locked" in one for one in found
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"adapters": [adapter("chat")]},
            "models[0].adapters[0].name: chat: callers ask for it by this name",
        ),
        (
            {"adapters": [adapter(), adapter()]},
            "models[0].adapters[1].name: sql: callers ask for it by this name, which models[0].adapters[0]",
        ),
        (
            {"adapters": [adapter("chat-canary")], "canary": {"weight": 1, "context": 4096}},
            "models[0].adapters[0].name: chat-canary: callers ask for it by this name, which models[0].c",
        ),
        ({"max_loras": 1}, "models[0].max-loras: 1: at most the number of adapters, 0: leave it out"),
        (
            {"adapters": [adapter()], "max_loras": 2},
            "models[0].max-loras: 2: at most the number of adapters, 1",
        ),
        ({"adapters": [adapter(rank=513)]}, "models[0].adapters[0].rank: 513"),
        (
            {"adapters": [adapter()], "model": "smollm2-135m", "weights": "real"},
            "models[0].adapters: sql: llama.cpp has one name for all of its calls, and no adapter by name",
        ),
        (
            {"adapters": [adapter()], "model": "bge-m3"},
            "models[0].adapters: sql: vLLM serves no adapters of encoders: merge it into",
        ),
        (
            {"adapters": [adapter()], "model": "qwen3.6-27b"},
            "models[0].adapters: sql: what adapters of models with hybrid layers take is not known: merge it",
        ),
        (
            {"adapters": [adapter(source="ftp://models/sql")]},
            "models[0].adapters[0].source: ftp://models/sql: profile open allows",
        ),
        (
            {"adapters": [adapter()], "canary": {"weight": 1, "model": "qwen3-8b"}},
            "models[0].canary.model: qwen3-8b: the adapters are of the model, which the canary is not",
        ),
        (
            {"adapters": [adapter(**{"target-modules": ["lm_head"]})], "model": "gemma-3-4b"},
            "models[0].adapters: sql: vLLM keeps room to change lm_head, of 258048 entries at most",
        ),
    ],
)
def test_what_cannot_be_served_is_one_line_with_the_way_out(change, line):
    gateway = {"gateway": {"host": "models.example.eu"}}
    found = problems(models=[model(**change)], gpu_pools=POOLS, **gateway)
    assert any(one.startswith(line) for one in found), found


def test_a_canary_answers_to_the_adapters_of_its_model():
    canary = {"weight": 10, "context": 4096}
    made = planned(**stack(adapter(), canary=canary), gateway={"host": "models.example.eu"})
    chat, other = made.models
    assert [one.name for one in other.adapters] == [one.name for one in chat.adapters] == ["sql"]
    assert "sql=/mnt/adapters/sql" in other.args
    assert made.gateway is not None
    (routes,) = made.gateway.tenants
    assert [(one.name, one.model) for one in routes.adapters] == [("sql", "chat")]


def test_the_plan_shows_adapters_with_what_they_take():
    made = planned(**stack(adapter(license="MIT"), adapter("legal"), max_loras=1))
    text = StringIO()
    render(made, Console(file=text, width=120))
    shown = text.getvalue()
    assert "chat: 1 of 2 on the GPU at the same time, for which" in shown
    assert any(line.split() == ["sql", "chat", "16", "MIT", "s3://models/sql"] for line in shown.splitlines())
    html = page(made)
    assert "part adapters" in html and "s3://models/legal" in html
    assert "part adapters" not in page(planned(**stack()))
