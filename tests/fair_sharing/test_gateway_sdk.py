"""Calls of models through the gateway by OpenAI's own client, as docs/gateway.md writes them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fair_sharing.callers import HOST, KEYS, PORT, SPACE, answers

from corral.catalogue.gateway import PROXY, TLS_SECRET

pytestmark = pytest.mark.engine
pytest.importorskip("openai", reason="OpenAI's client is not installed: pip install openai")

PAGE = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text()
RESOLVED = """
import socket

asked = socket.getaddrinfo


def found(host, *more, **named):
    return asked({address!r} if host == {host!r} else host, *more, **named)


socket.getaddrinfo = found
KEY = {key!r}
"""
"""The resolver of a machine that knows the endpoint's name, and the caller's key."""
REFUSED = """
import json
import openai

try:
    client.chat.completions.create(model={model!r}, messages=[{{"role": "user", "content": "Hello"}}])
except openai.APIStatusError as error:
    print(json.dumps([type(error).__name__, error.code]))
"""


@pytest.fixture(scope="module")
def ask(platform, client, tmp_path_factory):
    """Runs a Python text as an application that trusts the endpoint's authority; what it prints."""
    answers(client, "red", KEYS["red"], 200)
    trusted = tmp_path_factory.mktemp("trust") / "ca.crt"
    trusted.write_text(platform.secret(SPACE, TLS_SECRET)["ca.crt"])
    address = platform.read("service", PROXY, "-n", SPACE)["spec"]["clusterIP"]

    def asked(text: str, key: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", RESOLVED.format(address=address, host=HOST, key=key) + text],
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                "SSL_CERT_FILE": str(trusted),
                "LANG": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return asked


def page_s(model: str = "smollm2") -> str:
    """The block of the page, with the platform's names in place of its own."""
    (block,) = (one for one in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S) if "OpenAI" in one)
    for name, own in (("models.example.eu/assistants", f"{HOST}:{PORT}/red"), ('"chat"', f'"{model}"')):
        assert name in block
        block = block.replace(name, own)
    return block


def test_the_page_s_program_prints_an_answer_as_it_comes(ask):
    assert ask(page_s(), KEYS["red"]).strip()


@pytest.mark.parametrize(
    ("model", "key", "error"),
    [
        ("gpt-5", KEYS["red"], ["NotFoundError", "model_not_found"]),
        ("smollm2", KEYS["blue"], ["AuthenticationError", "invalid_api_key"]),
    ],
)
def test_the_client_raises_its_own_error_with_the_gateway_s_code(ask, model, key, error):
    client_alone = page_s().partition("answer = ")[0]
    assert json.loads(ask(client_alone + REFUSED.format(model=model), key)) == error
