"""The charts that the embedded platform installs: each container has a row that takes its flags."""

from pathlib import Path

import pytest
import yaml
from tests.commands import helm_template

from corral.components.envoy_gateway.values import envoy_gateway_values
from corral.components.fair_sharing.values import kueue_values, manager_configuration
from corral.components.kyverno.values import kyverno_values
from corral.components.vector_db.pgvector.pod import arguments
from corral.embedded import toolchain
from corral.embedded.node.program_spec import Omitted, ProgramSpec
from corral.embedded.node.programs import find, postgres

KSERVE = {
    "kserve": {
        "controller": {
            "deploymentMode": "Standard",
            "gateway": {"disableIngressCreation": True},
        }
    }
}
KUEUE = kueue_values(
    manager_configuration(["blue"], [], borrowing=True, ready_within_minutes=30),
    replicas=1,
    monitors=True,
    supply={},
)
LISTENED_TO = "/controller_manager_config.yaml"


def containers(chart: str, values: dict) -> list[dict]:
    """Every container of every pod of a chart, hooks included and its tests left out."""
    folder = toolchain.chart(chart)
    assert folder is not None
    namespace = chart.partition("-")[0]
    rendered = helm_template(chart, folder, values, "--kube-version", "1.35.4", namespace=namespace)
    result = []
    for manifest in yaml.load_all(rendered, Loader=yaml.CSafeLoader):
        spec = ((manifest or {}).get("spec") or {}).get("template", {}).get("spec", {})
        result += (
            [*spec.get("initContainers", []), *spec.get("containers", [])] if isinstance(spec, dict) else []
        )
    return result


@pytest.mark.engine
@pytest.mark.parametrize(
    ("chart", "values", "without"),
    [
        ("kserve-resources", KSERVE, set()),
        ("kyverno", kyverno_values("kyverno", replicas=1, supply={}, upgrade_job=False), set()),
        ("kueue", KUEUE, set()),
        ("gateway-helm", envoy_gateway_values(replicas=1, supply={}), set()),
    ],
)
def test_every_container_of_a_chart_has_a_row_that_takes_its_flags(
    container, chart: str, values: dict, without: set[str], tmp_path: Path
):
    listed = containers(chart, values)
    assert listed
    missing = set()
    for stated in listed:
        program = find(stated["image"])
        if isinstance(program, ProgramSpec):
            settings = tmp_path / "configuration"
            settings.write_text(yaml.safe_dump({"kind": "Configuration"}))
            context = container(
                *stated.get("args", []), command=stated.get("command", []), mounts={LISTENED_TO: settings}
            )
            supplied = program.launch(context).argv
            assert not [part for part in supplied if "=:" in part or "0.0.0.0" in part or "127.0.0.1" in part]
        elif not isinstance(program, Omitted):
            missing.add(stated["image"].partition(":")[0].partition("/")[2])
    assert missing == without


def test_the_settings_of_the_vector_database_are_honoured(container):
    context = container(real_paths=False, mounts={"/tls": Path("/a"), "/etc/vector-db": Path("/b")})
    assert postgres.settings(context, arguments(2048)) == [
        "huge_pages=off",
        "ssl=on", "ssl_cert_file=/a/tls.crt", "ssl_key_file=/a/tls.key", "hba_file=/b/pg_hba.conf",
        "shared_buffers=512MB", "maintenance_work_mem=256MB",
    ]  # fmt: skip
