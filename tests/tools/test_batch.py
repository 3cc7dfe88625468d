"""Batch files between a store and a model, both on loopback."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from tests.doubles.servers import Handler, listening

from corral.tools.__main__ import main
from corral.tools.batch import caller, parts, runner
from corral.tools.batch.caller import Caller
from corral.tools.batch.lines import Failure, Request, requests

SECRET = "canary-secret-of-the-store"
QUESTION = "canary-question"


class Model:
    """What a model's server answers, and what it was asked."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.statuses = list(statuses)
        self.headers = headers or {}
        self.asked: list[dict[str, Any]] = []
        self.now = 0
        self.most = 0
        self.slow = 0.0
        self._lock = threading.Lock()

    def status(self) -> int:
        with self._lock:
            return self.statuses.pop(0) if self.statuses else 200

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.slow)
        yield
        with self._lock:
            self.now -= 1

    @contextmanager
    def serving(self) -> Iterator[str]:
        model = self

        class Server(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer(200, b'{"data": []}')

            def do_POST(self) -> None:
                with model.counted():
                    body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                    model.asked.append(body)
                    status = model.status()
                    answer = {"object": "chat.completion", "echo": body["messages"]}
                    self.answer(status, json.dumps(answer).encode(), {"x-request-id": "r1", **model.headers})

        with listening(Server) as address:
            yield f"http://{address}/v1"


def line(custom_id: str, **changes: Any) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": QUESTION}], **changes.pop("body", {})}
    return {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
        **changes,
    }


def text(*lines: object) -> bytes:
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines).encode()


def order(url: str, bucket: str, *more: str) -> list[str]:
    places = ["--from", f"s3://{bucket}/in", "--to", f"s3://{bucket}/out"]
    return ["batch", "--model", "chat", "--url", url, *places, "--deadline", "30", *more]


def put(store: Any, bucket: str, content: bytes, name: str = "a") -> None:
    store.put_object(Bucket=bucket, Key=f"in/{name}.jsonl", Body=content)


def read(store: Any, bucket: str, name: str) -> str:
    return store.get_object(Bucket=bucket, Key=f"out/{name}")["Body"].read().decode()


def rows(store: Any, bucket: str, name: str) -> dict[str, dict[str, Any]]:
    return {one["custom_id"]: one for one in map(json.loads, read(store, bucket, name).splitlines())}


def names(store: Any, bucket: str) -> list[str]:
    return [one["Key"] for one in store.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(caller, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(caller, "LONGEST_PAUSE", 0.02)


def test_answers_and_failures_are_in_the_files_that_the_batch_object_names(store, bucket, capsys):
    put(store, bucket, text(line("one"), line("two", body={"model": "other"}), "{", line("three")))
    with (model := Model()).serving() as url:
        assert main(order(url, bucket)) == 0
    answers = rows(store, bucket, "a.output.jsonl")
    assert set(answers) == {"one", "three"}
    assert answers["one"]["response"]["body"]["object"] == "chat.completion"
    assert answers["one"]["response"]["request_id"] == "r1" and answers["one"]["error"] is None
    assert [one["model"] for one in model.asked] == ["chat", "chat"]
    failed = rows(store, bucket, "a.errors.jsonl")
    assert failed["two"]["error"]["code"] == "mismatched_model" and failed["two"]["response"] is None
    assert failed[None]["error"]["code"] == "invalid_json_line"
    record = json.loads(read(store, bucket, "a.batch.json"))
    assert (record["object"], record["status"]) == ("batch", "completed")
    assert record["output_file_id"] == f"s3://{bucket}/out/a.output.jsonl"
    assert record["error_file_id"] == f"s3://{bucket}/out/a.errors.jsonl"
    assert record["request_counts"] == {"total": 4, "completed": 2, "failed": 2}
    said = capsys.readouterr().out
    assert "in/a.jsonl: 2 answered, 2 failed" in said and "line 2: mismatched_model" in said


def test_neither_questions_nor_keys_are_said(store, bucket, capsys):
    put(store, bucket, text(line("one"), line("two", url="/v1/" + QUESTION), QUESTION))
    with Model(400).serving() as url:
        main(order(url, bucket))
    said = "".join(capsys.readouterr())
    assert "3 failed" in said and QUESTION not in said and SECRET not in said


def test_a_file_is_answered_once_and_again_when_it_changes(store, bucket):
    put(store, bucket, text(line("one")))
    with (model := Model()).serving() as url:
        for content in (None, None, text(line("another"))):
            if content:
                put(store, bucket, content)
            assert main(order(url, bucket)) == 0
    assert len(model.asked) == 2
    assert set(rows(store, bucket, "a.output.jsonl")) == {"another"}


def test_files_below_folders_are_answered_and_others_left_alone(store, bucket):
    put(store, bucket, text(line("one")), "2026/11/a")
    store.put_object(Bucket=bucket, Key="in/notes.txt", Body=b"x")
    store.put_object(Bucket=bucket, Key="inner/a.jsonl", Body=text(line("no")))
    with (model := Model()).serving() as url:
        assert main(order(url, bucket)) == 0
    assert len(model.asked) == 1
    assert "out/2026/11/a.output.jsonl" in names(store, bucket)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_line_is_asked_again_while_the_model_is_full_or_away(store, bucket, status):
    put(store, bucket, text(line("one")))
    with (model := Model(*[status] * 4)).serving() as url:
        assert main(order(url, bucket)) == 0
    assert len(model.asked) == 5 and set(rows(store, bucket, "a.output.jsonl")) == {"one"}


@pytest.mark.parametrize(("status", "times"), [(400, 1), (404, 1), (500, caller.FAULT_ATTEMPTS)])
def test_a_line_that_the_model_refuses_fails_with_its_answer(store, bucket, status, times):
    put(store, bucket, text(line("one"), line("two")))
    with (model := Model(*[status] * times)).serving() as url:
        assert main(order(url, bucket)) == 0
    assert len(model.asked) == times + 1
    failed = rows(store, bucket, "a.errors.jsonl")["one"]
    assert failed["error"]["code"] == "request_failed" and failed["response"]["status_code"] == status


def test_the_server_says_how_long_to_wait():
    pauses: list[float] = []
    with Model(503, headers={"Retry-After": "7"}).serving() as url:
        asking = Caller(url, time.monotonic() + 60, pauses.append)
        asking.ask(Request(1, "one", "/v1/chat/completions", {"messages": []}))
    assert pauses == [7.0]


def test_lines_without_time_are_reported_as_expired_and_the_run_fails(store, bucket, capsys):
    put(store, bucket, text(*(line(str(number)) for number in range(20))))
    (model := Model()).slow = 0.4
    with model.serving() as url:
        started = time.monotonic()
        assert main([*order(url, bucket)[:-1], "1"]) == 1
        assert time.monotonic() - started < 10
    failed = rows(store, bucket, "a.errors.jsonl")
    assert failed and {one["error"]["code"] for one in failed.values()} == {"batch_expired"}
    record = json.loads(read(store, bucket, "a.batch.json"))
    assert record["status"] == "expired" and record["request_counts"]["total"] == 20
    assert "time was over" in capsys.readouterr().err


def test_a_model_that_does_not_answer_leaves_the_files_for_the_next_run(store, bucket, capsys):
    put(store, bucket, text(line("one")))
    with Model().serving() as url:
        pass
    assert main([*order(url, bucket)[:-1], "1"]) == 1
    assert names(store, bucket) == ["in/a.jsonl"]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_after_one_that_was_killed_asks_for_the_rest_alone(store, bucket, monkeypatch, capsys):
    monkeypatch.setattr(parts, "SECONDS", 0.0)
    put(store, bucket, text(*(line(str(number)) for number in range(6)), "{", line("0")))

    class Killed(BaseException):
        """As a signal ends a process."""

    def ask(self: Caller, one: Request) -> Any:
        if one.line > 4:
            raise Killed
        return first(self, one)

    first = Caller.ask
    with (model := Model()).serving() as url:
        with monkeypatch.context() as killing, pytest.raises(Killed):
            killing.setattr(Caller, "ask", ask)
            main(order(url, bucket))
        assert "out/a.batch.json" not in names(store, bucket) and len(model.asked) == 4
        assert main(order(url, bucket)) == 0
        assert len(model.asked) == 6
    assert set(rows(store, bucket, "a.output.jsonl")) == set("012345")
    assert len(read(store, bucket, "a.output.jsonl").splitlines()) == 6
    assert "in/a.jsonl: goes on from an earlier run with 4 answered" in capsys.readouterr().out
    record = json.loads(read(store, bucket, "a.batch.json"))
    assert record["request_counts"] == {"total": 8, "completed": 6, "failed": 2}
    assert [one for one in names(store, bucket) if parts.FOLDER in one] == []


def test_answers_to_another_content_are_not_taken_over(store, bucket, monkeypatch):
    monkeypatch.setattr(parts, "SECONDS", 0.0)
    put(store, bucket, text(line("old")))
    with (model := Model()).serving() as url:
        with monkeypatch.context() as failing, pytest.raises(RuntimeError):
            failing.setattr(runner, "write_json", Mock(side_effect=RuntimeError))
            main(order(url, bucket))
        put(store, bucket, text(line("new")))
        assert main(order(url, bucket)) == 0
    assert len(model.asked) == 2 and set(rows(store, bucket, "a.output.jsonl")) == {"new"}
    assert [one for one in names(store, bucket) if parts.FOLDER in one] == []


def test_as_many_are_asked_at_a_time_as_are_allowed_and_no_more(store, bucket):
    put(store, bucket, text(*(line(str(number)) for number in range(12))))
    (model := Model()).slow = 0.1
    with model.serving() as url:
        assert main(order(url, bucket, "--concurrency", "3")) == 0
    assert model.most == 3 and len(rows(store, bucket, "a.output.jsonl")) == 12


def test_content_that_changes_under_way_is_not_recorded_as_answered(store, bucket, monkeypatch):
    put(store, bucket, text(line("old")))
    with Model().serving() as url:
        wait = Caller.wait

        def changed(self: Caller) -> None:
            put(store, bucket, text(line("new")))
            wait(self)

        monkeypatch.setattr(Caller, "wait", changed)
        assert main(order(url, bucket)) == 1
        assert "out/a.batch.json" not in names(store, bucket)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("[]", "invalid_json_line"),
        (json.dumps({"method": "POST"}), "missing_required_parameter"),
        (json.dumps({**line("a"), "custom_id": 7}), "missing_required_parameter"),
        (json.dumps(line("a", method="GET")), "invalid_method"),
        (json.dumps(line("a", url="/v1/files")), "invalid_url"),
        (json.dumps(line("a", url=["/v1/chat/completions"])), "invalid_url"),
        (json.dumps(line("a", body={"stream": True})), "unsupported_parameter"),
        (json.dumps({**line("a"), "body": "x"}), "missing_required_parameter"),
        (json.dumps(line("a", body={"model": "b"})), "mismatched_model"),
    ],
)
def test_a_line_that_cannot_be_asked_fails_with_a_code(content: str, code: str):
    (one,) = requests([content.encode()], "chat")
    assert isinstance(one, Failure) and one.code == code and one.line == 1


def test_the_second_line_of_one_custom_id_fails_and_empty_lines_are_none():
    lines = [json.dumps(line("a")).encode(), b"", json.dumps(line("a")).encode()]
    first, second = requests(lines, "chat")
    assert isinstance(first, Request)
    assert isinstance(second, Failure) and (second.code, second.line) == ("duplicate_custom_id", 3)
