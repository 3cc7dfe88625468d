"""CI recipes of users: credentials by OIDC alone, pinned actions, and shell steps that run.

`pulumi`, `corral`, `gh`, `python` and `helm` in here are stubs: they print what they are called with.
"""

import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "corral.yml").read_text())
JOB = WORKFLOW["jobs"]["corral"]
STEPS = {step["name"]: step for step in JOB["steps"] if "run" in step}
INPUTS, TEMPLATE = yaml.safe_load_all((ROOT / "ci" / "gitlab.yml").read_text())
STUB = """#!/bin/sh
echo "{name} $*" >> "$CALLS"
case "{name} $*" in
  "python -m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "python -c"*) echo /packs/corral ;;
  "pulumi"*) echo "{name} says $1"; exit "${{CODE:-0}}" ;;
  "corral"*plan*) echo "the plan" ;;
  "corral"*drift*) echo "what differs"; exit "${{CODE:-0}}" ;;
  "gh"*) cat "$RUNNER_TEMP/comment.md" >> "$CALLS" ;;
esac
"""


class Shell:
    """Runs steps as the runner does, with stubs of the programs in front."""

    def __init__(self, folder: Path):
        self.folder, self.programs = folder, folder / "stubs"
        self.programs.mkdir()
        for name in ("pulumi", "corral", "gh", "python", "python3", "helm"):
            stub = self.programs / name
            stub.write_text(STUB.format(name=name))
            stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
        self.calls = folder / "calls"

    def run(self, script: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        written = self.folder / "environment"
        kept = (
            dict(line.split("=", 1) for line in written.read_text().splitlines()) if written.exists() else {}
        )
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "CALLS": str(self.calls),
            "CODE": str(code),
            "STACK": "eks-eu",
            "REQUIREMENT": "corral[aws]==0.1.0",
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_PATH": str(self.folder / "path"),
            "GITHUB_ENV": str(written),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": "acme/platform",
            "CI_PROJECT_DIR": str(self.folder),
            "AWS_ID_TOKEN": "a-token",
        }
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**environment, **kept, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def called(self) -> str:
        return self.calls.read_text() if self.calls.exists() else ""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_actions_are_pinned_by_commit():
    used = [step["uses"] for step in JOB["steps"] if "uses" in step]
    assert len(used) == 5
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used), used


def test_credentials_come_by_oidc_alone():
    trigger = WORKFLOW[True]["workflow_call"]
    assert "secrets" not in trigger and WORKFLOW["permissions"] == {}
    assert JOB["permissions"]["id-token"] == "write"
    text = (ROOT / ".github" / "workflows" / "corral.yml").read_text()
    assert not re.search(r"secrets\.|SECRET_ACCESS_KEY|PASSPHRASE", text)
    assert TEMPLATE[".corral"]["id_tokens"] == {"AWS_ID_TOKEN": {"aud": "$[[ inputs.audience ]]"}}
    assert not re.search(r"SECRET_ACCESS_KEY|PASSPHRASE", (ROOT / "ci" / "gitlab.yml").read_text())


def test_no_expression_of_a_caller_is_pasted_into_a_shell():
    assert all("${{" not in step["run"] for step in STEPS.values())


@pytest.mark.parametrize(("code", "word"), [(0, "preview passes"), (1, "preview FAILS")])
def test_plan_and_preview_become_a_comment_and_the_outcome_is_that_of_the_preview(shell, code, word):
    for name in ("Install", "Plan", "Preview", "Comment"):
        done = shell.run(STEPS[name]["run"], code, NUMBER="7", GH_TOKEN="t")
        assert done.returncode == 0, name + done.stdout + done.stderr
    assert "pulumi preview --stack eks-eu --policy-pack /packs/corral --non-interactive" in shell.called
    assert "gh pr comment 7 --repo acme/platform --edit-last --create-if-none" in shell.called
    assert word in shell.called and "the plan" in shell.called and "pulumi says preview" in shell.called
    assert shell.run(STEPS["Outcome"]["run"]).returncode == code


def test_a_stack_file_that_is_wrong_ends_the_job_before_the_preview(shell):
    broken = STEPS["Plan"]["run"].replace('corral --stack "$STACK" lint', "false")
    assert shell.run(broken).returncode != 0


@pytest.mark.parametrize("code", [0, 1, 3])
def test_drift_is_an_error_of_the_job_and_changes_nothing(shell, code):
    for script in (STEPS["Drift"]["run"], *TEMPLATE["corral-drift"]["script"]):
        assert shell.run(script, code).returncode == code
    for line in shell.called.splitlines():
        assert line == "corral --stack eks-eu drift"


def test_a_runner_without_helm_is_told_so(shell):
    (shell.programs / "helm").unlink()
    done = shell.run(STEPS["Install"]["run"])
    assert done.returncode == 1 and "helm is not on PATH" in done.stdout
    (before,) = TEMPLATE[".corral"]["before_script"]
    done = shell.run(before)
    assert done.returncode == 1 and "helm is not on PATH" in done.stderr


def test_gitlab_s_token_is_a_file_outside_the_project_and_is_never_printed(shell, tmp_path):
    (before,) = TEMPLATE[".corral"]["before_script"]
    show = '\nprintf "%s" "$AWS_WEB_IDENTITY_TOKEN_FILE"'
    done = shell.run(before + show)
    assert done.returncode == 0, done.stderr
    file = Path(done.stdout.splitlines()[-1])
    try:
        assert file.read_text() == "a-token" and not file.is_relative_to(tmp_path)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and "a-token" not in done.stdout
    finally:
        file.unlink()


@pytest.mark.parametrize("code", [0, 1])
def test_gitlab_s_preview_keeps_plan_and_preview_and_fails_with_it(shell, code):
    first, second = TEMPLATE["corral-preview"]["script"]
    assert shell.run(first).returncode == 0
    assert shell.run(second, code).returncode == code
    for kept in TEMPLATE["corral-preview"]["artifacts"]["paths"]:
        assert (shell.folder / kept).read_text()
    assert TEMPLATE["corral-preview"]["artifacts"]["when"] == "always"


def test_every_input_of_the_template_is_used_and_there_is_no_other():
    used = set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", (ROOT / "ci" / "gitlab.yml").read_text()))
    assert used == set(INPUTS["spec"]["inputs"])
