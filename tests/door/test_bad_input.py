"""What is wrong in a stack file is reported, one line per error, by every command; nothing is touched."""

import json

import pytest
import yaml
from tests.door.newcomer import CHECKOUT, newcomer_in

pytestmark = pytest.mark.engine

DEV = yaml.safe_load((CHECKOUT / "Pulumi.dev.yaml").read_text())["config"]["corral:platform"]
COMMANDS = {
    "corral plan": ("corral", "plan", "-s", "bad"),
    "corral up": ("corral", "up", "-s", "bad"),
    "pulumi preview": ("pulumi", "preview", "--non-interactive", "-s", "bad"),
}


def unknown_key(stack):
    stack["colour"] = "blue"
    return ["colour: unknown key: did you mean cluster? use one of sovereignty, cluster, gpu-pools"]


def wrong_type(stack):
    stack["gpu-pools"][0]["gpus-per-node"] = "four"
    return ["gpu-pools[0].gpus-per-node: four: use a whole number, without quotes"]


def a_model_that_fits_nowhere(stack):
    stack["models"][2].update({"context": 32768, "max-num-seqs": 64, "full-sequences": 64})
    return ["models[2]: "]


def forbidden_source(stack):
    stack["models"][0]["source"] = "https://models.example.com/smollm2"
    return ["models[0].source: https://models.example.com/smollm2: profile open allows"]


def unknown_gpu(stack):
    stack["gpu-pools"][0]["gpu"] = "A100-41GB"
    return ["gpu-pools[0].gpu: A100-41GB: did you mean A100-40GB? use one of"]


def duplicate_names(stack):
    stack["models"][1]["name"] = "smollm2"
    return ["models[1].name: smollm2: a name stands once; it is also models[0].name"]


def several_at_once(stack):
    return [*unknown_gpu(stack), *duplicate_names(stack), *forbidden_source(stack)]


WRONGS = [
    unknown_key,
    wrong_type,
    a_model_that_fits_nowhere,
    forbidden_source,
    unknown_gpu,
    duplicate_names,
    several_at_once,
]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    somebody = newcomer_in(tmp_path_factory.mktemp("bad"))
    somebody.write_stack("bad", DEV)
    somebody.log_in()
    somebody.stack("bad")
    return somebody


def touched(newcomer):
    """Every file of the newcomer's Corral home and Pulumi state."""
    places = (newcomer.home / ".cache" / "corral", newcomer.state / ".pulumi" / "stacks")
    return {
        str(path): path.stat().st_mtime_ns for place in places for path in place.rglob("*") if path.is_file()
    }


def result_of(newcomer, entry, stack, **more):
    """What the command of `entry` says about `stack`, and its exit code."""
    file = newcomer.checkout / "Pulumi.bad.yaml"
    kept = file.read_text()
    content = yaml.safe_load(kept)
    content["config"]["corral:platform"] = stack
    content["config"].update(more)
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    before = touched(newcomer)
    try:
        done = newcomer.run(*COMMANDS[entry])
    finally:
        file.write_text(kept)
    assert touched(newcomer) == before
    return done


def lines_of(done):
    return [line.strip() for line in done.stdout.splitlines()]


CASES = [
    (entry, wrong)
    for entry in COMMANDS
    for wrong in WRONGS
    # The three of `several_at_once`, which each command reports, are told one by one by one command.
    if entry == "corral plan" or wrong not in (forbidden_source, unknown_gpu, duplicate_names)
]


@pytest.mark.parametrize(
    ("entry", "wrong"), CASES, ids=lambda one: one if isinstance(one, str) else one.__name__
)
def test_each_error_is_one_line_with_place_value_and_what_is_allowed(newcomer, entry, wrong):
    stack = yaml.safe_load(yaml.safe_dump(DEV))
    expected = wrong(stack)
    done = result_of(newcomer, entry, stack)
    for start in expected:
        lines = [line for line in lines_of(done) if line.removeprefix("error: ").startswith(start)]
        assert len(lines) == 1, (start, done.stdout)
        assert lines[0].count(": ") >= 2
    assert "Traceback" not in done.stdout
    if entry.startswith("corral"):
        assert done.returncode == 2
        assert len(lines_of(done)) == len(expected), done.stdout
    else:
        assert done.returncode not in (0, 2)


@pytest.mark.parametrize("entry", COMMANDS)
def test_a_secret_in_plain_text_is_refused_and_not_repeated(newcomer, entry):
    done = result_of(newcomer, entry, DEV, **{"corral:grafana-password": "canary-in-plain-text"})
    expected = "config.corral:grafana-password: in plain text: use pulumi config set --secret corral:grafana-"
    lines = [line for line in lines_of(done) if line.removeprefix("error: ").startswith(expected)]
    assert len(lines) == 1, done.stdout
    assert "canary" not in done.stdout
    assert done.returncode == 2 if entry.startswith("corral") else done.returncode not in (0, 2)


def test_onprem_is_refused_for_what_is_not_locked_and_nothing_else(newcomer):
    before = touched(newcomer)
    for command in ("plan", "up"):
        done = newcomer.run("corral", command, "-s", "onprem")
        assert done.returncode == 2
        *models, digests = lines_of(done)
        assert [line.partition(": ")[0] for line in models] == [
            f"models[{index}].source" for index in range(3)
        ]
        assert all(": its files are not locked, as profile eu-resident needs" in line for line in models)
        assert digests.startswith("sovereignty.profile: eu-resident: needs digests, and ")
        assert digests.endswith("run corral lock")
    assert touched(newcomer) == before
    newcomer.stack("onprem", {})
    done = newcomer.run("pulumi", "preview", "--non-interactive", "-s", "onprem", "--policy-pack", "policy")
    assert done.returncode not in (0, 2)
    assert "sovereignty.profile: eu-resident: needs digests, and " in done.stdout
    assert "Traceback" not in done.stdout
    state = newcomer.done("pulumi", "stack", "export", "-s", "onprem")
    assert not json.loads(state)["deployment"].get("resources")
    newcomer.done("pulumi", "stack", "rm", "--yes", "--preserve-config", "-s", "onprem")
