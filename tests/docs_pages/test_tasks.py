"""Every block of docs/tasks.md is what it says: stacks plan, commands parse, keys are secrets."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from tests.stacks.stack_files import stack

from corral.catalogue.sources import SECRET
from corral.cli.main import COMMANDS, PASSED_ON, build_parser
from corral.components.observability.component import NAMESPACE
from corral.components.observability.values import ADMIN_PASSWORD_KEY, ADMIN_SECRET, GRAFANA, GRAFANA_PORT
from corral.stacks.config.loader import parse
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import SECRETS
from corral.stacks.deploy.built import Built
from corral.stacks.deploy.outputs import outputs
from corral.stacks.planning.planner import plan

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
BLOCKS = re.findall(r"^## ([^\n]+)|^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PULUMI = ("config set --secret", "stack output", "stack init", "stack export", "preview --non-interactive")
KUBECTL = ("port-forward", "get secret", "create rolebinding")


def blocks(language: str) -> list:
    found, title = [], ""
    for heading, kind, text in BLOCKS:
        title = heading or title
        if kind == language:
            found.append(pytest.param(text, id=title))
    return found


def lines() -> list[str]:
    return [line for one in blocks("sh") for line in one.values[0].splitlines() if line]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_block_of_a_stack_file_plans(text):
    sections = yaml.safe_load(text)
    config = parse(stack(**{"cluster": {"kind": "existing"}, **sections}))
    locked = {
        one.name: LockedModel.model_validate(
            {
                "source": one.source,
                "date": "2026-11-27",
                "files": [
                    {
                        "name": "ours.gguf",
                        "size": config.known_models[one.model].weights,
                        "sha256": "b" * 64,
                    }
                ],
            }
        )
        for one in config.models
        if one.source is not None
    }
    locked |= {
        one.name: LockedModel.model_validate(
            {
                "source": one.source,
                "date": "2026-11-28",
                "files": [
                    {"name": name, "size": 10**7, "sha256": "c" * 64}
                    for name in ("adapter_config.json", "adapter_model.safetensors")
                ],
                "lora": {"rank": 16, "target-modules": ["q_proj"]},
            }
        )
        for model in config.models
        for one in model.adapters
    }
    made = plan(config, "mine", locked)
    named = set(re.findall(r"corral:([a-z-]+)", section_of(text)))
    assert named <= set(made.secrets_needed) | {"platform"}, "the secrets that the page sets are those needed"


def section_of(text: str) -> str:
    return next(part for part in PAGE.split("\n## ") if text in part)


@pytest.mark.parametrize("line", lines())
def test_a_command_is_one_that_there_is(line):
    program, *words = shlex.split(line)
    rest = " ".join(words)
    if program == "corral":
        if words[0] in PASSED_ON:
            assert words[0] in COMMANDS
        else:
            build_parser().parse_args(words)
    elif program == "pulumi":
        assert rest.startswith(PULUMI)
    elif program == "kubectl":
        assert rest.startswith(KUBECTL)
    else:
        assert program in ("cp", "export")


@pytest.mark.parametrize("key", sorted(set(re.findall(r"--secret corral:([a-z-]+)", PAGE))))
def test_a_secret_that_is_set_is_a_secret_of_stacks(key):
    assert key in SECRETS or SECRET.fullmatch(key)


@pytest.mark.parametrize("text", blocks("python"))
def test_a_block_of_python_compiles_and_calls_the_address_that_the_plan_has(text):
    compile(text, "tasks.md", "exec")
    (address,) = re.findall(r'base_url="http://([^/"]+)/v1"', text)
    models = [{"name": "assistant", "model": "smollm2-135m", "context": 2048}]
    assert plan(parse(stack(models=models)), "mine").models[0].service == address


@pytest.mark.parametrize("key", sorted(set(re.findall(r"stack output (\w+)", PAGE))))
def test_an_output_that_is_read_is_one_of_stacks(key):
    made = plan(parse(stack()), "mine")
    assert key in outputs(made, {}, Built())


def test_grafana_is_where_the_page_looks_for_it():
    assert f"-n {NAMESPACE} service/{GRAFANA} 3000:{GRAFANA_PORT}" in PAGE
    assert f"-n {NAMESPACE} {ADMIN_SECRET} -o jsonpath={{.data.{ADMIN_PASSWORD_KEY}}}" in PAGE
