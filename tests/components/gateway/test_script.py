"""The gateway's script in a real Envoy, before a server that answers as engines do."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.doubles.servers import Handler, free_port, listening

from corral.components.gateway.script import METADATA, MOST_READ, USED, script
from corral.embedded import toolchain

READY_SECONDS = 30
MOST_TOKENS = 64
NAME = "x-call"
"""Header by which a call is found in the log, which is written after the answer."""
LLAMA = {
    "error": {
        "code": 400,
        "message": "request (3031 tokens) exceeds the available context size (2048 tokens)",
        "type": "exceed_context_size_error",
    }
}
VLLM = {
    "error": {
        "message": "This model's maximum context length is 2048 tokens. However, you requested 3031 tokens.",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    }
}
STREAM = ['data: {"choices": []}\n\n'] * 3
STATED = 'data: {"choices": [], "usage": {"total_tokens": 17}}\n\n'
END = "data: [DONE]\n\n"


class Engine(Handler):
    """Answers what a request wants of it: `answer` of its body, with `status`."""

    asked: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        answer = body["answer"]
        if isinstance(answer, list):
            self.stream(answer)
            return
        content = answer if isinstance(answer, str) else json.dumps(answer)
        self.answer(body.get("status", 200), content.encode(), {"Content-Type": "application/json"})

    def stream(self, pieces: list[str]) -> None:
        """Answer piece by piece, wherever events begin and end."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece.encode()):x}\r\n{piece}\r\n".encode())
            self.wfile.flush()
            time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")


class Proxy:
    """An Envoy with the script, and what it has noted of calls."""

    def __init__(self, port: int, log: Path, asked: list[tuple[str, dict[str, Any]]]) -> None:
        self._log, self.asked, self._calls = log, asked, 0
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)

    def ready(self) -> bool:
        try:
            return self._client.get("/").status_code == 404
        except httpx.TransportError:
            return False

    def call(self, answer: Any, *, path: str = "/red/v1", kind: str = "application/json", **body: Any):
        return self.send(json.dumps({"model": "smollm2", "answer": answer, **body}), path=path, kind=kind)

    def send(self, content: str, *, path: str = "/red/v1", kind: str = "application/json"):
        self._calls += 1
        headers = {"Content-Type": kind, NAME: str(self._calls)}
        return self._client.post(f"{path}/chat/completions", content=content, headers=headers)

    def used(self, answer: Any, **body: Any) -> str:
        """Tokens that the script notes of a call."""
        self.call(answer, **body)
        until = time.monotonic() + READY_SECONDS
        while (noted := self._noted().get(str(self._calls))) is None:
            assert time.monotonic() < until, "nothing is noted of the call"
            time.sleep(0.05)
        return noted

    def _noted(self) -> dict[str, str]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return dict(line.split(" ") for line in lines if " " in line)


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def typed(name: str, **content: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/envoy.extensions.{name}", **content}


def configuration(port: int, engine: int, log: Path) -> dict[str, Any]:
    """A listener with the script; its routes are as Envoy Gateway makes those of a tenant `red`."""
    ceiling = {"smollm2": MOST_TOKENS}
    code = {"inline_string": script(routing=True, counting=True, most_tokens=ceiling)}
    of_a_model = {"inline_string": script(routing=False, counting=True, most_tokens=ceiling)}
    noted = f"%REQ({NAME})% %DYNAMIC_METADATA({METADATA}:{USED})%\n"
    manager = typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="here",
        access_log=[
            {
                "name": "noted",
                "typed_config": typed(
                    "access_loggers.file.v3.FileAccessLog",
                    path=str(log),
                    log_format={"text_format_source": {"inline_string": noted}},
                ),
            }
        ],
        route_config={
            "virtual_hosts": [
                {
                    "name": "models",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/red/smollm2/"},
                            "route": {"cluster": "engine", "prefix_rewrite": "/"},
                            "typed_per_filter_config": {
                                "lua": typed("filters.http.lua.v3.LuaPerRoute", source_code=of_a_model)
                            },
                        },
                        {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
                    ],
                }
            ]
        },
        http_filters=[
            {"name": "lua", "typed_config": typed("filters.http.lua.v3.Lua", default_source_code=code)},
            {"name": "router", "typed_config": typed("filters.http.router.v3.Router")},
        ],
    )
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": address(port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [
                {
                    "name": "engine",
                    "load_assignment": {
                        "cluster_name": "engine",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(engine)}}]}],
                    },
                }
            ],
        }
    }


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    try:
        program = toolchain.tool("envoy")
    except toolchain.ToolMissing as absent:
        pytest.skip(str(absent))
    folder = tmp_path_factory.mktemp("envoy")
    handler, port, log = type("Here", (Engine,), {"asked": []}), free_port(), folder / "noted"
    with listening(handler) as engine:
        file = folder / "envoy.yaml"
        file.write_text(yaml.safe_dump(configuration(port, int(engine.rpartition(":")[2]), log)))
        options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"]
        # A log of calls is written at once, not every ten seconds.
        with (
            (folder / "log").open("w") as said,
            subprocess.Popen(
                [program, "-c", file, *options, "--file-flush-interval-msec", "50"], stdout=said, stderr=said
            ) as running,
        ):
            try:
                opened, until = Proxy(port, log, handler.asked), time.monotonic() + READY_SECONDS
                while not opened.ready():
                    assert running.poll() is None, (folder / "log").read_text()[-2000:]
                    assert time.monotonic() < until, "Envoy does not answer"
                    time.sleep(0.1)
                yield opened
            finally:
                running.terminate()


def test_a_long_input_of_text_embeddings_is_refused_in_the_interfaces_form_and_status(proxy: Proxy):
    said = "Input validation error: `inputs` must have less than 512 tokens. Given: 600"
    refused = proxy.call({"message": said, "code": 422, "type": "Validation"}, status=422)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert refused.json()["error"]["message"] == said


def test_another_input_that_is_not_valid_keeps_its_status(proxy: Proxy):
    said = {"message": "batch size 4096 > maximum allowed batch size 2048", "code": 422, "type": "Validation"}
    refused = proxy.call(said, status=422)
    assert (refused.status_code, refused.json()) == (422, said)


@pytest.mark.parametrize("path", ["/red/v1", "/red/smollm2/v1"])
@pytest.mark.parametrize("engine", [LLAMA, VLLM], ids=["llama.cpp", "vLLM"])
def test_an_engines_refusal_of_a_long_prompt_has_the_interfaces_form(proxy: Proxy, engine, path):
    refused = proxy.call(engine, path=path, status=400)
    assert refused.status_code == 400
    assert refused.json()["error"] == {
        "message": engine["error"]["message"],
        "type": "invalid_request_error",
        "param": None,
        "code": "context_length_exceeded",
    }


def test_a_message_that_would_need_care_is_replaced(proxy: Proxy):
    error = {"error": {"message": 'of "maximum context length"', "code": 400}}
    assert proxy.call(error, status=400).json()["error"]["message"] == "The prompt exceeds the context."


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "'messages' is required", "code": 400}},
        {"error": {"message": "maximum context length " + "x" * MOST_READ, "code": 400}},
    ],
    ids=["another", "a long one"],
)
def test_any_other_refusal_of_an_engine_is_passed_on_as_it_is(proxy: Proxy, error):
    assert proxy.call(error, status=400).json() == error


WORD = 'data: {"choices": [{"delta": {"content": "a \\"choices\\": [] \\"usage\\": {"}}], "usage": null}\n\n'
SPENT = 'data: {"usage": {"total_tokens": 17}, "choices": [ ]}\r\n\r\n'


@pytest.mark.parametrize("path", ["/red/v1", "/red/smollm2/v1"])
@pytest.mark.parametrize(
    "pieces",
    [
        [WORD, WORD, STATED, END],
        [WORD, WORD + STATED + END],
        [WORD[:9], WORD[9:] + WORD + STATED[:20], STATED[20:] + END[:3], END[3:]],
        [WORD, WORD, SPENT[:-1], SPENT[-1:] + END],
    ],
    ids=["one by one", "together", "cut", "with carriage returns"],
)
def test_usage_that_nobody_asked_for_is_counted_and_is_in_no_stream(
    proxy: Proxy, pieces: list[str], path: str
):
    shown = proxy.call(pieces, path=path, stream=True)
    assert shown.text == WORD + WORD + END
    assert proxy.used(pieces, stream=True) == "17"


@pytest.mark.parametrize(
    "options", [{"include_usage": True}, {"include_obfuscation": False, "include_usage": True}]
)
def test_usage_that_was_asked_for_is_shown(proxy: Proxy, options: dict[str, bool]):
    pieces = [WORD, STATED, END]
    assert proxy.call(pieces, stream=True, stream_options=options).text == "".join(pieces)


def test_an_event_without_choices_that_states_no_usage_is_shown(proxy: Proxy):
    pieces = ['data: {"choices": [], "prompt_filter_results": []}\n\n', WORD, STATED, END]
    assert proxy.call(pieces, stream=True).text == pieces[0] + WORD + END


@pytest.mark.parametrize("path", ["/red/v1", "/red/smollm2/v1"])
@pytest.mark.parametrize(
    "asked",
    [
        {"max_tokens": 65},
        {"max_completion_tokens": 1e9},
        {"max_output_tokens": 65},
        {"max_tokens": 3, "n_predict": 65},
        {"max_tokens": "65"},
        {"messages": [{"content": '"}'}], "max_tokens": 65},
    ],
    ids=str,
)
def test_a_request_for_more_tokens_than_the_ceiling_reaches_no_model(proxy: Proxy, asked, path):
    before = len(proxy.asked)
    refused = proxy.call({}, path=path, **asked)
    assert refused.status_code == 400
    assert refused.json()["error"] == {
        "message": "An answer of this model has at most 64 tokens.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "invalid_value",
    }
    assert len(proxy.asked) == before


@pytest.mark.parametrize(
    "written",
    [
        '"max_tokens": 3, "max_tokens": 65',
        r'"max\u005ftokens": 65',
        '"max_tokens":65.5',
        '"n_predict" :\n 65',
    ],
)
def test_no_spelling_of_the_number_passes_the_ceiling(proxy: Proxy, written):
    assert proxy.send('{"model": "smollm2", "answer": {}, ' + written + "}").status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"max_tokens": 64},
        {"max_tokens": None},
        {"max_tokens": -1},
        {"metadata": {"max_tokens": 65}},
        {"messages": [{"role": "user", "content": '"max_tokens": 65'}]},
        {"stop": ["max_tokens"]},
    ],
    ids=str,
)
def test_a_request_within_the_ceiling_reaches_its_model(proxy: Proxy, asked):
    for path in ("/red/v1", "/red/smollm2/v1"):
        assert proxy.call({"max_tokens": 65}, path=path, **asked).status_code == 200
    assert {**proxy.asked[-1][1], "answer": 0} == {"model": "smollm2", "answer": 0, **asked}


def test_what_is_no_json_is_refused_before_a_model_is_asked(proxy: Proxy):
    before = len(proxy.asked)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        refused = proxy.call({}, kind=kind)
        assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert len(proxy.asked) == before
    for kind in ("application/json", "Application/JSON; charset=utf-8"):
        assert proxy.call({}, kind=kind).status_code == 200
    assert {path for path, _ in proxy.asked[before:]} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    ("answer", "body", "used"),
    [
        ({"usage": {"prompt_tokens": 3, "total_tokens": 12}}, {}, "12"),
        ("".join([*STREAM, STATED, END]), {"stream": True}, "17"),
        ("".join(["\n", *STREAM]), {"stream": True}, "3"),
        (LLAMA, {"status": 400}, "0"),
        ({"choices": []}, {}, "0"),
    ],
    ids=["whole", "streamed", "broken off", "refused", "without usage"],
)
def test_tokens_are_noted_as_an_answer_has_used_them(proxy: Proxy, answer, body, used):
    assert proxy.used(answer, **body) == used


def test_a_stream_is_asked_for_its_usage_whatever_the_caller_says(proxy: Proxy):
    proxy.call(END, stream=True, stream_options={"include_usage": False})
    assert proxy.asked[-1][1]["stream_options"] == {"include_usage": True}
    proxy.call({}, stream=False)
    assert "stream_options" not in proxy.asked[-1][1]
