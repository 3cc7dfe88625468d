"""`corral models` and `corral fit`: the catalogue, a folder and a hub on loopback, without a stack file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.doubles.servers import Handler, listening

from corral.catalogue.models import models
from corral.cli.main import main

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "torch_dtype": "bfloat16",
    "num_hidden_layers": 36,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "tie_word_embeddings": False,
}
"""Of Qwen3-8B, as the catalogue has it."""
BYTES = 16_381_516_800
COMMIT = "b968826d9c46dd6066d109eabc6255188de91218"
CARD = "---\nlicense: apache-2.0\ntags: [x]\n---\n# A model\n"


class Hub(Handler):
    """The two calls of a Hugging Face hub that a model is sized by."""

    files: ClassVar[dict[str, bytes]] = {}
    sizes: ClassVar[dict[str, int]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        name = self.path.rpartition("/resolve/main/")[2]
        if self.path.startswith("/api/models/org/eight/revision/main"):
            siblings = [{"rfilename": one, "size": len(body)} for one, body in self.files.items()]
            siblings += [{"rfilename": one, "lfs": {"size": size}} for one, size in self.sizes.items()]
            self.answer(200, json.dumps({"sha": COMMIT, "siblings": siblings}).encode())
        elif self.path.startswith("/org/eight/resolve/") and name in self.files:
            self.answer(200, self.files[name])
        else:
            self.answer(404, b"{}")


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[type[Hub]]:
    files = {"config.json": json.dumps(CONFIG).encode(), "README.md": CARD.encode()}
    shards = {f"model-0000{index}-of-00002.safetensors": BYTES // 2 for index in (1, 2)}
    handler = type("Here", (Hub,), {"files": files, "sizes": shards, "asked": []})
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    with listening(handler) as address:
        monkeypatch.setenv("HF_ENDPOINT", f"http://{address}")
        yield handler


@pytest.fixture(autouse=True)
def width_of_a_pipe(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def fitted(capsys, *arguments: str) -> dict:
    assert main(["fit", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["fit"]


def refused(capsys, *arguments: str) -> str:
    assert main([*arguments]) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if not line.startswith("reading ")]
    assert said.out == "" and len(lines) == 1, said
    return lines[0]


def test_a_model_of_a_hub_is_sized_without_its_weights(hub, capsys):
    found = fitted(capsys, "org/eight")
    spec = found["spec"]
    assert (spec["model"], spec["origin"], spec["revision"]) == ("org/eight", "hf://org/eight", COMMIT)
    assert (spec["license"], spec["dtype"], spec["weights"]) == ("apache-2.0", "bf16", BYTES)
    assert [path for path in hub.asked if path.endswith("config.json")]
    assert not [path for path in hub.asked if path.endswith(".safetensors")]


def test_a_hub_and_the_catalogue_agree_on_the_same_model(hub, capsys):
    ours, theirs = fitted(capsys, "qwen3-8b"), fitted(capsys, "hf://org/eight")
    assert [(one["gpu"], one["device"]) for one in ours["fits"]] == [
        (one["gpu"], one["device"]) for one in theirs["fits"]
    ]


def test_an_index_that_says_less_than_the_files_is_not_believed(hub, capsys):
    hub.files["model.safetensors.index.json"] = json.dumps({"metadata": {"total_size": 291}}).encode()
    assert fitted(capsys, "org/eight")["spec"]["weights"] == BYTES


@pytest.mark.parametrize("named", [True, False])
def test_weights_are_the_files_of_the_index_whatever_they_are_called(hub, capsys, named):
    shards = [f"model.safetensors-0000{index}-of-00002.safetensors" for index in (1, 2)]
    hub.sizes = {**dict.fromkeys(shards, BYTES // 2), "consolidated.safetensors": BYTES}
    if named:
        index = {"metadata": {}, "weight_map": {f"layer.{one}": one for one in shards}}
        hub.files["model.safetensors.index.json"] = json.dumps(index).encode()
        hub.sizes["extra.safetensors"] = BYTES
    assert fitted(capsys, "org/eight")["spec"]["weights"] == BYTES


def test_the_longest_input_of_an_encoder_is_what_its_own_file_says(hub, capsys):
    encoder = {**CONFIG, "architectures": ["BertModel"], "max_position_embeddings": 512}
    hub.files["config.json"] = json.dumps(encoder).encode()
    hub.files["sentence_bert_config.json"] = b'{"max_seq_length": 256, "do_lower_case": false}'
    assert fitted(capsys, "org/eight")["spec"]["longest_context"] == 256


def test_files_that_are_too_small_for_their_configuration_are_refused(hub, capsys):
    hub.sizes = {"model.safetensors": 135}
    assert "135 bytes" in refused(capsys, "fit", "org/eight")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": {"README.md": b""}}, "hf://org/eight: it has no config.json"),
        (
            {"sizes": {"model.gguf": 5}},
            "it has no safetensors files at its top, which vLLM loads: it has GGUF",
        ),
        ({"sizes": {"pytorch_model.bin": 5}}, "PyTorch's own files, which can run code"),
        ({"files": {"adapter_config.json": b"{}"}}, "it has an adapter"),
        ({"files": {"params.json": b"{}"}}, "it has Mistral's own format"),
        ({"files": {"config.json": b"[]"}}, "hf://org/eight: config.json is no JSON object"),
        (
            {
                "files": {
                    "config.json": json.dumps({**CONFIG, "architectures": ["MambaForCausalLM"]}).encode()
                }
            },
            "MambaForCausalLM",
        ),
    ],
)
def test_a_repository_that_cannot_be_sized_is_one_line(hub, capsys, change, said):
    for key, value in change.items():
        setattr(hub, key, value)
    assert said in refused(capsys, "fit", "org/eight")


@pytest.mark.parametrize(
    "word", ["", " ", "a b", "../x", "./x/y", "a\nb", "x" * 300, "http://x/y", "~nobody/x"]
)
def test_a_word_that_names_no_model_is_one_short_line(capsys, word):
    line = refused(capsys, "fit", word)
    assert "no model of the catalogue, no folder and no ORGANISATION/NAME of a hub" in line
    assert len(line.strip().splitlines()) == 1 and len(line) < 300


def test_a_repository_that_is_not_there_is_one_line(hub, capsys):
    assert refused(capsys, "fit", "org/none") == "corral: hf://org/none@main: not there"


def test_a_folder_is_sized_with_the_licence_of_its_card(tmp_path: Path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "README.md").write_text(CARD)
    index = {"metadata": {"total_size": BYTES}, "weight_map": {}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    found = fitted(capsys, str(folder))
    assert (found["spec"]["license"], found["spec"]["weights"]) == ("apache-2.0", BYTES)
    assert found["spec"]["revision"] is None
    assert main(["fit", str(folder)]) == 0
    assert "revision: unresolved\n" in capsys.readouterr().out


def test_a_pointer_in_the_place_of_weights_is_refused(tmp_path: Path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 1\n")
    assert "Git LFS pointer" in refused(capsys, "fit", str(tmp_path))


def test_fit_lists_what_holds_the_model_cheapest_first_with_a_price_that_is_named(capsys):
    found = fitted(capsys, "llama-3.3-70b")
    priced = [float(one["price"]["hour"]) for one in found["fits"] if one["price"]]
    assert priced == sorted(priced) and len(priced) > 5
    assert all(one["memory"]["usable"] >= sum(_used(one["memory"])) for one in found["fits"])
    assert "T4" in found["too_small"] and not [one for one in found["fits"] if one["gpu"] == "T4"]
    assert all(one["price"]["basis"] for one in found["fits"] if one["price"])


def _used(memory: dict) -> list[int]:
    return [memory[key] for key in ("weights", "kv_cache", "activation", "overhead")]


def test_amd_is_sized_and_priced_and_no_stack_may_have_it(capsys):
    assert main(["fit", "llama-3.3-70b", "--gpu", "MI300X-192GB"]) == 0
    said = capsys.readouterr().out
    assert "BM.GPU.MI300X.8" in said and "no stack may have them: MI300X-192GB" in said
    assert "not calibrated" in said


def test_the_table_has_a_figure_under_each_heading_and_one_line_for_a_device(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["fit", "qwen3-8b", "--gpu", "H100-80GB", "--gpu", "RTX-PRO-6000-MAXQ-96GB"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("GPU"))
    assert lines[at].split() == [
        "GPU",
        "device",
        "used/of",
        "longest",
        "seqs",
        "hour",
        "month",
        "rented",
        "as",
    ]
    rows = [line.split() for line in lines[at + 1 : at + 5]]
    assert [row[:2] for row in rows] == [
        ["H100-80GB", "1g.20gb"],
        ["H100-80GB", "whole"],
        ["RTX-PRO-6000-MAXQ-96GB", "1g.24gb"],
        ["RTX-PRO-6000-MAXQ-96GB", "whole"],
    ]
    used, longest, seqs, hour, month, instance, region = rows[0][2:]
    assert "/" in used and int(longest) > 8192 and int(seqs) >= 1
    assert round(float(month) / float(hour) / 730, 1) == 1
    assert (instance, region) == ("p5.4xlarge", "us-east-1")
    assert rows[3][-3:] == ["-", "-", "-"]


def test_a_filter_keeps_one_gpu_and_one_region(capsys):
    found = fitted(capsys, "qwen3-8b", "--gpu", "L40S", "--gpu", "L4", "--region", "eu-north-1")
    assert {one["gpu"] for one in found["fits"]} == {"L40S", "L4"}
    assert {one["price"]["region"] for one in found["fits"] if one["price"]} == {"eu-north-1"}


def test_more_context_needs_more_memory_and_fewer_sequences_less(capsys):
    short, long = (fitted(capsys, "qwen3-8b", "--context", size) for size in ("1024", "40960"))
    assert short["least_memory"] < long["least_memory"]
    few, many = (fitted(capsys, "qwen3-8b", "--max-num-seqs", size) for size in ("1", "256"))
    assert few["least_memory"] < many["least_memory"]


def test_another_dtype_is_an_entry_of_the_family_or_computed(capsys):
    assert fitted(capsys, "llama-3.1-8b", "--dtype", "fp8")["spec"]["model"] == "llama-3.1-8b-fp8"
    computed = fitted(capsys, "qwen3-14b", "--dtype", "fp8")["spec"]
    assert computed["model"] == "qwen3-14b" and "computed for fp8" in computed["origin"]
    assert 0.5 < computed["weights"] / models()["qwen3-14b"].weights < 0.6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "qwen3-8"], "qwen3-8: no model of the catalogue, no folder"),
        (["fit", "x" * 300], "no model of the catalogue"),
        (["fit", "~nobody-at-all/model"], "no model of the catalogue"),
        (["fit", "hf://one/two/three"], "hf://one/two/three: expected hf://ORGANISATION/NAME"),
        (["fit", "qwen3-8b", "--gpu", "RTX-4090"], "did you mean RTX-4090-24GB?"),
        (["fit", "qwen3-8b", "--context", "99999999"], "--context 99999999: qwen3-8b has at most 40960"),
        (["fit", "qwen3-8b", "--dtype", "fp9"], "--dtype fp9: did you mean fp8?"),
        (["fit", "gpt-oss-20b", "--dtype", "bf16"], "gpt-oss-20b is stored as mxfp4"),
        (["fit", "qwen3-8b", "--engine", "text-embeddings"], "qwen3-8b is bf16 for chat: use one of vllm"),
        (
            ["fit", "bge-m3", "--engine", "text-embeddings", "--context", "512"],
            "--context 512: text-embeddings takes the 8192 tokens of bge-m3",
        ),
        (["fit", "smollm2-135m", "--dtype", "fp8"], "llama.cpp does not serve smollm2-135m so"),
        (["fit", "qwen3-8b", "--region", "mars"], "--region mars: use one of us-east-1"),
        (["models", "levitation"], "no model of the catalogue matches levitation"),
    ],
)
def test_what_makes_no_sense_is_one_line_with_what_is_allowed(capsys, arguments, said):
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_size_that_is_no_number_above_zero_is_refused(capsys, value):
    with pytest.raises(SystemExit) as end:
        main(["fit", "qwen3-8b", f"--context={value}"])
    assert end.value.code == 2
    assert "use a whole number above 0" in capsys.readouterr().err


def test_another_engine_is_sized_as_itself_where_it_has_a_program(capsys):
    assert main(["fit", "bge-m3", "--engine", "text-embeddings", "--gpu", "L4", "--gpu", "B300-269GB"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "embedding, by text-embeddings" in shown and "L4 whole GPU" in shown
    assert "text-embeddings has no program for B300-269GB" in shown


def test_models_are_listed_searched_and_shown(capsys):
    assert main(["models"]) == 0
    everything = capsys.readouterr().out
    assert all(key in everything for key in models())
    assert main(["models", "qwen", "code"]) == 0
    some = capsys.readouterr().out
    assert "qwen2.5-coder-7b" in some and "llama" not in some
    assert main(["models", "gemma-3-27b", "--gpu", "H100-80GB"]) == 0
    one = capsys.readouterr().out
    assert "licence: gemma, gated" in one and "H100-80GB" in one and "131072 tokens" in one


def test_an_encoder_of_a_folder_answers_with_vectors(tmp_path: Path, capsys):
    config = {
        "architectures": ["BertModel"],
        "torch_dtype": "float16",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    index = {"metadata": {"total_size": 220_000_000}, "weight_map": {}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    found = fitted(capsys, str(tmp_path), "--gpu", "L4")
    assert found["spec"]["task"] == "embedding" and found["fits"][0]["full_sequences"] == 0
