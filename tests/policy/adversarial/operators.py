"""Resources of operators, webhooks of the API server and what is made in clouds, from `operators.yaml`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.policy.adversarial.stacks import DIGEST, Entry

from corral.catalogue import yamls


def _read(part: str) -> list[list[Any]]:
    text = (Path(__file__).parent / "operators.yaml").read_text()
    return yamls.load(text.replace("@DIGEST@", DIGEST.rpartition(":")[2]))[part]


def bad() -> Iterator[Entry]:
    for title, control, token, props in _read("bad"):
        yield Entry(title, control, token, props)


def good() -> Iterator[Entry]:
    for title, token, props in _read("good"):
        yield Entry(title, "", token, props)
