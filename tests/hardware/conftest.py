import asyncio
import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "network_conftest", Path(__file__).parent.parent / "network" / "conftest.py"
)
network = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(network)
play = network.play


async def run_daemons(cluster):
    """Pods of DaemonSets, as their controller has them: one a matching node, new with a new template."""
    pods = "/api/v1/pods"
    while True:
        requested = {}
        for daemon in cluster.all("/apis/apps/v1/daemonsets"):
            meta, template = daemon["metadata"], daemon["spec"]["template"]
            for node in cluster.all("/api/v1/nodes"):
                if template["spec"].get("nodeSelector", {}).items() <= node["metadata"]["labels"].items():
                    name = f"{meta['name']}-{node['metadata']['name']}"
                    requested[meta["namespace"], name] = (node["metadata"]["name"], template)
        owned = [pod for pod in cluster.all(pods) if pod["metadata"].get("ownerReferences")]
        for pod in owned:
            key = pod["metadata"]["namespace"], pod["metadata"]["name"]
            if key not in requested or pod["template"] != requested[key][1]:
                cluster.remove(pods, *key)
        for (namespace, name), (node, template) in requested.items():
            if cluster.get(pods, namespace, name) is None:
                owner = {"kind": "DaemonSet", "name": name, "controller": True}
                labels = template["metadata"]["labels"]
                cluster.put(
                    pods,
                    {
                        "metadata": {
                            "name": name, "namespace": namespace, "labels": labels, "ownerReferences": [owner]
                        },
                        "spec": {**template["spec"], "nodeName": node},
                        "status": {"phase": "Running"},
                        "template": template,
                    },
                )  # fmt: skip
        await asyncio.sleep(0.01)


@pytest.fixture
def inventory():
    from corral.embedded.hardware import inventory

    return inventory.read(Path(inventory.__file__).with_name("inventory.yaml"))


@pytest.fixture
def drive(play, inventory, tmp_path):
    """Run a scene beside the driver; the machines' nodes exist when it begins."""

    from corral.embedded.hardware.driver import Driver

    def start(scene):
        async def ready(cluster):
            await cluster.until(lambda: len(cluster.all("/api/v1/nodes")) == 3)
            controller = asyncio.create_task(run_daemons(cluster))
            try:
                return await scene(cluster)
            finally:
                controller.cancel()

        return play(lambda api: Driver(api, inventory, tmp_path / "hardware.json").run(), ready)

    return start
