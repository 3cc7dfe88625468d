"""Somebody else's cluster with a workload of theirs, and a program that installs the policies on it."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.commands import kubectl, kubectl_done
from tests.door.newcomer import Newcomer, newcomer_in
from tests.doubles.mirror import Mirror, serving

from corral.controls.supply.image_policies import BILL, PROVENANCE, SCAN

NGINX = "docker.io/library/nginx:1.29"
CREDENTIAL = ("reader", "reads-the-mirror")
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral.components.admission import Admission
from corral.components.kyverno import Kyverno
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.admission import object_controls

settings = pulumi.Config()
cluster = kubernetes.Provider("cluster", kubeconfig={kubeconfig!r})
on = pulumi.ResourceOptions(provider=cluster)
kyverno = Kyverno("kyverno", {{
    "supply": {{
        "charts": {charts!r},
        "pull_secret": "mirror",
        "registry_auth": settings.require_secret("registry-auth"),
    }},
    "registry_ca": {authority!r},
    "replicas": 1, "upgrade_job": False, "scope": "namespaces", "monitors": False,
}}, on)
profile = settings.require("profile")
level = {{}} if profile == "open" else {{"pod_security": "restricted"}}
args = {{"controls": object_controls(), "profile": profile, "own_serving": False, **level}}
if (key := settings.get("public-key")) is not None:
    args |= {{"registry": {registry!r}, "signatures": {{"keys": [key], "pull_secret": "mirror"}}}}
admission = Admission("admission", {{**args, "kyverno_types": kyverno.namespace}}, on)
Tenancy("tenancy", {{"tenants": [{{"name": "team-a", "namespace": "team-a", "data_class": "internal"}}]}}, on)
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster with a stranger's workload on it, and a program that installs the policies."""

    newcomer: Newcomer
    kubeconfig: Path
    mirror: Mirror

    def ask(self, *arguments, given=None):
        return kubectl(self.kubeconfig, *arguments, stdin=_text(given))

    def kubectl(self, *arguments, given=None):
        return kubectl_done(self.kubeconfig, *arguments, stdin=_text(given))

    def refused(self, *arguments, given=None):
        """What a refusal says; the request must be one."""
        done = self.ask(*arguments, given=given)
        assert done.returncode, done.stdout
        return done.stderr

    def labels(self, name):
        return json.loads(self.kubectl("get", "namespace", name, "-o", "json"))["metadata"]["labels"]

    def set(self, key, value, *options):
        self.newcomer.done("pulumi", "config", "set", "-s", "guests", *options, key, stdin=value)

    def install(self, profile):
        self.set("profile", profile)
        self.newcomer.done("pulumi", "up", "-s", "guests", "--yes", "--skip-preview", "--non-interactive")


def _text(manifest):
    return "" if manifest is None else json.dumps(manifest)


def deployment(namespace, name="web", image=NGINX, **labels):
    chosen = {"app": name, **labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": chosen},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
        },
    }


def pod(namespace, name="tried", image=NGINX):
    spec = {"containers": [{"name": "c", "image": image}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def admissible(image, **environment):
    """A pod of the tenant that no control but those about images has anything against."""
    container = {
        "name": "c",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    made = pod("team-a")
    made["spec"] = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return made


def attestations(scanned):
    """What the platform wants attested, by type; `scanned`: when the scan ended."""
    at = scanned.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        BILL: {"bomFormat": "CycloneDX", "specVersion": "1.6"},
        PROVENANCE: {"buildDefinition": {"buildType": "https://example.eu/build"}},
        SCAN: {"scanner": {"uri": "scanner"}, "metadata": {"scanStartedOn": at, "scanFinishedOn": at}},
    }


@contextmanager
def strangers_cluster(folder: Path) -> Iterator[Cluster]:
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    with serving(folder) as mirror:
        try:
            newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
            plane = newcomer.home / ".cache" / "corral" / "elsewhere"
            own = folder / "own"
            own.mkdir()
            (own / "Pulumi.yaml").write_text("name: guests\nruntime: python\n")
            program = PROGRAM.format(
                kubeconfig=str(plane / "kubeconfig"),
                charts=str(plane / "charts"),
                authority=mirror.authority.read_text(),
                registry=f"{mirror.address}/mirror",
            )
            (own / "__main__.py").write_text(program)
            found = Cluster(replace(newcomer, checkout=own), plane / "kubeconfig", mirror)
            found.kubectl("create", "namespace", "shop")
            found.kubectl("create", "-f", "-", given=deployment("shop"))
            found.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
            found.newcomer.done("pulumi", "stack", "init", "guests")
            mirror.credential = CREDENTIAL
            shown = base64.b64encode(":".join(CREDENTIAL).encode()).decode()
            found.set("registry-auth", json.dumps({"auths": {mirror.address: {"auth": shown}}}), "--secret")
            yield found
        finally:
            newcomer.run("corral", "down", "-s", "elsewhere", "--yes")
