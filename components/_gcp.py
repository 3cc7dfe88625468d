"""What components that make resources of Google Cloud share: projects, service agents and keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from corral.components._kit import child

LABEL = "corral-component"
"""Labels of Google's have no dots and slashes."""
ROTATION = "7776000s"
"""Ninety days, after which a key has a new version."""
DESTRUCTION = "2592000s"
"""Thirty days in which the destruction of a key's version can be called back."""
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
GKE_AGENT = "container-engine-robot"
COMPUTE_AGENT = "compute-system"


@dataclass(frozen=True)
class GcpSite:
    """Where in Google Cloud a component makes its resources."""

    component: pulumi.Resource
    kind: str
    """Kind of the component, as labels have it."""
    name: str
    """Name of the component, which logical names begin with."""
    title: str
    """What the resources' names in Google Cloud begin with."""
    project: str
    region: str
    labels: Mapping[str, str]
    protect: bool
    """Whether the engine refuses to delete what cannot be made again."""

    @property
    def number(self) -> pulumi.Output[str]:
        """Number of the project."""
        return gcp.organizations.get_project_output(project_id=self.project, opts=self.asked()).number

    def agent(self, service: str) -> pulumi.Output[str]:
        """The account by which a service of Google's acts in the project."""
        return pulumi.Output.format(
            "serviceAccount:service-{}@{}.iam.gserviceaccount.com", self.number, service
        )

    def asked(self) -> pulumi.InvokeOutputOptions:
        """Options of a question to Google."""
        return pulumi.InvokeOutputOptions(parent=self.component)

    def child(self, **more: Any) -> pulumi.ResourceOptions:
        """Options of a child of the component."""
        return child(self.component, **more)

    @property
    def labelled(self) -> dict[str, str]:
        """Labels of a resource."""
        return {LABEL: self.kind, **self.labels}


def key_ring(site: GcpSite, project: str) -> gcp.kms.KeyRing:
    """A ring for keys of the site, in the region of what they encrypt."""
    return gcp.kms.KeyRing(
        f"{site.name}-ring",
        # Cluster and bucket of one name have a ring each; a name has 63 letters.
        name=f"{site.title[:45].rstrip('-')}-{site.kind}",
        project=project,
        location=site.region,
        opts=site.child(),
    )


def own_key(
    site: GcpSite, ring: gcp.kms.KeyRing, purpose: str, users: Mapping[str, pulumi.Input[str]]
) -> pulumi.Output[str]:
    """Id of a key of the customer's that rotates, known once its `users` may use it.

    `users`: accounts of services by a name of one's own.
    """
    key = gcp.kms.CryptoKey(
        f"{site.name}-{purpose}",
        name=purpose,
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=ROTATION,
        destroy_scheduled_duration=DESTRUCTION,
        labels=site.labelled,
        opts=site.child(protect=site.protect),
    )
    rights = [
        gcp.kms.CryptoKeyIAMMember(
            f"{site.name}-{purpose}-{name}",
            crypto_key_id=key.id,
            role=KEY_USER,
            member=member,
            opts=site.child(),
        )
        for name, member in users.items()
    ]
    return pulumi.Output.all(key.id, *(one.id for one in rights)).apply(_first)


def _first(known: Sequence[Any]) -> str:
    return str(known[0])
