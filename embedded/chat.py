"""Asks a model of a plane through its gateway, else the API server's service proxy, and tells which way."""

import contextlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx

from corral.catalogue.addons import definition
from corral.catalogue.serving_kinds import ServedNames, served_names
from corral.catalogue.vocabulary import Addon, ServingKind
from corral.embedded.endpoint import Endpoint, endpoint_of, sent_by
from corral.embedded.home import PlaneHome
from corral.embedded.kube import DEFERRALS, Object, Objects, resource, retry_after
from corral.embedded.objects import at, children, is_true
from corral.embedded.plane import kubeconfig
from corral.embedded.plane.overview import allocated, claims_of, extended, pods_of, processes_of
from corral.embedded.plane.record import PlaneRecord

SERVICES = {
    ServingKind.INFERENCE_SERVICE: resource("serving.kserve.io/v1beta1", "inferenceservices"),
    ServingKind.LLM_INFERENCE_SERVICE: resource(
        f"serving.kserve.io/{definition(Addon.LLM_INFERENCE_SERVICE)[1]}", "llminferenceservices"
    ),
}
SIMULATED = "corral.dev/weights"
"""Annotation; `simulated`: the model has no weights and answers nothing."""
FIRST_TOKEN_SECONDS = 120.0
KEY_SECONDS = 20.0
"""In which a new key opens the gateway."""
ROUTED_SECONDS = 5.0
"""In which the API server leads to a pod that has become ready, and knows that a connection to it has ended:
llama.cpp ends one with each streamed answer and says the opposite in its head, so that the next call may go
there."""
TRY_SECONDS = 0.5


class NoAnswer(Exception):
    """The model cannot be asked, or did not answer; the text says why."""


@dataclass(frozen=True)
class ChatOptions:
    """How a question is asked."""

    system: str = "You are a helpful assistant."
    """System prompt; empty: none."""
    max_tokens: int = 128
    temperature: float = 0.0


DEFAULT_OPTIONS = ChatOptions()


@dataclass(frozen=True)
class Hops:
    """The way a question takes."""

    service: str
    """`namespace/name:port`."""
    pod: str
    device: str
    """`node/device` or `node/resource`, or `no device`."""
    pid: int | None


@dataclass(frozen=True)
class Answer:
    """What is known once the answer is complete."""

    tokens: int
    seconds: float
    """From the first token to the last."""
    first_token_seconds: float
    """From the question to the first token."""
    hops: tuple[Hops, ...]
    """One for each ready pod behind the Service; the Service chose one of them."""
    gateway: str | None = None
    """Base URL of the gateway that it went through; None: there is none that keys open."""
    broke_off: str | None = None
    """How the connection broke off before the first word, after which the question was asked once more."""

    @property
    def tokens_per_second(self) -> float:
        """After the first token; the first one's time is `first_token_seconds`."""
        return (self.tokens - 1) / self.seconds if self.seconds else 0.0


class Chat:
    """Speaks to the models of one running plane."""

    def __init__(self, plane: PlaneHome, client: httpx.Client) -> None:
        """`client` speaks to the plane's API server as somebody who may use its Services."""
        self._plane = plane
        self._client = client

    @classmethod
    def connect(cls, plane: PlaneHome) -> "Chat":
        """As the plane's administrator."""
        return cls(
            plane,
            httpx.Client(
                base_url=PlaneRecord.load(plane).server,
                verify=kubeconfig.tls(plane),
                trust_env=False,
                timeout=httpx.Timeout(10, read=FIRST_TOKEN_SECONDS),
            ),
        )

    def close(self) -> None:
        self._client.close()

    def models(self) -> dict[str, Object]:
        """InferenceServices and LLMInferenceServices by name."""
        lists = {kind: self._get(path) for kind, path in SERVICES.items()}
        known = {kind: answer for kind, answer in lists.items() if answer.status_code != 404}
        if ServingKind.INFERENCE_SERVICE not in known:
            raise NoAnswer("KServe is not installed on this plane: `corral up`")
        return {
            item["metadata"]["name"]: {**item, "kind": kind.value}
            for kind, answer in known.items()
            for item in _items(answer)
        }

    def choose(self, words: Sequence[str]) -> tuple[Object, str]:
        """The model and the question in `words`: [MODEL] QUESTION; without MODEL the first one with weights.

        Raises:
            NoAnswer: there is no such model.
        """
        models = self.models()
        if len(words) > 1:
            name, question = words[0], " ".join(words[1:])
            if name in models:
                return models[name], question
            if len(words) == 2:
                raise NoAnswer(f"no model {name!r}; there are: {', '.join(sorted(models)) or 'none'}")
        real = [item for _name, item in sorted(models.items()) if not _simulated(item) and _chats(item)]
        if not real:
            raise NoAnswer(f"no model with weights to ask; there are: {', '.join(sorted(models)) or 'none'}")
        return real[0], " ".join(words)

    def ask(
        self, service: Object, question: str, options: ChatOptions = DEFAULT_OPTIONS
    ) -> Generator[str, None, Answer]:
        """Yields the answer as it comes; returns what is known at its end.

        Raises:
            NoAnswer: the model is simulated, not ready, or broke off.
        """
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        if _simulated(service):
            raise NoAnswer(f"model {name!r} has `weights: simulated` and answers nothing")
        if not is_true(service, "Ready"):
            raise NoAnswer(f"model {name!r} is not ready: {_reason(service)}")
        hops = self._hops(namespace, name, _kind(service))
        body = {
            "model": name,
            "messages": [
                *([{"role": "system", "content": options.system}] if options.system else []),
                {"role": "user", "content": question},
            ],
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        count, reported = 0, 0
        started_at = time.monotonic()
        first: float | None = None
        broke_off: str | None = None
        endpoint = endpoint_of(sent_by(self._client), service)
        names = served_names(_kind(service), name)
        for once_more in (True, False):
            try:
                for chunk in self._chunks(endpoint, namespace, names, body):
                    reported = at(chunk, "usage", "completion_tokens") or reported
                    text = _text(chunk)
                    if text:
                        first = first or time.monotonic()
                        count += 1
                        yield text
                break
            except httpx.TransportError as cause:
                if count or not once_more or not isinstance(cause, httpx.RemoteProtocolError):
                    raise NoAnswer(f"model {name!r} broke off: {cause or type(cause).__name__}") from cause
                broke_off = str(cause)
        last = time.monotonic()
        if first is None:
            raise NoAnswer(f"model {name!r} gave an empty answer")
        return Answer(
            tokens=reported or count,
            seconds=last - first,
            first_token_seconds=first - started_at,
            hops=hops,
            gateway=None if endpoint is None else endpoint.url,
            broke_off=broke_off,
        )

    def _chunks(
        self, endpoint: Endpoint | None, namespace: str, names: ServedNames, body: dict[str, Any]
    ) -> Iterator[Object]:
        """The answer as it comes.

        Raises:
            NoAnswer: the model refuses.
        """
        with self._asked(endpoint, namespace, names, body) as answer:
            if answer.status_code != 200:
                answer.read()
                raise NoAnswer(
                    f"model {body['model']!r} answered {answer.status_code}: {answer.text.strip()[:300]}"
                )
            yield from _events(answer)

    @contextlib.contextmanager
    def _asked(
        self, endpoint: Endpoint | None, namespace: str, names: ServedNames, body: dict[str, Any]
    ) -> Generator[httpx.Response]:
        """The answer as it begins: of the gateway, once it knows the key, or of the service proxy, once it
        knows the pod."""
        if endpoint is None:
            service = resource("v1", "services", namespace, f"{names.service}:{names.port}", "proxy")
            way, path, named = contextlib.nullcontext(self._client), f"{service}/v1/chat/completions", {}
            passing, seconds = 503, ROUTED_SECONDS
        else:
            way, path = endpoint.client(FIRST_TOKEN_SECONDS), "/chat/completions"
            named = {"sni_hostname": endpoint.host}
            passing, seconds = 401, KEY_SECONDS
        until = time.monotonic() + seconds
        with way as client:
            while True:
                with client.stream("POST", path, json=body, extensions=named) as answer:
                    if answer.status_code != passing or time.monotonic() > until:
                        yield answer
                        return
                time.sleep(TRY_SECONDS)

    def _hops(self, namespace: str, name: str, kind: ServingKind) -> tuple[Hops, ...]:
        answer = self._get(resource("v1", "pods", namespace), labelSelector=pods_of(kind, name))
        names = served_names(kind, name)
        service = f"{namespace}/{names.service}:{names.port}"
        return tuple(self._hop(service, pod) for pod in _items(answer) if is_true(pod, "Ready"))

    def _hop(self, service: str, pod: Object) -> Hops:
        claimed = [device for claim in claims_of(pod) for device in self._devices(pod, claim)]
        devices = [*claimed, *extended(pod)]
        processes = processes_of(self._plane, pod["metadata"]["uid"])
        return Hops(
            service=service,
            pod=pod["metadata"]["name"],
            device=", ".join(devices) or "no device",
            pid=processes[-1].pid if processes else None,
        )

    def _devices(self, pod: Object, claim: str) -> tuple[str, ...]:
        namespace = pod["metadata"]["namespace"]
        answer = self._get(resource("resource.k8s.io/v1", "resourceclaims", namespace, claim))
        return allocated(answer.json()) if answer.status_code == 200 else ()

    def _get(self, path: str, **params: str) -> httpx.Response:
        """The answer, once the server no longer answers that it will be ready later."""
        for _ in range(DEFERRALS):
            answer = self._client.get(path, params=params)
            seconds = retry_after(answer)
            if seconds is None:
                return answer
            time.sleep(seconds)
        return self._client.get(path, params=params)


def _items(answer: httpx.Response) -> Objects:
    if answer.status_code != 200:
        raise NoAnswer(f"the API server answered {answer.status_code}: {answer.text[:300]}")
    return cast(Objects, answer.json()["items"])


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The JSON of a stream of server-sent events."""
    for line in answer.iter_lines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data and data != "[DONE]":
            event = cast(dict[str, Any], json.loads(data))
            if "error" in event:
                raise NoAnswer(f"the model reports: {event['error']}")
            yield event


def _text(chunk: Object) -> str:
    return "".join(at(choice, "delta", "content") or "" for choice in children(chunk, "choices"))


def _kind(service: Object) -> ServingKind:
    return ServingKind(service.get("kind", ServingKind.INFERENCE_SERVICE))


def _simulated(service: Object) -> bool:
    places = (("metadata", "annotations"), ("spec", "predictor", "annotations"))
    return any(at(service, *place, SIMULATED) == "simulated" for place in places)


def _chats(service: Object) -> bool:
    return at(service, "metadata", "labels", "corral.dev/task") in (None, "chat", "code")


def _reason(service: Object) -> str:
    bad = [
        f"{c['type']}: {c.get('message') or c.get('reason') or c['status']}"
        for c in children(service, "status", "conditions")
        if c["status"] != "True"
    ]
    return "; ".join(bad) or "its controller has not said anything yet"
