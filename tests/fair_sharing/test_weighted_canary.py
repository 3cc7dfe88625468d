"""A canary behind the gateway: a steady client calls a model while its calls move there and back.

Its files come from somebody else's store, and those of its next version as docs/batches.md has it.

It comes after the tests of limits by tokens, which leave the tenant none; the model has half the context
afterwards.
"""

import copy
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing import batches, callers
from tests.fair_sharing.intake import Intake, intake
from tests.fair_sharing.stack import CANDIDATE, STACK, with_intake

from corral.stacks.config.model_lock import LockedModel, read_lock

pytestmark = pytest.mark.engine

MODEL, CANARY = "smollm2", "smollm2-canary"
WEIGHT = 30
CONTEXT = STACK["models"][0]["context"] // 2
"""Of the canary, in tokens."""
CALLS_SECONDS = 90
TOKENS = 10_000_000
LONGEST = 15
"""Seconds that a call takes at most while a replica ends, whose server has thirty for that."""
SETTLED = 3
"""Seconds until the proxies have a route that the API server has."""
EVALUATED = "What is the capital of France?", "What is a llama?"
PAGE = (platform_client.CHECKOUT / "docs" / "batches.md").read_text().partition("evaluate, canary")[2]
CHECK, REFRESH, UP, EVALUATION, BASELINE, LOCK, _UP = [
    line.replace("-s mine", "-s dev").replace("-n assistants", "-n red").split()
    for line in re.findall(r"^ {8}corral (.+)$", PAGE, re.MULTILINE)
]
"""What a user runs from a candidate to its evaluation, and once it is promoted."""


def steady_calls(client: httpx.Client) -> callers.Steady:
    """Callers of the model, by its name."""
    body = callers.question("Hello", 1)
    return callers.Steady(lambda: callers.call(client, "/red/v1/chat/completions", callers.KEYS["red"], body))


def unlimited() -> dict[str, Any]:
    """The stack with as many tokens as steady callers need."""
    content = copy.deepcopy(STACK)
    content["token-limits"]["tenants"]["red"]["tokens-per-month"] = TOKENS
    return content


def stack(weight: int | None, store: Intake) -> dict[str, Any]:
    """The stack with a canary of this weight; None: what the canary was is the model, and there is none."""
    content = with_intake(unlimited(), store.url)
    own = {"source": CANDIDATE, "context": CONTEXT}
    if weight is None:
        content["models"][0] |= own
        return content
    content["models"][0]["canary"] = {"weight": weight, **own}
    content["tenants"][0]["gpus"]["slices"]["1g.5gb"] = 2
    # Once a year: a test runs them.
    yearly = {"schedule": "0 4 1 1 *", "per-revision": True, "deadline": 300}
    content["batches"] += [
        {"name": "evaluation", "model": CANARY, **yearly},
        {"name": "baseline", "model": MODEL, "input": "evaluation/input", **yearly},
    ]
    return content


def served(platform: Platform, model: str) -> int:
    """Tokens that a model's server has given since it started."""
    address = platform.read("service", f"{model}-predictor", "-n", "red")["spec"]["clusterIP"]
    text = httpx.get(f"http://{address}/metrics", trust_env=False, timeout=30).text
    (line,) = [one for one in text.splitlines() if one.startswith("llamacpp:tokens_predicted_total ")]
    return int(float(line.split()[1]))


def shares(platform: Platform, client: httpx.Client, calls: int) -> tuple[int, int]:
    """Answers of the model and of its canary to so many calls, and to those that are under way then."""
    before = served(platform, MODEL), served(platform, CANARY)
    with steady_calls(client).calling() as steady:
        platform_client.wait_for(lambda: len(steady.calls) >= calls, CALLS_SECONDS, f"{calls} calls")
    assert steady.lost() == []
    return served(platform, MODEL) - before[0], served(platform, CANARY) - before[1]


def ready(platform: Platform) -> bool:
    """Whether the canary has a replica that answers."""
    return len(platform.model_pods(CANARY)) == 1


@pytest.fixture(scope="module")
def platform(platform: Platform) -> Platform:
    """The platform with as many tokens as steady callers need."""
    callers.up(platform, unlimited())
    return platform


@pytest.fixture(scope="module")
def store() -> Iterator[Intake]:
    """Somebody else's store, with the first candidate."""
    with intake() as made:
        made.put(1)
        yield made


@pytest.fixture(scope="module", autouse=True)
def known(client: httpx.Client) -> None:
    callers.answers(client, "red", callers.KEYS["red"], 200)


def locked(platform: Platform) -> dict[str, LockedModel]:
    """What is locked of the sources of the platform's stack."""
    return dict(read_lock(platform.checkout / "Pulumi.dev.yaml"))


def test_a_canary_comes_beside_a_model_that_is_called_and_takes_its_weight(platform, client, store):
    callers.write(platform, stack(WEIGHT, store))
    assert platform.corral(*LOCK).code == 0
    with steady_calls(client).calling() as steady:
        callers.up(platform, stack(WEIGHT, store))
        time.sleep(SETTLED)
    assert steady.lost() == []
    stable, canary = shares(platform, client, 50)
    assert 0.5 * WEIGHT < 100 * canary / (stable + canary) < 1.5 * WEIGHT, (stable, canary)


def test_a_killed_canary_loses_no_call(platform, client):
    platform_client.wait_for(lambda: ready(platform), callers.RESTART_SECONDS, "the canary is ready")
    killed = platform.program_of("red", f"{CANARY}-predictor")
    with steady_calls(client).calling() as steady:
        time.sleep(1)
        os.kill(killed.pid, signal.SIGKILL)
        platform_client.wait_for(lambda: not killed.alive, 10, "the killed canary is gone")
        platform_client.wait_for(lambda: not ready(platform), 30, "the canary is not ready")
        platform_client.wait_for(lambda: ready(platform), callers.RESTART_SECONDS, "the canary is back")
    assert steady.lost() == []


def test_a_replica_that_is_deleted_loses_no_call_and_holds_none_up(platform, client):
    chosen = ("pods", "-n", "red", "-l", f"corral.dev/model={MODEL}")
    (before,) = platform.model_pods(MODEL)
    with steady_calls(client).calling() as steady:
        time.sleep(1)
        platform.kubectl("delete", "pod", before["metadata"]["name"], "-n", "red", "--wait=false")
        platform_client.wait_for(
            lambda: (
                before["metadata"]["uid"] not in {one["metadata"]["uid"] for one in platform.items(*chosen)}
            ),
            callers.RESTART_SECONDS,
            "the deleted replica has ended",
        )
    assert steady.lost() == []
    assert steady.longest < LONGEST
    platform_client.wait_for(
        lambda: platform.model_pods(MODEL) != [], callers.RESTART_SECONDS, "the model has a replica again"
    )


def test_weight_0_takes_a_canary_out_and_loses_no_call(platform, client, store):
    with steady_calls(client).calling() as steady:
        callers.up(platform, stack(0, store))
        time.sleep(SETTLED)
    assert steady.lost() == []
    stable, canary = shares(platform, client, 12)
    assert stable >= 12 and canary == 0


def answers(store: Any, batch: str) -> dict[str, dict[str, Any]]:
    """What the latest revision of a model has answered a batch, by `custom_id`."""
    place = {"Bucket": batches.BUCKET, "Prefix": f"red/{batch}/output/"}
    written = [one["Key"] for one in store.list_objects_v2(**place)["Contents"]]
    (output,) = [one for one in written if one.endswith("/capitals.output.jsonl")]
    text = store.get_object(Bucket=batches.BUCKET, Key=output)["Body"].read().decode()
    return {one["custom_id"]: one["response"]["body"] for one in map(json.loads, text.splitlines())}


def test_a_candidate_is_noticed_imported_and_evaluated_while_it_takes_no_call(platform, client, store):
    before = locked(platform)[CANARY]
    assert platform.corral(*CHECK).code == 0, "nothing has changed"
    digest = store.put(3)
    noticed = platform.corral(*CHECK)
    assert noticed.code == 1 and f"{CANARY}: {CANDIDATE} has changed since" in noticed.err, noticed.output
    assert locked(platform)[CANARY] == before, "a check writes nothing"
    assert platform.corral(*REFRESH).code == 0
    assert [one.sha256 for one in locked(platform)[CANARY].files] == [digest]

    requests = [
        {
            "custom_id": text,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": callers.question(text, 8, model=MODEL),
        }
        for text in EVALUATED
    ]
    content = "".join(json.dumps(one) + "\n" for one in requests)
    tenants = batches.store_of(platform)
    tenants.put_object(
        Bucket=batches.BUCKET, Key="red/evaluation/input/capitals.jsonl", Body=content.encode()
    )
    with steady_calls(client).calling() as steady:
        ended = platform.corral(*UP, seconds=platform_client.UP_SECONDS)
        assert ended.code == 0, ended.output[-4000:]
        for command in (EVALUATION, BASELINE):
            assert platform.corral(*command).code == 0
        for command in (EVALUATION, BASELINE):
            batches.ended(platform, command[command.index("job") + 1])
    assert steady.lost() == []
    (pod,) = platform.model_pods(CANARY)
    assert digest in json.dumps(pod["spec"]["initContainers"]), "it verifies the candidate's file"
    canary, model = answers(tenants, "evaluation"), answers(tenants, "baseline")
    assert set(canary) == set(model) == set(EVALUATED)
    asked = sum(one["usage"]["completion_tokens"] for one in canary.values())
    assert asked > 0 and served(platform, CANARY) == asked, "it has answered nobody else"


def test_a_canary_becomes_the_model_and_no_call_is_lost(platform, client, store):
    evaluated = locked(platform)[CANARY]
    with steady_calls(client).calling() as steady:
        callers.up(platform, stack(100, store))
        time.sleep(SETTLED)
        before = served(platform, MODEL)
        time.sleep(2)
        assert served(platform, MODEL) == before, "all calls go to the canary"
        callers.write(platform, stack(None, store))
        assert platform.corral(*LOCK).code == 0
        assert locked(platform) == {MODEL: evaluated}, "what was evaluated, unread"
        callers.up(platform, stack(None, store))
    assert steady.lost() == []
    service = platform.read("inferenceservice", MODEL, "-n", "red")["spec"]["predictor"]
    arguments = service["model"]["args"]
    assert arguments[arguments.index("--ctx-size") + 1] == str(CONTEXT * STACK["models"][0]["max-num-seqs"])
    assert platform.items("inferenceservices", "-n", "red", "-l", f"corral.dev/model={CANARY}") == []
    # It keeps its slice for the answers that it may still give.
    platform.kubectl(
        "delete", "pods", "-n", "red", "-l", f"corral.dev/model={CANARY}", "--force", "--grace-period=0"
    )
