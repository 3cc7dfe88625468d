"""What the policy pack costs in a preview of many resources, on no cluster: the provider renders files.

A pack of one rule that says nothing stands beside it: its cost is that of Pulumi's own SDK for packs.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.figures import Figure
from bench.processes import ROOT, Took, run
from corral.embedded import toolchain

RESOURCES = 500
RUNS = 3
PACK = ROOT / "policy"
EMPTY = """\
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

nothing = ResourceValidationPolicy(
    name="nothing",
    description="Nothing is wrong.",
    enforcement_level=EnforcementLevel.MANDATORY,
    validate=lambda args, report: None,
)
PolicyPack("empty", policies=[nothing])
"""
PROGRAM = f"""\
import pulumi
import pulumi_kubernetes as k8s

to_files = pulumi.ResourceOptions(provider=k8s.Provider("files", render_yaml_to_directory="rendered"))
LIMITS = {{"requests": {{"cpu": "1", "memory": "1Gi"}}, "limits": {{"memory": "1Gi"}}}}
CLOSED = {{"allow_privilege_escalation": False, "capabilities": {{"drop": ["ALL"]}}, "run_as_non_root": True,
          "seccomp_profile": {{"type": "RuntimeDefault"}}}}
for index in range({RESOURCES // 5}):
    name, labels = f"app-{{index}}", {{"app": f"app-{{index}}"}}
    meta = {{"name": name, "namespace": "apps", "labels": labels}}
    image = "registry.example.eu/apps/web@sha256:" + "0" * 64
    container = {{"name": "web", "image": image, "resources": LIMITS, "security_context": CLOSED}}
    pod = {{"automount_service_account_token": False, "containers": [container]}}
    template = {{"metadata": {{"labels": labels}}, "spec": pod}}
    spec = {{"selector": {{"match_labels": labels}}, "template": template}}
    k8s.core.v1.ConfigMap(name, metadata=meta, data={{"settings": "a: 1"}}, opts=to_files)
    k8s.core.v1.ServiceAccount(name, metadata=meta, opts=to_files)
    k8s.core.v1.Service(name, metadata=meta, opts=to_files,
                        spec={{"selector": labels, "ports": [{{"port": 80}}]}})
    k8s.apps.v1.Deployment(name, metadata=meta, spec=spec, opts=to_files)
    k8s.networking.v1.NetworkPolicy(name, metadata=meta, opts=to_files, spec={{
        "pod_selector": {{"match_labels": labels}}, "policy_types": ["Ingress", "Egress"]}})
"""
MEASURES: Mapping[str, Callable[[Took], float]] = {
    "": lambda took: took.seconds,
    "processors, ": lambda took: took.processor,
}
"""Beginning of a figure's name, and what is measured; a busy machine changes processors' time least."""
CONFIG = """\
config:
  corral:platform: {sovereignty: {profile: open, registry: registry.example.eu}}
"""


def pack() -> Iterator[Figure]:
    """A preview of 500 resources with the pack, beside one without and one with an empty pack; medians."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as text:
        folder = Path(text)
        environment = _project(folder)
        preview = ["pulumi", "preview", "--non-interactive", "--stack", "many"]
        run(["pulumi", "stack", "init", "many"], environment, folder=folder / "project")
        packs = {"without": None, "an empty pack": _empty(folder), "ours": PACK}
        taken: dict[str, list[Took]] = {name: [] for name in packs}
        for _ in range(RUNS):
            for name, own in packs.items():
                command = [*preview, *(["--policy-pack", str(own)] if own else [])]
                # Undecided or refused: how long it took is the same.
                took = run(command, environment, folder=folder / "project", fails=own is not None)
                if f"{RESOURCES + 2} to create" not in took.out:
                    raise RuntimeError(f"not {RESOURCES} resources:\n{took.out[-2000:]}")
                taken[name].append(took)
    preview_of = f"preview of {RESOURCES} resources with"
    for label, measure in MEASURES.items():
        ours, empty, without = (
            statistics.median(measure(took) for took in taken[name])
            for name in ("ours", "an empty pack", "without")
        )
        yield Figure(f"{label}{preview_of} the policy pack", ours, "s", "without", without, 1.25 * without)
        yield Figure(f"{label}{preview_of} the policy pack", ours, "s", "an empty pack", empty, 1.25 * empty)
        yield Figure(f"{label}{preview_of} an empty pack", empty, "s", "without", without)


def _empty(folder: Path) -> Path:
    """A pack of one rule that says nothing."""
    made = folder / "empty"
    made.mkdir()
    (made / "PulumiPolicy.yaml").write_text("description: nothing\nruntime: python\nversion: 0.1.0\n")
    (made / "__main__.py").write_text(EMPTY)
    return made


def _project(folder: Path) -> Mapping[str, str]:
    """A project with its own state in `folder`; the environment of Pulumi there."""
    project, state, home = (folder / name for name in ("project", "state", "home"))
    for one in (project, state, home):
        one.mkdir()
    (project / "Pulumi.yaml").write_text("name: many\nruntime: python\n")
    (project / "Pulumi.many.yaml").write_text(CONFIG)
    (project / "__main__.py").write_text(PROGRAM)
    path = [str(Path(sys.executable).parent), toolchain.programs_path(), os.environ["PATH"]]
    return {
        "HOME": str(home),
        "PULUMI_HOME": str(home / ".pulumi"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONDONTWRITEBYTECODE": "",  # A user's Python keeps its byte code, between runs of the pack too.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": os.pathsep.join(path),
    }
