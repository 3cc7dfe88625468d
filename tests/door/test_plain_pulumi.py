"""Plain Pulumi: pip, pulumi login, stack init, config set, preview and up, without make or `corral up`."""

import json

import pytest
import yaml
from tests.door.newcomer import ITS_SECRETS, PASSPHRASE, SECRETS, SMALLEST_STACK, decoys_of, newcomer_in

pytestmark = pytest.mark.engine

PULUMI_WRITES = ("encryptionsalt:", "corral:", "secure:")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    """Logged in; with stack `dev` and its secrets; nothing is started."""
    somebody = newcomer_in(tmp_path_factory.mktemp("plain"))
    somebody.log_in()
    somebody.stack("dev")
    yield somebody
    somebody.run("corral", "down", "-s", "dev")


@pytest.fixture(scope="module")
def before(newcomer):
    """What the decoys held when the newcomer had not yet run a program of ours."""
    return decoys_of(newcomer)


@pytest.fixture(scope="module")
def started(newcomer, before):
    """The plane of stack `dev` runs, and nothing is deployed on it."""
    newcomer.done("corral", "up", "--plane-only", "-s", "dev")
    return newcomer


def preview(newcomer, stack="dev", **more):
    command = ("pulumi", "preview", "--non-interactive", "-s", stack, "--policy-pack", "policy")
    return newcomer.run(*command, **more)


def changes(newcomer):
    """Lines that the checkout has and its commit has not, by file; lost lines begin with '-'."""
    answer = newcomer.done("git", "diff", "--unified=0", "--no-color")
    lines = [line for line in answer.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    names = newcomer.done("git", "status", "--porcelain").split("\n")
    return [name for name in names if name], lines


def test_the_login_is_the_newcomer_s_and_not_that_of_whoever_runs_the_tests(newcomer):
    kept = json.loads((newcomer.home / ".pulumi" / "credentials.json").read_text())
    assert kept["current"] == newcomer.state.as_uri()


def test_without_a_plane_the_command_that_starts_one_is_named(newcomer, before):
    done = preview(newcomer)
    assert done.returncode != 0
    assert "plane 'dev' is not started" in done.stdout
    assert "`corral up -s dev`" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (newcomer.home / ".cache" / "corral").exists()


def test_preview_of_the_whole_dev_stack_passes_the_policies(started):
    done = preview(started)
    assert done.returncode == 0, done.stdout
    assert "corral-sovereignty" in done.stdout
    assert "to create" in done.stdout


def test_a_missing_secret_is_named_with_the_command_that_sets_it(started):
    started.done("pulumi", "config", "rm", "corral:grafana-password", "-s", "dev")
    done = preview(started)
    key = "corral:grafana-password"
    started.done("pulumi", "config", "set", "--secret", key, "-s", "dev", stdin=SECRETS[key])
    assert done.returncode != 0
    assert key in done.stdout
    assert "pulumi config set" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_cluster_that_corral_did_not_start_is_refused(started):
    kubeconfig = started.home / ".cache" / "corral" / "dev" / "kubeconfig"
    kept = kubeconfig.read_text()
    foreign = yaml.safe_load(kept)
    foreign["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    kubeconfig.write_text(yaml.safe_dump(foreign))
    try:
        done = preview(started)
    finally:
        kubeconfig.write_text(kept)
    assert done.returncode != 0
    assert "leads to https://127.0.0.1:9; plane 'dev' was started at https://127.0.0.1:" in done.stdout
    assert "Traceback" not in done.stdout


def test_up_brings_a_model_that_answers_and_leaves_no_trace_outside(started, before):
    started.write_stack("door", SMALLEST_STACK)
    started.stack("door", {key: SECRETS[key] for key in ITS_SECRETS})
    options = ("--yes", "--non-interactive", "--skip-preview", "-s", "door", "--policy-pack", "policy")
    started.done("pulumi", "up", *options)
    outputs = json.loads(started.done("pulumi", "stack", "output", "--json", "-s", "door"))
    assert outputs["endpoints"]["smollm2"].startswith("http")
    assert started.done("corral", "chat", "-s", "dev", "smollm2", "Say hello.").strip()
    state = started.done("pulumi", "stack", "export", "-s", "door")
    assert not [secret for secret in (*SECRETS.values(), PASSPHRASE) if secret in state]

    assert decoys_of(started) == before
    (started.checkout / "Pulumi.door.yaml").unlink()
    names, lines = changes(started)
    assert names == [" M Pulumi.dev.yaml"]
    assert not [line for line in lines if not line[1:].strip().startswith(PULUMI_WRITES)]
