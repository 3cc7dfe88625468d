"""The plane that `corral up` starts on this machine."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.record import NoPlane, PlaneRecord
from corral.stacks.deploy.clusters.named_nodes import NamedNodes
from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.planning.results.plan import Plan


class EmbeddedCluster(NamedNodes):
    """A plane, its charts, and its simulated nodes."""

    def __init__(self, plan: Plan):
        plane = Home.find().plane(plan.cluster.plane or plan.stack)
        self.provider = kubernetes.Provider(
            "cluster", kubeconfig=str(_own_kubeconfig(plane)), enable_secret_mutable=True
        )
        self.capabilities = plan.cluster.capabilities
        self.charts = str(plane.root / "charts")
        self.storage_class = None


def connect(plan: Plan) -> Cluster:
    """The plane of `plan`.

    Raises:
        pulumi.RunError: it is not started, or its kubeconfig leads elsewhere.
    """
    return EmbeddedCluster(plan)


def _own_kubeconfig(plane: PlaneHome) -> Path:
    """The plane's kubeconfig, which must lead to the API server that Corral started."""
    again = f"`corral up -s {plane.name}` (or `make up STACK={plane.name}`)"
    if not plane.kubeconfig.is_file():
        raise pulumi.RunError(f"plane {plane.name!r} is not started, {plane.kubeconfig} is missing: {again}")
    try:
        started = PlaneRecord.load(plane).server
    except NoPlane as error:
        raise pulumi.RunError(str(error)) from None
    clusters = yaml.safe_load(plane.kubeconfig.read_text(encoding="utf-8"))["clusters"]
    elsewhere = [one["cluster"]["server"] for one in clusters if one["cluster"]["server"] != started]
    if elsewhere:
        raise pulumi.RunError(
            f"{plane.kubeconfig} leads to {', '.join(elsewhere)}; plane {plane.name!r} was started at "
            f"{started}, and this stack is deployed nowhere else: {again}"
        )
    return plane.kubeconfig
