"""Where a platform runs, and what must stay there: `sovereignty`, `cluster`, `images`, `addons`."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.vocabulary import (
    AdmissionScope,
    ClusterKind,
    FeatureGate,
    Platform,
    PodEncryption,
    Profile,
    TaintEffect,
)
from corral.controls.exceptions import ControlException
from corral.stacks.config.sections.eks import Eks
from corral.stacks.config.sections.gke import Gke
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    Address,
    Base64,
    Certificates,
    ControlId,
    Country,
    Day,
    Days,
    HttpsUrl,
    Image,
    LabelKey,
    LabelValue,
    Name,
    ObjectName,
    PublicKey,
    Registry,
    ResourceName,
    SpaceName,
    StackName,
    Tightened,
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


class Site(Section):
    """A data centre of one's own."""

    country: Country
    """Country that the site is in, by its code of ISO 3166-1 alpha-2; the profile says which it may be."""
    site: SpaceName
    """Name of the site; no region of a cloud."""


TEXT, SITE = "[text]", "[site]"


def _form(value: Any) -> str:
    return SITE if isinstance(value, Mapping | Site) else TEXT


def _any_of(schema: dict[str, Any]) -> None:
    schema["anyOf"] = schema.pop("oneOf")


Place = Annotated[
    Annotated[str, Tag(TEXT)] | Annotated[Site, Tag(SITE)],
    Discriminator(_form),
    Field(json_schema_extra=_any_of),
]
"""A region of a cloud by its name, or a site of one's own."""


class ExceptionSection(Section):
    """A control that does not stop what it names, for a time."""

    control: ControlId
    """The control, by its ID in docs/controls.md."""
    reason: str
    """Why, in ten characters or more."""
    approver: str
    """Who approved it."""
    expires: Day
    """Last day on which it holds, in UTC, as YYYY-MM-DD; at most 90 days ahead."""
    resources: tuple[ResourceName, ...] = ()
    """What it is for: `NAMESPACE/NAME` of a Kubernetes object, `NAME` of one outside namespaces or of a cloud
    resource in the program; `*` stands for any part of a name. Everything when absent."""

    @property
    def parsed(self) -> ControlException:
        """The exception as controls know it."""
        return ControlException(self.control, self.reason, self.approver, self.expires, self.resources)


class ExitTestSection(Section):
    """The last time that somebody of the site left what an entry of the exit register is about."""

    date: Day
    """The day, as YYYY-MM-DD."""
    by: Annotated[str, Field(min_length=3, max_length=200)]
    """Who did it, and where it is recorded."""


class PrivateSigstore(Section):
    """A Sigstore of one's own, whose certificates signers get for an identity."""

    issuer: HttpsUrl
    """Issuer of the identity's tokens."""
    subject: Annotated[str, Field(min_length=1)]
    """The identity, such as the URL of a pipeline."""
    mirror: HttpsUrl
    """URL of its repository of roots (TUF)."""
    root: Base64
    """The repository's first `root.json`, in base64."""


class Signatures(Section):
    """Whose signatures images must bear; one of those named is enough. Kyverno verifies them."""

    keys: tuple[PublicKey, ...] = ()
    """Public keys in PEM."""
    sigstore: PrivateSigstore | None = None
    """A Sigstore of one's own, for signers without keys."""
    attestations: Annotated[bool, Field(strict=True)] = True
    """Whether a bill of materials (CycloneDX), provenance (SLSA) and a scan must be signed, too."""
    scan_days: Days = 30
    """Most days since the scan."""
    registry_ca: Certificates | None = None
    """Authorities in PEM that Kyverno trusts when it reads signatures, in place of the public ones: for a
    registry whose certificate a public authority did not sign."""


class Sovereignty(Section):
    """What must stay where."""

    profile: Profile
    """One word that fixes residency, sources, registries and digests."""
    region: Place
    """Region of a cloud that everything lies in, or a site of one's own as `{country: DE, site: fra-1}`;
    `embedded` on this machine."""
    registry: Registry | None = None
    """Mirror that every image and chart comes from, such as `registry.example.eu/mirror`; charts of HTTPS
    repositories lie below its `charts/`."""
    pull_secret: Name | None = None
    """Name of the Secret that `corral:registry-auth` is written to, in each namespace of the stack."""
    signatures: Signatures | None = None
    """Whose signatures images must bear; none is verified when absent. Profiles eu-sovereign and air-gapped
    refuse what lacks them, the others report it; see docs/admission.md."""
    admission: Admission | None = None
    """Where the policies at admission hold; a cluster started here: everywhere, any other: in labelled
    namespaces, when absent."""
    controls: dict[ControlId, Tightened] = {}
    """Controls that are enforced harder than the profile does, by ID: `mandatory` stops, `advisory`
    reports."""
    exceptions: tuple[ExceptionSection, ...] = ()
    """Controls that do not stop what they name, each for a time, with a reason and an approver; see
    docs/exceptions.md."""

    @property
    def region_name(self) -> str:
        """Name of the region or of the site."""
        return self.region.site if isinstance(self.region, Site) else self.region

    @property
    def country(self) -> str | None:
        """Country of a site of one's own; None: the region is another's."""
        return self.region.country if isinstance(self.region, Site) else None


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
    """`embedded` is started on this machine; `existing` is any cluster with a kubeconfig; `eks` and `gke`
    are made by the stack, see docs/eks.md and docs/gke.md."""
    kubeconfig: str | None = None
    """Path of the kubeconfig of an existing cluster; absent: the one Pulumi's provider finds."""
    stack: StackName | None = None
    """Another stack, `ORGANIZATION/PROJECT/STACK`, whose output `kubeconfig` leads to an existing cluster;
    see docs/split.md."""
    context: str | None = None
    """Context within the kubeconfig."""
    plane: str | None = None
    """Name of the embedded plane; the stack's name when absent."""
    platform: Platform | None = None
    """What the GPU nodes are, see docs/platforms.md; `bare-metal`, `eks-al2023` on EKS, `gke-ubuntu` on
    GKE, when absent."""
    precompiled_driver: Annotated[int, Field(strict=True, ge=100, le=9999)] | None = None
    """Branch of drivers compiled beforehand, such as 580; when absent each node compiles the operator's."""
    storage_class: ObjectName | None = None
    """Storage class of every volume in an existing cluster; the cluster's default when absent."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels of the nodes of an existing cluster that Corral's own pods run on; any node when absent. What
    runs on each GPU node, and models, go by their pools."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of those nodes that Corral's own pods bear."""
    pod_encryption: PodEncryption | None = None
    """What encrypts between pods on different machines: `wireguard` or `ipsec` of the network, a `mesh` with
    strict mutual TLS, the `cloud` between its machines, `single-node`, or `none`; `cloud` on GKE, unknown on
    any other, when absent. Profiles from eu-controlled on look at it (SOV-NET-15)."""
    dns_addresses: tuple[Address, ...] = ()
    """Where pods ask for names, if a cache on each node answers (NodeLocal DNSCache): its addresses, such as
    `169.254.20.10`, and that of the Service `kube-dns` where it takes that over. Network policies name no pod
    on the network of its node, see docs/existing.md; the DNS of `kube-system` alone when absent."""
    kubernetes: Version | None = None
    """Version of an existing cluster, such as `"1.34.2"`, needed where it decides what can be asked for; that
    of a cluster on EKS or GKE, such as `"1.35"`."""
    feature_gates: tuple[FeatureGate, ...] = ()
    """Gates that are on in an existing cluster though off by default in its version; a cloud that manages the
    control plane seldom lets one choose."""
    deletion_protection: Annotated[bool, Field(strict=True)] | None = None
    """False: what holds data goes with the stack, and so does a cluster that the stack makes, see
    docs/state.md; true when absent, but for the embedded, which protects nothing."""
    eks: Eks | None = None
    """What a cluster of kind `eks` is made of."""
    gke: Gke | None = None
    """What a cluster of kind `gke` is made of."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do."""
        return capabilities(self.kind)


class Images(Section):
    """Images of Corral's own that come from elsewhere."""

    tools: Image | None = None
    """Image of the import Jobs, as `registry.example.eu/corral/tools:0.1.0@sha256:…`; `corral/tools` of
    `sovereignty.registry` when absent. See docs/importing.md."""


class GpuLayer(Section):
    """A GPU layer that NVIDIA AICR, or its `ClusterStack`, has installed on the cluster."""

    recipe: str
    """Path of the file that `aicr recipe` wrote, beside the stack file: which addons are there already."""
    skip: tuple[str, ...] = ()
    """Components of the recipe that were not installed, by their names in it."""
