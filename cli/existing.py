"""A stack on a cluster that Corral did not start: status and end, by the user's own kubectl and Pulumi."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.text import Text

from corral.cli import pods, status, summary
from corral.cli.console import progress, results
from corral.cli.documents import StatusDocument, print_document
from corral.cli.errors import FAILED
from corral.embedded.engine import drift, project, state
from corral.embedded.engine.engine import EngineError
from corral.embedded.kube import Object
from corral.embedded.objects import at, children
from corral.embedded.plane.overview import Overview, of_objects
from corral.stacks.planning.results.cluster import ClusterPlan
from corral.stacks.planning.results.plan import Plan

INSTALLED_BY = {
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "pulumi": "https://www.pulumi.com/docs/install/",
}
SERVER = "jsonpath={.clusters[0].cluster.server}"


def show(plan: Plan, *, as_json: bool) -> int:
    """Print pods, models and what was changed by hand; exits with 1 when not all is as it should be.

    Raises:
        EngineError: a program is missing, or the cluster or the state cannot be read.
    """
    kubectl = kubectl_of(plan.cluster)
    server = _answer(kubectl, ["config", "view", "--minify", f"--output={SERVER}"])
    try:
        overview = _overview(kubectl, plan)
        changed = drift.differences(kubectl, exported(plan.stack))
    except drift.Unreadable as error:
        raise EngineError(f"the cluster cannot be read: {error}") from None
    if as_json:
        made = _document(plan, server, overview, changed)
        print_document(made)
        return 0 if made.fine else FAILED
    console = results()
    console.print(Text(f"cluster {server}, context {plan.cluster.context or 'that is current'}"))
    pods.show(console, overview.pods, summary.owners(plan))
    summary.show_models(console, overview, plan)
    return 0 if summary.show_faults(console, overview, plan, changed) else FAILED


def down(stack: str, destroy: Callable[..., int], *, exclude_protected: bool) -> int:
    """Destroy `stack`; protected data is named first, with both ways on, before anything is touched.

    Args:
        destroy: runs `pulumi destroy` with further options; returns its exit code.

    Raises:
        EngineError: there is no pulumi, or it refuses.
    """
    resources = children(exported(stack), "deployment", "resources")
    held = [one for one in resources if one.get("protect")]
    locked = [one for one in resources if one not in held and _refused_by_cloud(one)]
    if not held and not locked:
        return destroy()
    if held:
        progress(f"stack {stack} protects what cannot be made again:")
        _name(held)
    if locked:
        progress("its cloud refuses to delete, after most else is gone:")
        _name(locked)
    if exclude_protected and not locked:
        progress("these stay, with what they need; the next `pulumi up` makes the rest anew around them")
        return destroy("--exclude-protected")
    progress("nothing was touched; what you can do:")
    keep, lose = f"corral down -s {stack} --exclude-protected", f"pulumi up -s {stack}"
    if not locked:
        progress(f"  keep them, remove the rest: `{keep}`")
    progress(
        f"  lose them, too: `deletion-protection: false` in section cluster of Pulumi.{stack}.yaml, "
        f"`{lose}`, then `corral down -s {stack}`; see docs/state.md"
    )
    return FAILED


def _refused_by_cloud(resource: Object) -> bool:
    """Whether a cloud's own protection is on, of which the engine knows nothing."""
    return at(resource, "inputs", "deletionProtection") is True


def _name(resources: Sequence[Object]) -> None:
    for one in resources:
        progress(f"  {str(one['type']).rpartition(':')[2]} {one.get('id') or one['urn']}")


def exported(stack: str) -> Object:
    """The state of `stack` as the user's own Pulumi has it; secrets stay encrypted.

    Raises:
        EngineError: there is no pulumi.
        StateUnavailable: it refuses.
    """
    return state.exported(program_of("pulumi"), stack, project.find())


def _document(
    plan: Plan, server: str, overview: Overview, changed: Sequence[drift.Difference]
) -> StatusDocument:
    faults = tuple(summary.faults(overview, plan, changed))
    return StatusDocument(
        plane="",
        server=server,
        supervised=False,
        fine=not faults,
        programs=(),
        pods=tuple(status.pod(one) for one in overview.pods),
        models=tuple(status.models(overview, plan)),
        faults=faults,
    )


def _overview(kubectl: drift.Kubectl, plan: Plan) -> Overview:
    """Pods in the namespaces of the platform."""
    ours = summary.owners(plan)
    everything = of_objects(
        drift.items(kubectl, "pods"), drift.items(kubectl, "resourceclaims.resource.k8s.io")
    )
    return Overview(tuple(pod for pod in everything.pods if pod.namespace in ours))


def _answer(kubectl: drift.Kubectl, arguments: Sequence[str]) -> str:
    done = kubectl.run(arguments)
    if done.returncode:
        raise EngineError(f"the kubeconfig cannot be read: {drift.reason(done.stderr)}")
    return done.stdout.strip()


def kubectl_of(cluster: ClusterPlan) -> drift.Kubectl:
    """The user's own kubectl on the cluster of a stack.

    Raises:
        EngineError: there is no kubectl, or no such kubeconfig.
    """
    options = {"--kubeconfig": _kubeconfig(cluster.kubeconfig), "--context": cluster.context}
    flags = [f"{option}={value}" for option, value in options.items() if value is not None]
    return drift.Kubectl([program_of("kubectl"), *flags], os.environ)


def _kubeconfig(stated: str | None) -> Path | None:
    """The file as Pulumi's provider finds it: kubectl takes `~` as it is, and another folder as its own."""
    if stated is None:
        return None
    # That of pathlib refuses the home of nobody.
    path = project.find() / os.path.expanduser(stated)  # noqa: PTH111
    try:
        path.open().close()
    except OSError as error:
        raise EngineError(f"cluster.kubeconfig: {path}: {error.strerror}") from None
    return path


def program_of(name: str) -> str:
    """The user's own pulumi or kubectl.

    Raises:
        EngineError: there is none on PATH.
    """
    program = shutil.which(name)
    if program is None:
        raise EngineError(f"there is no {name} on PATH; see {INSTALLED_BY[name]}")
    return program
