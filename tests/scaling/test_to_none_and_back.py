"""Real models that follow callers from none to three copies and back, with no call lost, and their engine.

It brings up a platform of its own, in minutes, and so runs where `CORRAL_SCALING=1` says so.
"""

import contextlib
import os
import signal
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e import platform_client
from tests.e2e.measured_platform import SCRAPED_SECONDS, ready
from tests.e2e.platform_client import Platform, wait_for
from tests.fair_sharing.callers import SPACE, change_key

from corral.catalogue.gateway import PROXY, TLS_SECRET
from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif("CORRAL_SCALING" not in os.environ, reason="minutes of its own: set CORRAL_SCALING=1"),
]
HOST, PORT, KEY = "models.example.eu", 8443, "sk-green-0123456789"
COOLDOWN = 20
STACK = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "gateway": {"host": HOST, "port": PORT, "timeout": 120},
    "tenants": [{"name": "green"}],
    "fair-sharing": {},
    "gpu-pools": [
        {
            "name": "slices",
            "gpu": "A100-40GB",
            "nodes": {"names": ["slices-0"]},
            "gpus-per-node": 1,
            "sharing": {"mig": "all-1g.5gb"},
        }
    ],
    "models": [
        {
            "name": "elastic",
            "model": "smollm2-135m",
            "tenant": "green",
            "context": 2048,
            "max-num-seqs": 2,
            "scaling": {"min": 0, "max": 3, "concurrency": 1, "cooldown": COOLDOWN},
        },
        {
            "name": "queued",
            "model": "smollm2-135m",
            "tenant": "green",
            "context": 2048,
            "max-num-seqs": 2,
            # As good as never by its calls.
            "scaling": {
                "max": 2,
                "concurrency": 100,
                "cooldown": COOLDOWN,
                "triggers": [{"metric": "waiting-requests", "threshold": 1}],
            },
        },
    ],
    "observability": {"size": "5Gi"},
    "model-storage": {"size": "5Gi"},
    "addons": {"kyverno": "off"},
}
CALLERS, CALLS_SECONDS = 4, 90
SCALED_SECONDS = 180


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="corral-scaling-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), STACK)
        with platform_client.gone_afterwards(Platform(Path(folder) / "home", checkout)) as running:
            ensure(
                needed([Addon.KUEUE, Addon.ENVOY_GATEWAY, Addon.KEDA, Addon.OBSERVABILITY]),
                lambda _line: None,
            )
            done = running.corral("up", seconds=platform_client.UP_SECONDS)
            if done.code:
                pytest.fail(f"corral up: {done.output[-4000:]}", pytrace=False)
            change_key(running, "green", "app", KEY)
            yield running


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[httpx.Client]:
    address = platform.read("service", PROXY, "-n", SPACE)["spec"]["clusterIP"]
    trusted = ssl.create_default_context(cadata=platform.secret(SPACE, TLS_SECRET)["ca.crt"])
    with httpx.Client(
        base_url=f"https://{address}:{PORT}",
        headers={"Host": HOST, "Authorization": f"Bearer {KEY}"},
        verify=trusted,
        timeout=150,
        trust_env=False,
    ) as opened:
        wait_for(lambda: listed(opened), 30, "the key is known")
        yield opened


def listed(client: httpx.Client) -> bool:
    answer = client.get("/green/v1/models", extensions={"sni_hostname": HOST})
    return answer.status_code == 200


def ask(client: httpx.Client, tokens: int = 8, model: str = "elastic") -> httpx.Response:
    question = [{"role": "user", "content": "What is the capital of France?"}]
    body = {"model": model, "messages": question, "max_tokens": tokens, "temperature": 0}
    return client.post("/green/v1/chat/completions", json=body, extensions={"sni_hostname": HOST})


def copies(platform: Platform, model: str = "elastic") -> int:
    return platform.read("deployment", f"{model}-predictor", "-n", "green")["spec"]["replicas"]


@contextlib.contextmanager
def called(client: httpx.Client, model: str, callers: int) -> Generator[None]:
    """Callers that ask one question after the other until the end."""
    over = threading.Event()

    def calls() -> None:
        while not over.is_set():
            with contextlib.suppress(httpx.HTTPError):
                ask(client, 48, model)

    threads = [threading.Thread(target=calls) for _ in range(callers)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in threads:
            one.join()


def _ready(platform: Platform, deployment: str) -> int:
    status = platform.read("deployment", deployment, "-n", "keda")["status"]
    return status.get("readyReplicas", 0)


def kill_one(program: str, platform: Platform) -> None:
    """End one process of `program` of this plane at once."""
    pods = str(platform.plane.root)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
            mine = pods in (entry / "environ").read_text(errors="replace")
        except OSError:
            continue
        if Path(command).name == program and mine:
            os.kill(int(entry.name), signal.SIGKILL)
            return
    pytest.fail(f"no process {program}")


def test_requests_that_wait_in_the_engine_bring_another_copy_and_it_ends_again(
    platform: Platform, client: httpx.Client
):
    wait_for(lambda: copies(platform, "queued") == 1, SCALED_SECONDS, "one copy stays")
    with called(client, "queued", 6):
        wait_for(lambda: copies(platform, "queued") == 2, SCALED_SECONDS, "a copy for those that wait")
        status = platform.read("hpa", "keda-hpa-queued", "-n", "green")["status"]
        values = {
            one["external"]["metric"]["name"]: one["external"]["current"] for one in status["currentMetrics"]
        }
        assert "s1-prometheus" in values, values
    wait_for(lambda: copies(platform, "queued") == 1, SCALED_SECONDS, "one copy once nothing waits")


def test_triggers_are_drawn_from_what_keda_says_of_them(platform: Platform):
    prometheus = ready(platform)

    def silent() -> list[str]:
        return [panel.title for panel in prometheus.boards()["corral-keda"].panels if panel.silent]

    wait_for(lambda: not silent(), SCRAPED_SECONDS, f"panels have data: {silent()}")
    query = 'max(keda_scaler_metrics_value{scaledObject="queued",metric="s1-prometheus"})'
    assert prometheus.value(query) is not None


def test_nobody_calls_and_no_copy_stays(platform: Platform):
    wait_for(lambda: copies(platform) == 0, SCALED_SECONDS, "no copy")


def test_the_first_call_waits_for_a_copy_and_is_answered(platform: Platform, client: httpx.Client):
    assert copies(platform) == 0
    answer = ask(client)
    assert answer.status_code == 200 and answer.json()["usage"]["completion_tokens"] == 8
    assert answer.headers["x-keda-http-cold-start"] == "true"


def test_no_call_is_lost_from_none_to_three_and_while_an_interceptor_ends(
    platform: Platform, client: httpx.Client
):
    wait_for(lambda: copies(platform) == 0, SCALED_SECONDS, "no copy")
    came: Counter[str] = Counter()
    most = 0
    until = time.monotonic() + CALLS_SECONDS

    def calls() -> None:
        while time.monotonic() < until:
            try:
                came[str(ask(client, 24).status_code)] += 1
            except httpx.HTTPError as error:
                came[repr(error)] += 1

    threads = [threading.Thread(target=calls) for _ in range(CALLERS)]
    for one in threads:
        one.start()
    # The plane has one of everything; a platform has two, and keeps one.
    two = '{"spec":{"minReplicaCount":2}}'
    interceptor = "keda-add-ons-http-interceptor"
    platform.kubectl("patch", "scaledobject", interceptor, "-n", "keda", "--type=merge", "-p", two)
    gone = False
    while any(one.is_alive() for one in threads):
        most = max(most, copies(platform))
        if not gone and most == 3 and _ready(platform, interceptor) == 2:
            kill_one("keda-http-interceptor", platform)
            gone = True
        time.sleep(1)
    assert most == 3 and gone
    assert set(came) == {"200"} and came.total() > CALLERS
    wait_for(lambda: copies(platform) == 0, SCALED_SECONDS, "no copy once nobody calls")
