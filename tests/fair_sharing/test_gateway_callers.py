"""Who may call: keys by `corral keys` and tokens of an identity provider, live at the proxies."""

import json
import os
import re
import shutil
import subprocess
import threading

import httpx
import pytest
from tests.doubles.identity_provider import IdentityProvider
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.callers import CHANGED_SECONDS, HOST, KEYS, answers, call, question, streamed
from tests.fair_sharing.stack import AUDIENCE, REFRESH_SECONDS, STACK

pytestmark = pytest.mark.engine

STREAM_TOKENS = 600
"""Of an answer that outlasts a command."""


def keys(platform: Platform, *arguments: str) -> str:
    """What `corral keys` prints beside its words."""
    done = platform.corral("keys", *arguments)
    assert done.code == 0, done.output
    return done.out.strip()


class Stream(threading.Thread):
    """An answer that is being streamed until it is broken off."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        super().__init__()
        self._client, self._key = client, key
        self._enough = threading.Event()
        self.words = 0

    def run(self) -> None:
        body = question("Count.", STREAM_TOKENS, stream=True, ignore_eos=True)
        with streamed(self._client, body, self._key) as answer:
            for line in answer.iter_lines():
                self.words += line.startswith("data: {")
                if self._enough.is_set():
                    return

    def goes_on(self) -> None:
        """Waits until it has said something more."""
        before = self.words
        platform_client.wait_for(
            lambda: self.words > before + 2, CHANGED_SECONDS, f"more than {before} words of the answer"
        )

    def break_off(self) -> None:
        self._enough.set()
        self.join()


def test_keys_are_made_listed_and_replaced_while_an_answer_of_the_old_one_goes_on(platform, client):
    old = keys(platform, "make", "red", "shop")
    answers(client, "red", old, 200)
    stream = Stream(client, old)
    stream.start()
    stream.goes_on()
    keys(platform, "revoke", "red", "shop")
    answers(client, "red", old, 401)
    stream.goes_on()
    stream.break_off()
    new = keys(platform, "make", "red", "shop")
    answers(client, "red", new, 200)
    listed = keys(platform, "list", "red")
    assert listed.splitlines()[-1].startswith("shop  20"), listed
    assert old not in listed and new not in listed
    assert call(client, "/blue/v1/models", new).status_code == 401, "a key of red's opens nothing of blue's"
    keys(platform, "revoke", "red", "shop")
    answers(client, "red", new, 401)
    refused = platform.corral("keys", "revoke", "red", "shop")
    assert refused.code == 2 and "no key of shop" in refused.err


def test_a_token_of_the_provider_opens_its_tenants_models_until_it_expires(client, provider):
    answers(client, "green", provider.token(AUDIENCE), 200)
    assert call(client, "/green/v1/models", provider.token(AUDIENCE)).json() == {"object": "list", "data": []}
    named = call(client, "/green/v1/chat/completions", provider.token(AUDIENCE), question("Hello", 1))
    assert named.status_code == 404 and named.json()["error"]["code"] == "model_not_found"


PAGE = (platform_client.CHECKOUT / "docs" / "gateway.md").read_text()
(ASKING,) = re.findall(r"^TOKEN=\$\((curl .*?) \| jq", PAGE, re.DOTALL | re.MULTILINE)


def test_an_application_gets_its_token_with_its_own_client_as_the_page_says(client, provider, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    provider.clients["shop"] = "a-secret", AUDIENCE
    authority = tmp_path / "authority.crt"
    authority.write_text(provider.authority)
    command = ASKING.replace("https://id.example.eu/realms/research", provider.issuer)

    def asked(secret: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "SECRET": secret, "CURL_CA_BUNDLE": str(authority), "NO_PROXY": "*"}
        return subprocess.run(
            ["sh", "-c", command], env=variables, capture_output=True, text=True, check=False, timeout=30
        )

    token = json.loads(asked("a-secret").stdout)["access_token"]
    answers(client, "green", token, 200)
    refused = asked("another")
    assert refused.returncode and json.loads(refused.stdout) == {"error": "invalid_client"}


OTHER = "https://id.example.eu"


@pytest.mark.parametrize(
    ("path", "shown", "status", "code"),
    [
        ("/green", lambda _: None, 401, "invalid_api_key"),
        ("/green", lambda of: of.token("red-models"), 403, "insufficient_permissions"),
        ("/green", lambda of: of.token(AUDIENCE, iss=OTHER), 401, "invalid_api_key"),
        ("/green", lambda of: of.token(AUDIENCE, exp=1), 401, "invalid_api_key"),
        ("/green", lambda of: of.token(AUDIENCE, nbf=2**33), 401, "invalid_api_key"),
        ("/green", lambda of: of.unsigned(AUDIENCE), 401, "invalid_api_key"),
        ("/green", lambda of: of.token(AUDIENCE)[:-8] + "AAAAAAAA", 401, "invalid_api_key"),
        ("/green", lambda _: KEYS["red"], 401, "invalid_api_key"),
        ("/red", lambda of: of.token(AUDIENCE), 401, "invalid_api_key"),
    ],
    ids=[
        "none",
        "another audience",
        "another issuer",
        "expired",
        "not yet valid",
        "unsigned",
        "another signature",
        "a key",
        "a token where keys are shown",
    ],
)
def test_any_other_token_is_refused_in_the_interfaces_own_form(client, provider, path, shown, status, code):
    answers(client, "green", provider.token(AUDIENCE), 200)
    refused = call(client, f"{path}/v1/chat/completions", shown(provider), question("Hello", 1))
    assert refused.status_code == status, refused.text
    assert refused.json()["error"]["code"] == code


def test_another_key_of_the_provider_takes_the_place_of_its_first(client, provider: IdentityProvider):
    before = provider.token(AUDIENCE)
    answers(client, "green", before, 200)
    provider.rotate()
    seconds = 2 * REFRESH_SECONDS
    platform_client.wait_for(
        lambda: call(client, "/green/v1/models", provider.token(AUDIENCE)).status_code == 200,
        seconds,
        "the new key is known",
    )
    assert call(client, "/green/v1/models", before).status_code == 401, "the old one is not"


CONTEXT = STACK["models"][0]["context"]
LONG = "word " * 2 * CONTEXT


@pytest.mark.parametrize("path", ["/red/v1", "/red/smollm2/v1"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_prompt_beyond_the_context_is_refused_in_the_interfaces_own_form(client, path, stream):
    answers(client, "red", KEYS["red"], 200)
    body = question(LONG, 1, stream=stream)
    refused = call(client, f"{path}/chat/completions", KEYS["red"], body)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "context_length_exceeded")
    assert str(CONTEXT) in error["message"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ('{"messages": []}', "application/json", 404, "model_not_found"),
        ('{"model": 7}', "application/json; charset=utf-8", 404, "model_not_found"),
        ("", "application/json", 404, "model_not_found"),
        ("no json", "application/json", 404, "model_not_found"),
        ('{"model": "smollm2"}', "text/plain", 415, "unsupported_media_type"),
        ("model=smollm2", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (
            '{"model": "smollm2", "more": "' + "x" * (10 * 2**20) + '"}',
            "application/json",
            413,
            "request_too_large",
        ),
    ],
    ids=["no model", "a number", "nothing", "no JSON", "text", "a form", "huge"],
)
def test_a_request_that_leads_nowhere_is_answered_in_the_interfaces_own_form(
    client, content, kind, status, code
):
    answers(client, "red", KEYS["red"], 200)
    headers = {"Authorization": f"Bearer {KEYS['red']}", "Content-Type": kind}
    refused = client.post(
        "/red/v1/chat/completions", content=content, headers=headers, extensions={"sni_hostname": HOST}
    )
    assert refused.status_code == status, refused.text
    error = refused.json()["error"]
    assert error["code"] == code and error["message"]
