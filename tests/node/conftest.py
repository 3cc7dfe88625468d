"""A node without a plane: the API is a dictionary, the programs are shell scripts."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from corral.embedded.home import PlaneHome
from corral.embedded.kube import ApiError
from corral.embedded.node.attempts import SHIM
from corral.embedded.node.context import NodeContext
from corral.embedded.node.daemon import Node
from corral.embedded.node.pod_files import NodeSettings
from corral.embedded.node.program_spec import Launch, Omitted, ProgramSpec, Refused
from corral.embedded.node.shutdown import end_all
from corral.embedded.node.sources import Sources
from corral.embedded.plane.record import PlaneRecord


def can_mount(folder: Path) -> bool:
    """Whether this user may have a mount namespace here."""
    return subprocess.run([sys.executable, "-I", "-S", str(SHIM), "--try", str(folder)]).returncode == 0


@pytest.fixture(autouse=True)
def private_umask() -> Iterator[None]:
    """The plane starts its daemons so that what they write is the owner's alone."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


class FakeApi:
    """Keeps pods, hands every change back to the node as an informer would."""

    def __init__(self) -> None:
        self.pods: dict[str, dict] = {}
        self.jobs: list[dict] = []
        self.tokens = 0
        self.token_life = 3600
        self.node: Node | None = None
        self.changed = asyncio.Event()
        self.refusals: list[ApiError] = []
        """Answers to the next patches, in place of taking them."""
        self.patches = 0
        self.versions = itertools.count(1)

    async def get(self, path, **_params):
        name = path.split("/")[-1]
        if name not in self.pods:
            raise ApiError(404, "NotFound", name)
        return self.pods[name]

    async def list(self, path, **_params):
        return self.jobs

    async def create(self, path, body):
        assert path.endswith("/token"), path
        self.tokens += 1
        end = datetime.now(UTC) + timedelta(seconds=self.token_life)
        return {"status": {"token": f"token-{self.tokens}", "expirationTimestamp": end.isoformat()}}

    async def patch(self, path, body, **_options):
        name = path.removesuffix("/status").split("/")[-1]
        self.patches += 1
        if self.refusals:
            raise self.refusals.pop(0)
        if name not in self.pods:
            raise ApiError(404, "NotFound", name)
        pod = self.pods[name]
        status = dict(body.get("status") or {})
        conditions = {c["type"]: c for c in pod.get("status", {}).get("conditions", [])}
        conditions |= {c["type"]: c for c in status.pop("conditions", [])}
        merged = {**pod.get("status", {}), **status, "conditions": list(conditions.values())}
        self.pods[name] = {
            **pod,
            "metadata": {**pod["metadata"], "resourceVersion": str(next(self.versions))},
            "status": merged,
        }
        await self.tell(name)
        return self.pods[name]

    async def delete(self, path, body=None):
        name = path.split("/")[-1]
        pod = self.pods.pop(name, None)
        if pod is not None:
            asyncio.get_running_loop().call_soon(
                lambda: setattr(self, "_gone", asyncio.create_task(self.node.on_pod("gone", pod)))
            )
            self._ring()

    async def tell(self, name):
        pod = self.pods[name]
        self._again = asyncio.create_task(self.node.on_pod("set", pod))
        self._ring()

    def _ring(self):
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, true, seconds=20.0):
        async with asyncio.timeout(seconds):
            while not true():
                await self.changed.wait()

    async def add(self, name: str, spec: dict, **metadata) -> str:
        uid = f"uid-{name}"
        version = str(next(self.versions))
        metadata = {"name": name, "namespace": "llm", "uid": uid, "resourceVersion": version, **metadata}
        self.pods[name] = {"metadata": metadata, "spec": {"nodeName": "n0", **spec}}
        await self.tell(name)
        return uid

    async def remove(self, name: str, grace: int):
        self.pods[name]["metadata"] |= {
            "deletionTimestamp": "2026-11-24T00:00:00Z",
            "deletionGracePeriodSeconds": grace,
            "resourceVersion": str(next(self.versions)),
        }
        await self.tell(name)

    def container(self, name: str, kind: str = "containerStatuses") -> dict:
        statuses = self.pods.get(name, {}).get("status", {}).get(kind) or [{"state": {}}]
        return statuses[0]

    def condition(self, name: str, kind: str) -> str | None:
        conditions = self.pods.get(name, {}).get("status", {}).get("conditions", [])
        return next((c["status"] for c in conditions if c["type"] == kind), None)

    def phase(self, name: str) -> str | None:
        return self.pods.get(name, {}).get("status", {}).get("phase")


def shell(context) -> Launch:
    if "--unknown" in context.args:
        raise Refused("flag --unknown is not honoured")
    script = context.args[0].replace("@/", context.path("/mnt/data") + "/")
    return Launch(
        ["/bin/sh", "-c", script], env={"BIND": context.bind, "KUBECONFIG": str(context.kubeconfig)}
    )


PROGRAMS = {
    "test/shell": ProgramSpec("shell", "test/shell", shell, ""),
    "test/skip": Omitted("test/skip", "not needed"),
}


@dataclass
class Lab:
    """One node over a fake API."""

    home: PlaneHome
    api: FakeApi
    node: Node
    context: NodeContext
    secrets: dict = field(default_factory=dict)
    config_maps: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)

    def log(self, name: str, container: str = "main", run: int = 0) -> str:
        return (self.home.pods / f"uid-{name}" / container / f"{run}.log").read_text()

    def pid(self, name: str, run: int = 0) -> int:
        """Of the program in container `main`."""
        record = self.home.pods / f"uid-{name}" / "main" / f"{run}.process.json"
        return json.loads(record.read_text())["pid"]


def make_lab(home: PlaneHome, real_paths: bool, api: FakeApi, **collections) -> Lab:
    record = PlaneRecord("lab", 6443, "127.96.0.0/16", 97, "", "", {})
    secrets, config_maps = collections.get("secrets", {}), collections.get("config_maps", {})
    sources = Sources(
        secrets=secrets,
        config_maps=config_maps,
        claims=collections.get("claims", {}),
        volumes=collections.get("volumes", {}),
        services=collections.get("services", {}),
        resource_claims=collections.get("resource_claims", {}),
    )
    settings = NodeSettings(
        api=api,
        sources=sources,
        server="https://127.0.0.1:6443",
        authority=b"ca",
        real_paths=real_paths,
        short=home.run / "t",
        hidden=(home.root.parent,),
        disks=home.disks,
    )
    context = NodeContext(api, home, record)
    failures: list[BaseException] = []
    node = Node(context, settings, lambda image: PROGRAMS.get(image.partition(":")[0]), failures.append)
    api.node = node
    return Lab(home, api, node, context, secrets, config_maps, failures)


@pytest.fixture
def plane_home(open_folder: Path) -> Iterator[PlaneHome]:
    home = PlaneHome(open_folder / "corral" / "lab")
    for folder in (home.pods, home.run, home.logs):
        folder.mkdir(parents=True)
    yield home
    end_all(home, grace=1)


@pytest.fixture(params=["mounted", "mapped"])
def real_paths(request, open_folder: Path) -> bool:
    """Both ways to give a container its mounts."""
    if request.param == "mapped":
        return False
    place = open_folder / "try"
    place.mkdir()
    if not can_mount(place):
        pytest.skip("this kernel gives this user no mount namespace")
    return True


@pytest.fixture
def lab_test() -> Callable:
    """Run `work(lab)` with a fresh lab; afterwards the pods' processes are left as the node leaves them."""

    def run(home: PlaneHome, real_paths: bool, work, **collections):
        async def main():
            lab = make_lab(home, real_paths, FakeApi(), **collections)
            try:
                return await work(lab)
            finally:
                await lab.node.detach()
                assert not lab.failures, lab.failures

        return asyncio.run(asyncio.wait_for(main(), 60))

    return run
