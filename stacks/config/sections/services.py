"""What models are served beside: `vector-db`, `observability`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.vocabulary import AlertReceiver, VectorEngine
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import Days, Number, Pods, Positive, Size


class VectorDb(Section):
    """A vector database."""

    engine: VectorEngine
    """`pgvector` on one node, or `qdrant`."""
    vectors: Number = 1_000_000
    """Vectors expected, such as `5M`."""
    dimensions: Positive = 1024
    """Dimensions of one vector."""
    replicas: Pods = 1
    """Nodes of the database; pgvector has one."""
    replication_factor: Pods | None = None
    """Copies of each shard of a qdrant collection; 2 where there are several replicas when absent."""
    size: Size | None = None
    """Size of each replica's volume; `20Gi`, or what its vectors need, when absent."""


class Observability(Section):
    """Metrics, dashboards and alerts."""

    retention_days: Days = 15
    """Days that metrics are kept."""
    size: Size = "20Gi"
    """Size of the volume for metrics."""
    control_plane: Annotated[bool, Field(strict=True)] = False
    """Whether scheduler, controller manager, etcd and kube-proxy are scraped. Managed clusters hide the first
    three, and kubeadm binds all four to the loopback unless it is told otherwise."""
    alerts: AlertReceiver | None = None
    """Who alerts are sent to: a `webhook` with Alertmanager's JSON, or `slack` and what takes its format, at
    the address `corral:alerts-url`; nobody when absent. See docs/tasks.md."""
