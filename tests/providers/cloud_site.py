"""Somebody who has cloned the checkout, and a cloud that a committed stack comes up in, simulated.

Changed in the stack are the models, whose weights are not to be had here: SmolLM2 from the same intake in
their place; and a budget, for a second node. Charts come from a folder, and digests are made up, since
there is no registry.
"""

import datetime
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from tests.commands import answer_of, kubectl_done
from tests.door import site as sites
from tests.door.newcomer import Newcomer, newcomer_in
from tests.measured import Peer

from corral.catalogue import lock
from corral.catalogue.digests import Locked
from corral.catalogue.models import models
from corral.controls.exceptions import today
from corral.embedded import toolchain
from corral.embedded.home import PlaneHome
from corral.embedded.plane.charts import link, names
from corral.stacks.config.model_lock import LockedModel, lock_text

CHECKOUT = Path(__file__).resolve().parents[2]
SMOLLM2 = models()["smollm2-135m"]
FILE = SMOLLM2.files[0].name
SECRETS = {
    "corral:grafana-password": "grafana-password",
    "corral:vector-db-api-key": "vector-db-api-key",
}
"""All that a stack needs whose store and intake are entered without keys."""
POLICIES = ("--policy-pack", "policy")
UP = ("pulumi", "up", "--yes", "--non-interactive", "--skip-preview", *POLICIES)
APPROVED_DAYS = 7
"""For which the end of the stack is approved."""
SECONDS = 900


@dataclass
class CloudSite:
    """Somebody who has cloned the checkout, and the cloud that the stack is for."""

    newcomer: Newcomer
    provider: Any
    """The test provider of the cloud."""
    plane: PlaneHome
    stack: str
    source: str
    """URI of the folder of the intake that has the model."""
    seconds: float = field(default=0, init=False)
    """Of the last command."""

    def run(self, *command):
        self.provider.calls.clear()
        begun = time.monotonic()
        done = self.newcomer.run(*command, "-s", self.stack, seconds=SECONDS)
        self.seconds = time.monotonic() - begun
        return done

    def done(self, *command):
        finished = self.run(*command)
        assert finished.returncode == 0, f"{command}: {finished.returncode}\n{finished.stdout[-20000:]}"
        return finished.stdout

    def kubectl(self, *arguments, stdin=""):
        return kubectl_done(self.plane.kubeconfig, *arguments, stdin=stdin)

    def items(self, kind, *arguments):
        return json.loads(self.kubectl("get", kind, *arguments, "-o", "json"))["items"]

    def answer(self):
        return answer_of(self.kubectl, "assistants", "chat")

    @cached_property
    def peer(self):
        """Helm and kubectl on the cluster."""
        return Peer(self.newcomer, self.stack, self.plane.kubeconfig)

    def adapt(self, platform):
        """Further changes of the stack file, in place."""

    def write_stack(self, nodes, *, protected=True, approved=False, pools=()):
        """The committed stack with its changes, and so many GPU nodes; `approved`: it may be unprotected.

        `pools`: further ones, as a stack file has them.
        """
        path = self.newcomer.checkout / f"Pulumi.{self.stack}.yaml"
        content = yaml.safe_load((CHECKOUT / path.name).read_text())
        kept = yaml.safe_load(path.read_text())
        platform = content["config"]["corral:platform"]
        platform["models"] = [
            {
                "name": "chat",
                "model": "smollm2-135m",
                "source": self.source,
                "context": 2048,
                "max-num-seqs": 2,
            }
        ]
        platform["gpu-pools"][0]["nodes"] = {"min": nodes, "max": nodes}
        platform["gpu-pools"] += pools
        if "budget" in platform:
            platform["budget"] = {"monthly": 60000}
        self.adapt(platform)
        if not protected:
            platform["cluster"]["deletion-protection"] = False
        if approved:
            platform["sovereignty"]["exceptions"] = [
                {
                    "control": "SOV-OPS-06",
                    "reason": "the platform is moved to another account",
                    "approver": "jane.doe@example.eu",
                    "expires": str(today() + datetime.timedelta(days=APPROVED_DAYS)),
                }
            ]
        kept["config"] = {**kept["config"], "corral:platform": platform}
        path.write_text(yaml.safe_dump(kept, sort_keys=False))

    def state(self):
        return json.loads(self.done("pulumi", "stack", "export"))["deployment"].get("resources", [])


def locked(site: CloudSite, registry: str, weights: bytes) -> None:
    """Locks as `corral lock` and `corral lock --models` write them, with digests that no registry gave."""
    today = datetime.date(2026, 11, 27)
    made_up = {
        reference: Locked(digest=f"sha256:{hashlib.sha256(reference.encode()).hexdigest()}", date=today)
        for reference in lock.references(registry)
    }
    (site.newcomer.checkout / "catalogue" / "digests.yaml").write_text(lock.text(made_up))
    content = {
        "source": site.source,
        "date": today,
        "files": [{"name": FILE, "size": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}],
    }
    (site.newcomer.checkout / f"models.{site.stack}.lock.yaml").write_text(
        lock_text({"chat": LockedModel.model_validate(content)})
    )


def newcomer_of(folder: Path, machines: dict[str, Any] | None = None) -> tuple[Newcomer, PlaneHome, Path]:
    """A newcomer in `folder`, the plane that a cluster will be, and its inventory without machines.

    `machines`: GPU products beside those of the inventory.
    """
    newcomer = newcomer_in(folder)
    plane = PlaneHome(newcomer.home / ".cache" / "corral" / "cloud")
    inventory = newcomer.checkout / "embedded" / "hardware" / "inventory.yaml"
    content = yaml.safe_load(inventory.read_text())
    products = {**content["products"], **(machines or {})}
    changed = {**content, "products": products, "machines": []}
    inventory.write_text(yaml.safe_dump(changed, sort_keys=False))
    return newcomer, plane, inventory


def weights_of_smollm2() -> bytes:
    """The model's file, out of its package."""
    return sites.packaged(SMOLLM2.package_source, FILE)


def with_cloud(newcomer: Newcomer, folder: Path, command: str, name: str, **variables: str) -> Newcomer:
    """The newcomer with a command of the cloud on PATH, called `name`, and a provider at hand."""
    programs = folder / "programs"
    programs.mkdir()
    shutil.copy(command, programs / name)
    (programs / name).chmod(0o755)
    path = [str(programs), newcomer.environment["PATH"]]
    more = {"PATH": os.pathsep.join(path), **variables}
    return replace(newcomer, environment={**newcomer.environment, **more})


def begin(
    site: CloudSite,
    folder: Path,
    registry: str,
    weights: bytes,
    secrets: Mapping[str, str] = SECRETS,
    stand_ins: Path | None = None,
) -> None:
    """Stack file, locks, secrets and charts, before the first preview.

    `stand_ins`: a folder with charts that nobody here has.
    """
    charts = folder / "charts"
    link(charts, names(), toolchain.chart)
    for chart in () if stand_ins is None else stand_ins.iterdir():
        (charts / chart.name).symlink_to(chart)
    site.write_stack(nodes=1)
    locked(site, registry, weights)
    site.newcomer.stack(site.stack, secrets)
    site.newcomer.done("pulumi", "config", "set", "corral:charts", str(charts), "-s", site.stack)
