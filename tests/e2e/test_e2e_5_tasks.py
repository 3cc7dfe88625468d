"""Commands of docs/tasks.md on the platform that is up; names of the stack in place of the page's.

Other commands of the page run elsewhere: those that need neither engine nor cluster in
tests/docs_pages/test_tasks_run.py, the rotation of a secret in test_e2e_3_secrets.py, drift in
test_e2e_6_recovery.py.
"""

import base64
import json
import subprocess
import sys

import pytest
from platform_client import Platform
from tests.docs_pages.tasks_page import block, line

pytestmark = pytest.mark.engine

SECONDS = 120


def run(platform: Platform, title: str, start: str, more: str = "", **names: str) -> str:
    """What the one command of a task prints that begins so; `names` stand in place of the page's."""
    text = line(title, start).replace("-s mine", "-s dev") + more
    for page, stack in names.items():
        assert page in text
        text = text.replace(page, stack)
    done = platform.shell(text, seconds=SECONDS)
    assert done.code == 0, f"{text}\n{done.output[-3000:]}"
    return done.out


def test_call_a_model_from_an_application(platform):
    endpoints = run(platform, "Call a model from an application", "pulumi stack output")
    assert "//smollm2-predictor.assistants" in json.loads(endpoints)["smollm2"]
    assert run(platform, "Call a model from an application", "corral chat").strip()


def test_an_application_calls_a_model_by_openai_s_client(platform):
    pytest.importorskip("openai", reason="OpenAI's client is not installed: pip install openai")
    address = platform.read("service", "smollm2-predictor", "-n", "assistants")["spec"]["clusterIP"]
    text = block("Call a model from an application", "python")
    names = {"assistant-predictor.models.svc.cluster.local": address, '"assistant"': '"smollm2"'}
    for page, own in names.items():
        assert page in text
        text = text.replace(page, own)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip()


def test_see_dashboards(platform, tmp_path):
    password = run(platform, "See dashboards", "kubectl get secret")
    assert (
        base64.b64decode(password).decode()
        == platform.secret("monitoring", "grafana-admin")["admin-password"]
    )
    file = tmp_path / "dashboards.html"
    assert " dashboards, " in run(platform, "See dashboards", "corral dashboards", f" --html={file}")
    assert "Model smollm2 (assistants)" in file.read_text()


def test_give_a_team_access(platform):
    run(platform, "Give a team access", "kubectl create rolebinding", research="developers")
    try:
        asked = "kubectl auth can-i create pods --as=jane --as-group={} -n {}"
        assert platform.shell(asked.format("developers", "developers")).out.strip() == "yes"
        assert platform.shell(asked.format("developers", "assistants")).out.strip() == "no"
        assert platform.shell(asked.format("others", "developers")).out.strip() == "no"
    finally:
        platform.kubectl("delete", "rolebinding", "developers-edit", "-n", "developers")


def test_see_what_would_change(platform):
    run(platform, "See what would change, and what somebody changed by hand", "corral diff")


def test_back_up_the_state_and_secrets_stay_encrypted_in_it(platform, tmp_path):
    file = tmp_path / "mine.json"
    run(platform, "Back up", "pulumi stack export", **{"mine.json": str(file)})
    text = file.read_text()
    assert len(json.loads(text)["deployment"]["resources"]) > 100
    assert platform.secret("vector-db", "vector-db-credential")["password"] not in text
