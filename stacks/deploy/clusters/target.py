"""Which cluster a plan is built on, and where its charts come from."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from corral.catalogue.vocabulary import ClusterKind
from corral.components.supply import Supply
from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.record import NoPlane, PlaneRecord
from corral.stacks.planning.results.cluster import ClusterPlan
from corral.stacks.planning.results.plan import Plan


def provider(plan: Plan) -> kubernetes.Provider:
    """The one provider of the platform's one cluster."""
    if plan.cluster.kind is ClusterKind.EMBEDDED:
        plane = _plane(plan)
        return kubernetes.Provider("cluster", kubeconfig=str(_own_kubeconfig(plane)))
    _announce(plan.cluster)
    return kubernetes.Provider("cluster", kubeconfig=plan.cluster.kubeconfig, context=plan.cluster.context)


def _announce(cluster: ClusterPlan) -> None:
    """Say which cluster is about to be changed.

    Raises:
        pulumi.RunError: the kubeconfig cannot be read, or has no such context.
    """
    if cluster.kubeconfig is None:
        context = cluster.context or "current context"
        pulumi.log.info(f"cluster: {context} of the kubeconfig that Pulumi's provider finds")
        return
    path = Path(cluster.kubeconfig).expanduser()
    try:
        content = yaml.safe_load(path.read_text())
        wanted = cluster.context or content["current-context"]
        context = next(one["context"] for one in content["contexts"] if one["name"] == wanted)
        named = {one["name"]: one["cluster"]["server"] for one in content["clusters"]}
        pulumi.log.info(f"cluster: context {wanted}, server {named[context['cluster']]}")
    except OSError as error:
        raise pulumi.RunError(f"cluster.kubeconfig: {path}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        raise pulumi.RunError(
            f"cluster.kubeconfig: {path} has no context {cluster.context or 'that is current'}"
        ) from None


def _plane(plan: Plan) -> PlaneHome:
    return Home.find().plane(plan.cluster.plane or plan.stack)


def _own_kubeconfig(plane: PlaneHome) -> Path:
    """The plane's kubeconfig, which must lead to the API server that Corral started.

    Raises:
        pulumi.RunError: the plane is not started, or the file leads elsewhere.
    """
    again = f"`corral up -s {plane.name}` (or `make up STACK={plane.name}`)"
    if not plane.kubeconfig.is_file():
        raise pulumi.RunError(f"plane {plane.name!r} is not started, {plane.kubeconfig} is missing: {again}")
    try:
        started = PlaneRecord.load(plane).server
    except NoPlane as error:
        raise pulumi.RunError(str(error)) from None
    named = yaml.safe_load(plane.kubeconfig.read_text())["clusters"]
    elsewhere = [one["cluster"]["server"] for one in named if one["cluster"]["server"] != started]
    if elsewhere:
        raise pulumi.RunError(
            f"{plane.kubeconfig} leads to {', '.join(elsewhere)}; plane {plane.name!r} was started at "
            f"{started}, and this stack is deployed nowhere else: {again}"
        )
    return plane.kubeconfig


def supply_of(plan: Plan) -> Supply:
    """The plane's chart folder in the embedded default; elsewhere the folder `corral:charts`, when set."""
    supply: Supply = {}
    folder = (
        str(_plane(plan).root / "charts")
        if plan.cluster.kind is ClusterKind.EMBEDDED
        else pulumi.Config("corral").get("charts")
    )
    if folder is not None:
        supply["charts"] = folder
    if plan.supply.registry is not None:
        supply["registry"] = plan.supply.registry
    if plan.supply.pull_secret is not None:
        supply["pull_secret"] = plan.supply.pull_secret
    return supply
