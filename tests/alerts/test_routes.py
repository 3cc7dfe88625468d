"""Who an alert reaches by the configuration that Alertmanager gets, judged by Alertmanager's own amtool."""

import json

import pytest
from tests.alerts.programs import needs, run

from corral.catalogue.vocabulary import AlertReceiver
from corral.components.observability.alerts import NO_RECEIVER, alertmanager_config

pytestmark = needs("amtool")
FILE = "alertmanager.yaml"
ADDRESS = "https://alerts.example.eu/hook"


def routed(folder, receiver: AlertReceiver, **labels: str) -> str:
    """Receiver of an alert with these labels."""
    (folder / FILE).write_text(alertmanager_config(receiver, ADDRESS))
    stated = [f"{key}={value}" for key, value in labels.items()]
    done = run("amtool", folder, "config", "routes", "test", f"--config.file={FILE}", *stated)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()[-1]


def checked(folder, text: str) -> int:
    (folder / FILE).write_text(text)
    return run("amtool", folder, "check-config", FILE).returncode


@pytest.mark.parametrize("receiver", AlertReceiver)
def test_alertmanager_takes_the_configuration_and_no_other_field(tmp_path, receiver):
    text = alertmanager_config(receiver, ADDRESS)
    assert checked(tmp_path, text) == 0
    wrong = json.loads(text)
    wrong["receivers"][1][f"{receiver.value}_configs"][0]["address"] = ADDRESS
    assert checked(tmp_path, json.dumps(wrong)) != 0


@pytest.mark.parametrize("receiver", AlertReceiver)
@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_an_alert_of_any_severity_reaches_the_receiver_that_the_stack_names(tmp_path, receiver, severity):
    found = routed(tmp_path, receiver, alertname="GpuXidError", namespace="gpu-operator", severity=severity)
    assert found == receiver.value


@pytest.mark.parametrize("alert", ["Watchdog", "InfoInhibitor"])
def test_what_only_says_that_alerting_works_reaches_nobody(tmp_path, alert):
    assert routed(tmp_path, AlertReceiver.SLACK, alertname=alert, severity="none") == NO_RECEIVER
    assert routed(tmp_path, AlertReceiver.SLACK, alertname=f"{alert}s", severity="none") != NO_RECEIVER
