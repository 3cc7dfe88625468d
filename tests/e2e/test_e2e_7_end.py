"""Nothing is left: of the stack after a destroy, of the plane after `down`."""

from pathlib import Path

import pytest
from platform_client import UP_SECONDS, Platform, in_use, ports_of

from corral.embedded.plane.record import PlaneRecord

pytestmark = pytest.mark.engine

HOOKS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"


def test_a_destroy_leaves_no_webhook_and_no_policy(platform):
    assert platform.items(HOOKS)
    config = platform.plane.engine / "Pulumi.dev.yaml"
    done = platform.pulumi(
        "destroy", "--yes", "--skip-preview", "--config-file", str(config), seconds=UP_SECONDS
    )
    assert done.code == 0, done.output[-3000:]
    assert [one["metadata"]["name"] for one in platform.items(HOOKS)] == []
    policies = platform.items("validatingadmissionpolicies,validatingadmissionpolicybindings")
    assert [one["metadata"]["name"] for one in policies if one["metadata"]["name"].startswith("sov-")] == []
    assert platform.try_kubectl("create", "configmap", "tried", "-n", "default", "--dry-run=server").code == 0
    types = {one["metadata"]["name"] for one in platform.items("customresourcedefinitions")}
    kept = {name for name in types if name.endswith("cert-manager.io")}
    assert types - kept == {"clusterpolicies.nvidia.com"}, "Helm never deletes what lies in a chart's crds/"


def test_down_leaves_no_process_port_mount_socket_or_folder(platform: Platform):
    ports, record = ports_of(platform), PlaneRecord.load(platform.plane)
    assert record.api_port in ports
    done = platform.corral("down", seconds=120)
    assert done.code == 0, done.output
    assert [one.command[:120] for one in platform.processes()] == []
    assert ports & in_use() == set()
    assert str(platform.root) not in Path("/proc/self/mountinfo").read_text()
    assert not record.egress.exists()
    assert str(platform.root) not in Path("/proc/net/unix").read_text()
    assert not platform.plane.root.exists()
    assert platform.corral("down").code == 0
