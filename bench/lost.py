"""Calls that get no answer while what they go through ends, is killed, or is replaced."""

import os
import signal
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from bench.figures import Figure
from bench.gateway import HOST, KEY, MODEL, PORT, SPACE, STACK, TENANT, Platform, platform
from corral.catalogue.gateway import PROXY, TLS_SECRET, tenant_path

CALLERS, PAUSE = 4, 0.1
BEFORE, AFTER = 3.0, 15.0
"""Seconds of calls before something happens, and after it."""
ENDS = 45.0
"""Seconds after which a replica that was deleted has ended, whatever it still did."""
ATTEMPTS = 3
"""Of a call whose connection ends: OpenAI's clients make two more (`max_retries`)."""
SETTLED = 3.0
"""Seconds of calls after an `up`, until the proxies have a route that the API server has."""
WEIGHT = 30
"""Percent of the calls that a canary takes."""


def two(**more: object) -> dict[str, Any]:
    """Two proxies before two replicas of a model, which has these keys beside."""
    return {
        **STACK,
        "gateway": {**STACK["gateway"], "replicas": 2},
        "models": [{**STACK["models"][0], "replicas": 2, **more}],
    }


QUESTION = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 2,
}


def lost() -> Iterator[Figure]:
    """Calls of a model of two replicas through two proxies that no answer came to, of all that were made."""
    with platform(two()) as own:
        own.corral("up")
        own.known()
        steady = _Calls(own)
        steady.during(lambda: None, AFTER, attempts=60)
        replica, proxy = (TENANT, f"{MODEL}-predictor"), (SPACE, PROXY)
        context = STACK["models"][0]["context"] // 2
        canary = two(canary={"context": context, "weight": WEIGHT})
        rolled_back = two(canary={"context": context, "weight": 0})
        promoted = two(canary={"context": context, "weight": 100})
        for what, happens, after, attempts in (
            ("a replica is deleted", lambda: _delete(own, *replica), ENDS, 1),
            ("a replica is killed", lambda: _kill(own, *replica, "kserve-container"), AFTER, 1),
            ("a replica is deleted at once", lambda: _delete(own, *replica, "--grace-period=0"), AFTER, 1),
            ("a proxy is deleted", lambda: _delete(own, *proxy), AFTER, 1),
            ("a proxy is killed", lambda: _kill(own, *proxy, "envoy"), AFTER, 1),
            ("a proxy is killed, asked again", lambda: _kill(own, *proxy, "envoy"), AFTER, ATTEMPTS),
            ("a canary comes", lambda: own.become(canary), SETTLED, 1),
            ("a canary is rolled back", lambda: own.become(rolled_back), SETTLED, 1),
            ("a canary is promoted", lambda: own.become(promoted), SETTLED, 1),
            ("a canary becomes the model", lambda: own.become(two(context=context)), SETTLED, 1),
        ):
            failed, made, longest = steady.during(happens, after, attempts)
            # What breaks off on the way to the client, only the client can ask again.
            target = None if attempts == 1 and "proxy is killed" in what else 0
            yield Figure(f"calls lost, {what}", failed, "", "calls made", made, target)
            yield Figure(f"the longest call, {what}", longest, "s")


def _delete(own: Platform, namespace: str, prefix: str, *options: str) -> None:
    name = own.pods(namespace, prefix)[0]["metadata"]["name"]
    force = ("--force",) if options else ()
    own.corral("kubectl", "delete", "pod", name, "-n", namespace, "--wait=false", *force, *options)


def _kill(own: Platform, namespace: str, prefix: str, container: str) -> None:
    os.kill(own.process(own.pods(namespace, prefix)[0]["metadata"]["uid"], container), signal.SIGKILL)


class _Calls:
    """Callers with a connection each, as applications have."""

    def __init__(self, own: Platform) -> None:
        address = own.read("service", PROXY, "-n", SPACE)["spec"]["clusterIP"]
        authority = b64decode(own.read("secret", TLS_SECRET, "-n", SPACE)["data"]["ca.crt"]).decode()
        self._url = f"https://{address}:{PORT}"
        self._trusted = ssl.create_default_context(cadata=authority)

    def during(self, happens: Callable[[], None], after: float, attempts: int) -> tuple[int, int, float]:
        """Calls lost, calls made, and the seconds of the longest, from before something happens to after."""
        over = threading.Event()
        calls: list[tuple[bool, float]] = []

        def calling() -> None:
            headers = {"Host": HOST, "Authorization": f"Bearer {KEY}"}
            with httpx.Client(
                base_url=self._url, headers=headers, verify=self._trusted, trust_env=False, timeout=60
            ) as client:
                while not over.wait(PAUSE):
                    begun = time.monotonic()
                    answered = any(_answered(client, number) for number in range(attempts))
                    calls.append((answered, time.monotonic() - begun))

        threads = [threading.Thread(target=calling) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        time.sleep(BEFORE)
        happens()
        time.sleep(after)
        over.set()
        for thread in threads:
            thread.join()
        return sum(not one for one, _ in calls), len(calls), max(seconds for _, seconds in calls)


def _answered(client: httpx.Client, attempt: int) -> bool:
    """Whether an answer comes, to one of several attempts, each half a second after the one before."""
    if attempt:
        time.sleep(0.5)
    try:
        path, name = f"{tenant_path(TENANT)}/chat/completions", {"sni_hostname": HOST}
        return client.post(path, json=QUESTION, extensions=name).is_success
    except httpx.HTTPError:
        return False
