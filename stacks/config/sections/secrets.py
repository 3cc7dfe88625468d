"""Where secrets come from that the stack's encrypted configuration has not: `secrets`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.vocabulary import SecretProvider
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import ObjectName, ServerUrl

Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,127}$")]
Interval = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[smh]$")]


class Secrets(Section):
    """A store that External Secrets reads, in place of the stack's encrypted configuration."""

    store: ObjectName
    """Name of the ClusterSecretStore: made by this stack, or there already where addon `external-secrets` is
    `existing`."""
    provider: SecretProvider
    """What keeps the secrets: `vault` (or OpenBao), `aws` (Secrets Manager) or `gcp` (Secret Manager)."""
    server: ServerUrl | None = None
    """URL of Vault or OpenBao, within the profile: in the cluster, or a host of one's own with TLS."""
    path: Path | None = None
    """Where its secrets engine (KV version 2) is mounted; `secret` when absent."""
    mount: Path | None = None
    """Where its Kubernetes authentication is mounted; `kubernetes` when absent."""
    role: Path | None = None
    """Role there of ServiceAccount `external-secrets`; needed where this stack makes the store."""
    project: Path | None = None
    """Google's project of the store."""
    region: Path | None = None
    """Region of the cloud's store, within the profile; `sovereignty.region` when absent."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{0,128}$")] = ""
    """What stands before each key in the store, such as `corral/onprem/`."""
    refresh: Interval = "1h"
    """How often each secret is read."""
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,63}$")] = "1"
    """Any text: another one starts pods anew that read a secret only when they start; see docs/secrets.md."""
