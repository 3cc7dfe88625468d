"""Asking a model, against an API server that is played by a function."""

import json
import os

import httpx
import pytest

from corral.embedded import chat as module
from corral.embedded.chat import Chat, ChatOptions, NoAnswer
from corral.embedded.home import Home
from corral.embedded.plane.processes import Process

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
UNREADY = {
    "conditions": [
        {"type": "PredictorReady", "status": "False", "message": "no device is free"},
        {"type": "Ready", "status": "False", "reason": "NotReady"},
    ]
}


def service(name, status=READY, **annotations):
    return {
        "metadata": {"name": name, "namespace": "llm", "annotations": annotations},
        "spec": {"predictor": {}},
        "status": status,
    }


SIMULATED = service("big", **{"corral.dev/weights": "simulated"})
POD = {
    "metadata": {"name": "smol-0", "namespace": "llm", "uid": "u1"},
    "status": {**READY, "resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "smol-0-gpu"}]},
}
CLAIM = {
    "status": {"allocation": {"devices": {"results": [{"pool": "slices-0", "device": "gpu-0-mig-1g5gb-0"}]}}}
}


def stream(*chunks):
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def content_chunk(text):
    return {"choices": [{"delta": {"content": text}}]}


ANSWER = stream(
    content_chunk("The "), content_chunk("capital"), {"choices": [], "usage": {"completion_tokens": 9}}
)


@pytest.fixture
def chat(tmp_path):
    requests = []

    def connect(services, answer=(200, ANSWER), pods=(POD,), llm=None):
        def respond(request):
            path = request.url.path
            if path.endswith("/inferenceservices"):
                return httpx.Response(200, json={"items": services})
            if path.endswith("/llminferenceservices"):
                return httpx.Response(404) if llm is None else httpx.Response(200, json={"items": llm})
            if path.endswith("/pods"):
                return httpx.Response(200, json={"items": list(pods)})
            if "/resourceclaims/" in path:
                return httpx.Response(200, json=CLAIM)
            if "/gateways/" in path:
                return httpx.Response(404)
            requests.append((path, json.loads(request.content)))
            return httpx.Response(answer[0], content=answer[1])

        client = httpx.Client(base_url="https://plane.invalid", transport=httpx.MockTransport(respond))
        talk = Chat(Home(tmp_path).plane("dev"), client)
        talk.requests = requests
        return talk

    return connect


def complete(generator):
    parts = []
    while True:
        try:
            parts.append(next(generator))
        except StopIteration as end:
            return parts, end.value


def test_the_answer_streams_and_ends_with_what_it_took(chat, tmp_path):
    talk = chat([service("smol")])
    folder = tmp_path / "dev" / "pods" / "u1" / "kserve-container"
    folder.mkdir(parents=True)
    me = Process.of(os.getpid())
    record = {"shim": 1, "shim_start": 1, "pid": me.pid, "start": me.start}
    (folder / "1.process.json").write_text(json.dumps(record))
    model, question = talk.choose(["What?"])
    parts, answer = complete(talk.ask(model, question, ChatOptions(max_tokens=64)))
    assert parts == ["The ", "capital"]
    assert answer.tokens == 9
    assert answer.first_token_seconds > 0
    hops = answer.hops[0]
    assert (hops.service, hops.pod) == ("llm/smol-predictor:80", "smol-0")
    assert (hops.device, hops.pid) == ("slices-0/gpu-0-mig-1g5gb-0", me.pid)


def test_the_question_goes_through_the_api_servers_service_proxy(chat):
    talk = chat([service("smol")])
    complete(talk.ask(*talk.choose(["smol", "What?"]), ChatOptions("Be brief.", 64, 0.5)))
    path, body = talk.requests[0]
    assert path == "/api/v1/namespaces/llm/services/smol-predictor:80/proxy/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What?"},
    ]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("smol", 64, 0.5)
    assert body["stream"]


def test_without_a_system_prompt_there_is_only_the_question(chat):
    talk = chat([service("smol")])
    complete(talk.ask(*talk.choose(["smol", "What?"]), ChatOptions(system="")))
    assert [message["role"] for message in talk.requests[0][1]["messages"]] == ["user"]


def test_without_a_name_the_first_model_with_weights_answers(chat):
    model, question = chat([SIMULATED, service("smol")]).choose(["Hello", "there", "you"])
    assert (model["metadata"]["name"], question) == ("smol", "Hello there you")


def test_a_simulated_model_says_that_it_answers_nothing(chat):
    talk = chat([SIMULATED, service("smol")])
    with pytest.raises(NoAnswer, match="weights: simulated"):
        complete(talk.ask(*talk.choose(["big", "What?"]), ChatOptions(max_tokens=64)))
    assert talk.requests == []


def test_a_model_that_is_not_ready_says_why(chat):
    talk = chat([service("smol", UNREADY)])
    with pytest.raises(NoAnswer, match="not ready: PredictorReady: no device is free"):
        complete(talk.ask(*talk.choose(["What?"]), ChatOptions(max_tokens=64)))


def test_an_unknown_model_is_answered_with_those_there_are(chat):
    with pytest.raises(NoAnswer, match="no model 'smoll'; there are: big, smol"):
        chat([SIMULATED, service("smol")]).choose(["smoll", "What?"])


def test_no_model_with_weights_is_said(chat):
    with pytest.raises(NoAnswer, match="no model with weights"):
        chat([SIMULATED]).choose(["What?"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, b"no endpoints available"), "answered 503: no endpoints"),
        ((200, stream({"error": {"message": "context is full"}})), "context is full"),
        ((200, stream()), "empty answer"),
    ],
)
def test_a_broken_answer_is_one_clear_message(chat, answer, words, monkeypatch):
    monkeypatch.setattr(module, "ROUTED_SECONDS", 0)
    talk = chat([service("smol")], answer)
    with pytest.raises(NoAnswer, match=words):
        complete(talk.ask(*talk.choose(["What?"]), ChatOptions(max_tokens=64)))


def test_a_pod_that_the_service_proxy_does_not_lead_to_yet_is_asked_again(chat, monkeypatch):
    monkeypatch.setattr(module, "TRY_SECONDS", 0)
    talk, refused = (
        chat([service("smol")]),
        [b"no endpoints available", b"error trying to reach service: EOF"],
    )
    before = talk._client._transport.handler

    def respond(request):
        asked = request.url.path.endswith("/chat/completions")
        return httpx.Response(503, content=refused.pop()) if asked and refused else before(request)

    monkeypatch.setattr(talk._client._transport, "handler", respond)
    text, answer = complete(talk.ask(service("smol"), "Hello?"))
    assert "".join(text) == "The capital" and answer.broke_off is None and not refused


def test_every_ready_pod_behind_the_service_is_named(chat):
    other = {**POD, "metadata": {**POD["metadata"], "name": "smol-1", "uid": "u2"}}
    unready = {**POD, "metadata": {**POD["metadata"], "name": "smol-2"}, "status": UNREADY}
    talk = chat([service("smol")], pods=(POD, other, unready))
    _parts, answer = complete(talk.ask(*talk.choose(["What?"]), ChatOptions(max_tokens=64)))
    assert [hops.pod for hops in answer.hops] == ["smol-0", "smol-1"]
    assert answer.hops[0].pid is None


class Breaking:
    """Answers that break off: by turns after so many of its pieces, then whole."""

    def __init__(self, *pieces: int) -> None:
        self.pieces = list(pieces)
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.pieces:
            return httpx.Response(200, content=ANSWER)

        def begun(count: int):
            yield from [one + b"\n\n" for one in ANSWER.split(b"\n\n")[:count]]
            raise httpx.RemoteProtocolError("incomplete chunked read")

        return httpx.Response(200, content=begun(self.pieces.pop(0)))


@pytest.fixture
def breaking(chat, monkeypatch):
    def asked(*pieces):
        talk, answers = chat([service("smol")]), Breaking(*pieces)

        def respond(request):
            return answers(request) if request.url.path.endswith("/chat/completions") else before(request)

        before = talk._client._transport.handler
        monkeypatch.setattr(talk._client._transport, "handler", respond)
        return talk, answers

    return asked


def test_a_connection_that_breaks_off_before_the_first_word_is_made_once_more_and_that_is_said(breaking):
    talk, answers = breaking(0)
    text, answer = complete(talk.ask(service("smol"), "Hello?"))
    assert "".join(text) == "The capital" and answers.asked == 2
    assert answer.broke_off == "incomplete chunked read"


@pytest.mark.parametrize(("pieces", "asked"), [((1,), 1), ((0, 0), 2)], ids=["after a word", "twice"])
def test_a_connection_that_breaks_off_otherwise_is_an_error(breaking, pieces, asked):
    talk, answers = breaking(*pieces)
    with pytest.raises(NoAnswer, match="broke off: incomplete chunked read"):
        complete(talk.ask(service("smol"), "Hello?"))
    assert answers.asked == asked


def test_a_model_of_the_other_kind_is_asked_by_its_own_service(chat):
    talk = chat([], llm=[service("large")])
    chosen, question = talk.choose(["large", "Why?"])
    _parts, answer = complete(talk.ask(chosen, question))
    (path, _body), *_ = talk.requests
    assert path.endswith("/services/large-kserve-workload-svc:8000/proxy/v1/chat/completions")
    assert answer.hops[0].service == "llm/large-kserve-workload-svc:8000"
