"""KServe's charts of the release before, and those of the catalogue again, under a model that is called.

The plane has one controller, that of the catalogue: what changes is charts, resource types, and the
controller's configuration. It comes before the tests of the canary, whose model is another.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform

from corral.catalogue.charts import chart
from corral.embedded import toolchain
from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.chartfiles import CopiedChart
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.setup import find_go

pytestmark = pytest.mark.engine

FORMER = ModulePin("github.com/kserve/kserve", "v0.19.0", "h1:8Pbdm9Ekn1JEuHrobqJhZI4uRHyf5bk1ofb5+3kEI14=")
CHARTS = ("kserve-crd-minimal", "kserve-resources")
GROUP = ".serving.kserve.io"


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with KServe's charts of the release before."""
    folder = tmp_path_factory.mktemp("former")
    builder = Builder(folder / "builder", find_go, lambda _line: None)
    try:
        source = builder.module(FORMER)
    except ToolchainError as error:
        pytest.skip(f"KServe {FORMER.version} cannot be had here: {error}")
    for name in CHARTS:
        CopiedChart(name, FORMER, f"charts/{name}").make({FORMER: source}, folder / name)
    return folder


class Steady:
    """A caller of the model's Service that never stops asking; what each call came to."""

    def __init__(self, platform: Platform) -> None:
        address = platform.read("service", "smollm2-predictor", "-n", "red")["spec"]["clusterIP"]
        self._url = f"http://{address}/v1/chat/completions"
        self._ended = threading.Event()
        self.calls: list[str] = []

    def _ask(self) -> None:
        body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        with httpx.Client(trust_env=False, timeout=60) as client:
            while not self._ended.wait(0.3):
                try:
                    self.calls.append(str(client.post(self._url, json=body).status_code))
                except httpx.HTTPError as error:
                    self.calls.append(repr(error))

    @contextmanager
    def calling(self) -> Iterator["Steady"]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()


def swap(platform: Platform, source: Path | None) -> None:
    """Have the plane's charts of KServe come from `source`; None: from the toolchain, as they did."""
    for name in CHARTS:
        place = platform.plane.root / "charts" / name
        real = toolchain.chart(name)
        assert real is not None
        place.unlink()
        place.symlink_to(real if source is None else source / name, target_is_directory=True)


def up(platform: Platform) -> None:
    """Plain Pulumi, as anybody runs it after another version of the program."""
    file = platform.plane.engine / "Pulumi.dev.yaml"
    options = ("--yes", "--skip-preview", "--config-file", str(file), "--policy-pack", "policy")
    done = platform.pulumi("up", *options, seconds=platform_client.UP_SECONDS)
    assert done.code == 0, done.output[-4000:]


def releases(platform: Platform) -> dict[str, str]:
    """Version of KServe's charts as the objects of the releases name it."""
    secrets = platform.items("secrets", "-n", "kserve", "-l", "owner=helm,status=deployed")
    assert {one["metadata"]["labels"]["name"] for one in secrets} == set(CHARTS)
    config = platform.read("configmap", "inferenceservice-config", "-n", "kserve")
    return {
        "revision": ",".join(sorted(one["metadata"]["labels"]["version"] for one in secrets)),
        "native-images": str("ociModelMode" in json.dumps(config["data"])),
    }


def stored(platform: Platform) -> dict[str, Any]:
    """What must not change: identities of types, of objects of these types with their specs, and of pods."""
    types = [one for one in platform.items("crds") if one["metadata"]["name"].endswith(GROUP)]
    objects = [
        one
        for kind in ("inferenceservices", "clusterservingruntimes")
        for one in platform.items(kind, *(("-A",) if kind == "inferenceservices" else ()))
    ]
    assert len(types) >= 5 and len(objects) >= 3
    return {
        "types": {one["metadata"]["name"]: one["metadata"]["uid"] for one in types},
        "versions": {one["metadata"]["name"]: one["status"]["storedVersions"] for one in types},
        "owners": {
            one["metadata"]["name"]: one["metadata"]["annotations"]["meta.helm.sh/release-name"]
            for one in types
        },
        "objects": {
            one["metadata"]["name"]: (one["metadata"]["uid"], json.dumps(one["spec"], sort_keys=True))
            for one in objects
        },
        "pods": [one["metadata"]["uid"] for one in platform.model_pods()],
    }


def test_an_upgrade_of_kserve_keeps_what_is_stored_and_a_model_answers_through_it(platform, former):
    before, newer = stored(platform), releases(platform)
    assert set(before["owners"].values()) == {"kserve-crd-minimal"}, "one chart owns every type"
    with Steady(platform).calling() as steady:
        swap(platform, former)
        up(platform)
        older = releases(platform)
        kept = stored(platform)
        swap(platform, None)
        up(platform)
        again = releases(platform)
    assert older["native-images"] == "False" and newer["native-images"] == "True", (older, newer)
    assert again["native-images"] == "True", "the newer chart is in force again"
    assert len({one["revision"] for one in (newer, older, again)}) == 3, "each of them was an upgrade"
    assert kept == before and stored(platform) == before
    assert len(steady.calls) > 10 and set(steady.calls) == {"200"}, steady.calls


def test_the_gateways_types_have_one_owner_and_none_of_inference_pools_is_there(platform):
    owners: dict[str, set[str]] = {}
    for one in platform.items("crds"):
        group = one["spec"]["group"]
        release = one["metadata"].get("annotations", {}).get("meta.helm.sh/release-name", "nobody")
        owners.setdefault(group, set()).add(release)
    assert owners["gateway.networking.k8s.io"] == {chart("gateway-crds-helm").name}
    assert not [group for group in owners if group.startswith("inference.networking")]
