"""What the gateway adds to a call: the same calls of one model, with and without it, in turn."""

import json
import shutil
import ssl
import statistics
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench.figures import Figure
from bench.processes import CORRAL, ROOT, pss, run
from corral.catalogue.addons import descriptor
from corral.catalogue.gateway import PROXY, TLS_SECRET, keys_secret, model_path
from corral.catalogue.vocabulary import Addon
from corral.embedded.home import Home
from corral.embedded.node.endpoints import bind_address

HOST, PORT = "models.example.eu", 8443
MODEL, TENANT, KEY = "smollm2", "bench", "sk-bench-0123456789"
STACK: dict[str, Any] = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "gateway": {"host": HOST, "port": PORT, "requests-per-minute": 10_000_000},
    "tenants": [{"name": TENANT}],
    "gpu-pools": [
        {
            "name": "slices",
            "gpu": "A100-40GB",
            "nodes": {"names": ["slices-0"]},
            "gpus-per-node": 4,
            "sharing": {"mig": "all-1g.5gb"},
        }
    ],
    "models": [
        {"name": MODEL, "model": "smollm2-135m", "tenant": TENANT, "context": 2048, "max-num-seqs": 2}
    ],
    "model-storage": {"size": "5Gi"},
    "addons": {"kyverno": "off"},
}
SPACE = descriptor(Addon.ENVOY_GATEWAY).namespace
CALLS = 1000
THREADS, SECONDS = 8, 5.0
KEY_SECONDS = 30.0

Call = Callable[[], None]


class Platform:
    """A platform with a gateway, in folders of its own."""

    def __init__(self, root: Path, stack: Mapping[str, Any]) -> None:
        self._checkout = root / "checkout"
        self._environment = {
            "CORRAL_HOME": str(root / "home"),
            "CORRAL_TOOLCHAIN": str(Home.find().toolchain),
        }
        self.plane = Home(root / "home").plane("dev")
        self._checkout.mkdir()
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, self._checkout)
        shutil.copytree(ROOT / "policy", self._checkout / "policy")
        self._write(stack)

    def _write(self, stack: Mapping[str, Any]) -> None:
        content = {"config": {"corral:platform": stack}}
        (self._checkout / "Pulumi.dev.yaml").write_text(yaml.safe_dump(content))

    def become(self, stack: Mapping[str, Any]) -> None:
        """`corral up` of another stack."""
        self._write(stack)
        self.corral("up")

    def corral(self, *arguments: str) -> str:
        return run([*CORRAL, *arguments], self._environment, folder=self._checkout).out

    def read(self, *arguments: str) -> Any:
        return json.loads(self.corral("kubectl", "get", *arguments, "-o", "json"))

    def pods(self, namespace: str, prefix: str) -> list[Any]:
        """The running pods whose names start with `prefix`."""
        pods = self.read("pods", "-n", namespace, "--field-selector=status.phase=Running")["items"]
        return [one for one in pods if one["metadata"]["name"].startswith(prefix)]

    def pod(self, namespace: str, prefix: str) -> tuple[str, str]:
        """Address and UID of the running pod whose name starts with `prefix`."""
        (pod,) = self.pods(namespace, prefix)
        return bind_address(pod["status"]["podIP"]), pod["metadata"]["uid"]

    def process(self, uid: str, container: str) -> int:
        """The process that a container of a pod is now."""
        records = (self.plane.pods / uid / container).glob("*.process.json")
        return int(json.loads(max(records, key=lambda one: int(one.name.split(".")[0])).read_text())["pid"])

    def memory(self, namespace: str, prefix: str) -> float:
        """MiB of the processes of a pod."""
        _, uid = self.pod(namespace, prefix)
        records = [json.loads(path.read_text()) for path in (self.plane.pods / uid).glob("*/*.process.json")]
        return sum(pss(record["pid"]) for record in records)

    def known(self) -> None:
        """Make a key for `KEY`."""
        patch = json.dumps({"stringData": {"bench": KEY}})
        self.corral("kubectl", "patch", "secret", keys_secret(TENANT), "-n", SPACE, "-p", patch)


@contextmanager
def platform(stack: Mapping[str, Any] = STACK) -> Generator[Platform]:
    """A platform from nothing, and nothing of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="corral-gw-"))
    opened = Platform(folder, stack)
    try:
        yield opened
    finally:
        opened.corral("down", "--yes")
        shutil.rmtree(folder, ignore_errors=True)


def gateway() -> Iterator[Figure]:
    """Latency and throughput of calls with and without the gateway, and the memory of its programs."""
    with platform() as own:
        own.corral("up")
        own.known()
        direct, through = _clients(own)
        with closing(direct), closing(through):
            yield from _compared(
                lambda: _called(direct, "/v1/models"), lambda: _called(through, f"{_path()}/models")
            )
        for label, prefix in (
            ("a proxy, with its shutdown manager", PROXY),
            ("the controller", "envoy-gateway"),
        ):
            yield Figure(f"memory of {label}", own.memory(SPACE, prefix), "MiB")


def _path() -> str:
    return model_path(TENANT, MODEL)


def _clients(own: Platform) -> tuple[httpx.Client, httpx.Client]:
    """One to the model's own server, one to the proxy before it, which knows the key by then."""
    model, _ = own.pod(TENANT, f"{MODEL}-predictor")
    proxy, _ = own.pod(SPACE, PROXY)
    authority = b64decode(own.read("secret", TLS_SECRET, "-n", SPACE)["data"]["ca.crt"]).decode()
    limits = httpx.Limits(max_connections=THREADS, max_keepalive_connections=THREADS)
    direct = httpx.Client(base_url=f"http://{model}:8080", trust_env=False, limits=limits, timeout=60)
    through = httpx.Client(
        base_url=f"https://{proxy}:{PORT}",
        headers={"Host": HOST, "Authorization": f"Bearer {KEY}"},
        verify=ssl.create_default_context(cadata=authority),
        trust_env=False,
        limits=limits,
        timeout=60,
    )
    until = time.monotonic() + KEY_SECONDS
    while _get(through, f"{_path()}/models").status_code != 200 and time.monotonic() < until:
        time.sleep(0.2)
    return direct, through


def _get(client: httpx.Client, path: str) -> httpx.Response:
    return client.get(path, extensions={"sni_hostname": HOST})


def _called(client: httpx.Client, path: str) -> None:
    _get(client, path).raise_for_status()


def _compared(direct: Call, through: Call) -> Iterator[Figure]:
    taken: dict[Call, list[float]] = {direct: [], through: []}
    for number in range(CALLS):
        for call in (direct, through) if number % 2 else (through, direct):
            begun = time.monotonic()
            call()
            taken[call].append((time.monotonic() - begun) * 1000)
    for name, percent in (("p50", 50), ("p99", 99)):
        plain, passed = (statistics.quantiles(taken[call], n=100)[percent - 1] for call in (direct, through))
        yield Figure(f"a call through the gateway, {name}", passed, "ms", "the model alone", plain)
    plain, passed = _rate(direct), _rate(through)
    yield Figure(f"calls through the gateway, {THREADS} clients", passed, "/s", "the model alone", plain)


def _rate(call: Call) -> float:
    """Calls a second by several clients at once."""
    until = time.monotonic() + SECONDS
    counts = [0] * THREADS

    def calling(number: int) -> None:
        while time.monotonic() < until:
            call()
            counts[number] += 1

    threads = [threading.Thread(target=calling, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS
