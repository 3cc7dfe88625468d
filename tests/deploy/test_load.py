"""Configuration inside the Pulumi program."""

import asyncio
import json
from collections.abc import Iterator

import pulumi
import pytest
from tests.stacks.stack_files import stack

from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.loader import parse
from corral.stacks.deploy.load import load


@pytest.fixture(autouse=True)
def event_loop_of_the_program() -> Iterator[None]:
    """A Pulumi program always has one; tests that ran before may have closed theirs."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(autouse=True)
def no_configuration() -> Iterator[None]:
    pulumi.runtime.set_all_config({})
    yield
    pulumi.runtime.set_all_config({})


def test_the_program_reads_the_same_as_the_command_line():
    pulumi.runtime.set_all_config({"corral:platform": json.dumps(stack())})
    assert load() == parse(stack())


def test_a_program_without_configuration_is_told_which_object_is_missing():
    with pytest.raises(ConfigErrors, match="config: corral:platform is missing"):
        load()


def test_bad_configuration_is_told_in_the_same_lines():
    pulumi.runtime.set_all_config({"corral:platform": json.dumps(stack(modles=[]))})
    with pytest.raises(ConfigErrors, match=r"modles: unknown key: did you mean models\?"):
        load()


def test_a_secret_that_the_stack_file_has_in_plain_text_is_refused_and_not_repeated():
    settings = {"corral:platform": json.dumps(stack()), "corral:grafana-password": "canary"}
    pulumi.runtime.set_all_config(settings)
    with pytest.raises(ConfigErrors, match=r"config\.corral:grafana-password: in plain text") as refused:
        load()
    assert "canary" not in str(refused.value)
    pulumi.runtime.set_all_config(settings, ["corral:grafana-password"])
    assert load() == parse(stack())
