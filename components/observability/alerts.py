"""Alertmanager's configuration: everything to one receiver, but what is no alert."""

import json
from typing import Any

from corral.catalogue.vocabulary import AlertReceiver

ALERTS_SECRET = "alertmanager-receiver"
"""Secret with the configuration, in the operator's key."""
NO_RECEIVER = "nobody"
UNSENT = 'alertname =~ "Watchdog|InfoInhibitor"'
"""Alerts of the chart that say that alerting works, or that quieten others."""


def alertmanager_config(receiver: AlertReceiver, url: str) -> str:
    """The file `alertmanager.yaml`, as JSON, which is YAML."""
    sent: dict[AlertReceiver, dict[str, Any]] = {
        AlertReceiver.WEBHOOK: {"webhook_configs": [{"url": url, "send_resolved": True}]},
        AlertReceiver.SLACK: {"slack_configs": [{"api_url": url, "send_resolved": True}]},
    }
    name = receiver.value
    return json.dumps(
        {
            "route": {
                "receiver": name,
                "group_by": ["namespace", "alertname"],
                "routes": [{"receiver": NO_RECEIVER, "matchers": [UNSENT]}],
            },
            "receivers": [{"name": NO_RECEIVER}, {"name": name, **sent[receiver]}],
        }
    )
