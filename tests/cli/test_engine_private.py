"""The real Pulumi, run privately for a plane's stack. Needs the toolchain, no plane."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from corral.embedded import toolchain
from corral.embedded.engine.engine import SECRETS, Engine, EngineError, environment
from corral.embedded.engine.events import EventReporter
from corral.embedded.engine.follow import follow
from corral.embedded.engine.stack_file import secrets
from corral.embedded.home import Home

pytestmark = pytest.mark.engine

PROGRAM = """
import os, time
import pulumi
config = pulumi.Config("corral")
pulumi.export("word", config.require("word"))
pulumi.export("key", config.require_secret("storage-secret-key"))
time.sleep(float(os.environ.get("LINGER", "0")))
if config.get("fail"):
    raise SystemExit(32)
"""


def quiet(_line):
    """Nobody listens."""


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  corral:word: first\n")
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


@pytest.fixture
def engine(tmp_path, checkout):
    home = Home(tmp_path / "home")
    plane = home.plane("dev")
    settings = environment(home, plane, toolchain.programs_path(), own_provider=True)
    return Engine(plane, checkout, "dev", settings)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_secrets_are_made_once_encrypted_and_the_checkout_stays_as_it_was(engine, checkout):
    before = contents(checkout)
    engine.init(quiet)
    made = engine.config_file.read_text()
    assert secrets(made) == SECRETS.keys()
    assert all(
        value["secure"].startswith("v1:")
        for key, value in yaml.safe_load(made)["config"].items()
        if key in SECRETS
    )
    engine.init(quiet)
    assert engine.config_file.read_text() == made
    assert contents(checkout) == before


def test_everything_of_the_engine_is_the_owners_alone(engine):
    engine.init(quiet)
    assert engine.up(quiet).code == 0
    folder = engine.plane.engine
    assert (folder / "passphrase").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_up_deploys_what_the_committed_file_says_now(engine, checkout):
    engine.init(quiet)
    assert engine.up(quiet).code == 0
    assert engine.outputs() == {"word": "first", "key": "[secret]"}
    (checkout / "Pulumi.dev.yaml").write_text("config:\n  corral:word: second\n")
    engine.init(quiet)
    assert engine.up(quiet).code == 0
    assert engine.outputs()["word"] == "second"


def test_no_secret_is_in_plain_text_in_state_or_stack_file(engine):
    engine.init(quiet)
    assert engine.up(quiet).code == 0
    shown = subprocess.run(
        [
            "pulumi",
            "config",
            "get",
            "corral:storage-secret-key",
            "--stack",
            "dev",
            "--config-file",
            engine.config_file,
        ],
        cwd=engine.project,
        env=engine.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    secret = shown.stdout.strip()
    assert len(secret) == 2 * SECRETS["corral:storage-secret-key"]
    files = [path for path in engine.plane.engine.rglob("*") if path.is_file()]
    assert engine.config_file in files
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_a_run_is_told_in_few_lines_and_kept_whole_for_its_owner(engine):
    engine.init(quiet)
    message = []
    run = engine.up(message.append)
    # The project has no policy pack: the package's own runs.
    assert [line.partition(":")[0] for line in message] == ["corral-sovereignty", "preview", "update"]
    assert run.seconds.keys() == {"preview", "update"}
    assert "Updating (dev)" in run.log.read_text()
    assert run.log.stat().st_mode & 0o777 == 0o600


def test_pulumi_writes_no_diagnostics_of_its_own_and_runs_without(engine):
    engine.init(quiet)
    assert engine.up(quiet).code == 0
    assert engine.preview(quiet).code == 0
    home = Path(engine.environment["PULUMI_HOME"])
    assert [path for path in home.rglob("*.log") if path.is_file()] == []


def test_the_exit_code_is_pulumis_and_the_error_is_told_in_full(engine, checkout):
    (checkout / "Pulumi.dev.yaml").write_text("config:\n  corral:fail: '1'\n")
    engine.init(quiet)
    message = []
    run = engine.up(message.append)
    assert run.code not in (0, None)
    assert any("Missing required configuration variable 'corral:word'" in line for line in message)
    assert str(run.log) in message[-1]


def test_the_users_own_login_and_clusters_are_out_of_reach(engine, monkeypatch):
    for name in ("KUBECONFIG", "AWS_ACCESS_KEY_ID", "PULUMI_ACCESS_TOKEN", "HOME"):
        monkeypatch.setenv(name, "/canary")
    home = Home(engine.plane.root.parent)
    settings = environment(home, engine.plane, "", own_provider=False)
    assert "/canary" not in settings.values()
    assert Path(settings["HOME"]).is_relative_to(engine.plane.engine)
    assert settings["PULUMI_BACKEND_URL"] == (engine.plane.engine / "state").as_uri()


def test_a_lost_passphrase_of_an_existing_state_is_said(engine):
    engine.init(quiet)
    (engine.plane.engine / "passphrase").unlink()
    with pytest.raises(EngineError, match=r"passphrase is gone.*corral down"):
        engine.init(quiet)


def test_a_killed_run_is_taken_over_and_a_living_one_is_not(engine):
    engine.init(quiet)
    arguments = ["up", "--yes", "--stack", "dev", "--config-file", str(engine.config_file)]
    with subprocess.Popen(
        ["pulumi", *arguments],
        cwd=engine.project,
        env={**engine.environment, "LINGER": "60"},
        stdout=subprocess.DEVNULL,
        executable=str(toolchain.tool("pulumi")),
    ) as run:
        locks = engine.plane.engine / "state" / ".pulumi" / "locks"
        limit = time.monotonic() + 30
        while not list(locks.rglob("*.json")):
            assert time.monotonic() < limit
            time.sleep(0.05)
        with pytest.raises(EngineError, match=f"another run.*process {run.pid}"):
            engine.up(quiet)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    message = []
    assert engine.up(message.append).code == 0
    assert message[0] == "an earlier run was interrupted: releasing its lock"
    assert json.loads(json.dumps(engine.outputs()))["word"] == "first"


def test_a_missing_pulumi_names_the_command_that_brings_it(engine):
    bare = Engine(
        engine.plane, engine.project, "dev", {**engine.environment, "PATH": str(Path(sys.prefix) / "none")}
    )
    with pytest.raises(EngineError, match="corral setup"):
        bare.preview(quiet)


def test_what_a_run_leaves_where_temporary_files_go_is_gone_with_it(tmp_path):
    program = 'echo key > "$(mktemp)"; ls "$TMPDIR" | wc -l'
    code = follow(
        ["sh", "-c", program],
        cwd=tmp_path,
        environment={"PATH": os.defpath, "TMPDIR": str(tmp_path)},
        log=tmp_path / "log",
        reporter=EventReporter(quiet),
    )
    assert (code, (tmp_path / "log").read_text().strip()) == (0, "1")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
