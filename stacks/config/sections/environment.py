"""Where a platform runs, and what must stay there: `sovereignty`, `cluster`, `images`, `addons`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.vocabulary import (
    AdmissionScope,
    ClusterKind,
    FeatureGate,
    Platform,
    Profile,
    TaintEffect,
)
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    Image,
    LabelKey,
    LabelValue,
    Name,
    ObjectName,
    Registry,
    SpaceName,
    Version,
)


class Admission(Section):
    """Where the policies at admission hold."""

    scope: AdmissionScope
    """`namespaces`: in those with the label `corral.dev/policies: enforced`, as Corral's own have it;
    `cluster`: in all but the exempt ones."""
    exempt: tuple[SpaceName, ...] = ()
    """Namespaces without policies where the scope is the cluster, beside `kube-system`; those of Kubernetes
    but `default` when empty."""


class Sovereignty(Section):
    """What must stay where."""

    profile: Profile
    """One word that fixes residency, sources, registries and digests."""
    region: str
    """Region that everything lies in; `embedded` on this machine."""
    registry: Registry | None = None
    """Mirror that every image and chart comes from, such as `registry.example.eu/mirror`; charts of HTTPS
    repositories lie below its `charts/`."""
    pull_secret: Name | None = None
    """Name of the Secret that `corral:registry-auth` is written to, in each namespace of the stack."""
    admission: Admission | None = None
    """Where the policies at admission hold; a cluster started here: everywhere, any other: in labelled
    namespaces, when absent."""


class Toleration(Section):
    """A taint that pods bear."""

    key: LabelKey
    """Key of the taint."""
    value: LabelValue | None = None
    """Its value; any when absent."""
    effect: TaintEffect | None = None
    """Its effect; each when absent."""


class Cluster(Section):
    """Where the cluster comes from."""

    kind: ClusterKind
    """`embedded` is started on this machine; `existing` is any cluster with a kubeconfig."""
    kubeconfig: str | None = None
    """Path of the kubeconfig of an existing cluster; absent: the one Pulumi's provider finds."""
    context: str | None = None
    """Context within the kubeconfig."""
    plane: str | None = None
    """Name of the embedded plane; the stack's name when absent."""
    platform: Platform | None = None
    """What the GPU nodes of an existing cluster are, see docs/platforms.md; `bare-metal` when absent."""
    precompiled_driver: Annotated[int, Field(strict=True, ge=100, le=9999)] | None = None
    """Branch of drivers compiled beforehand, such as 580; when absent each node compiles the operator's."""
    storage_class: ObjectName | None = None
    """Storage class of every volume in an existing cluster; the cluster's default when absent."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels of the nodes of an existing cluster that Corral's own pods run on; any node when absent. What
    runs on each GPU node, and models, go by their pools."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of those nodes that Corral's own pods bear."""
    kubernetes: Version | None = None
    """Version of an existing cluster, such as `"1.34.2"`; needed where it decides what can be asked for."""
    feature_gates: tuple[FeatureGate, ...] = ()
    """Gates that are on in an existing cluster though off by default in its version; a cloud that manages the
    control plane seldom lets one choose."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do."""
        return capabilities(self.kind)


class Images(Section):
    """Images of Corral's own that come from elsewhere."""

    tools: Image | None = None
    """Image of the import Jobs, as `registry.example.eu/corral/tools:0.1.0@sha256:…`; `corral/tools` of
    `sovereignty.registry` when absent. See docs/importing.md."""
