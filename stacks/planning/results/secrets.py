"""Where secrets come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.vocabulary import SecretProvider


@dataclass(frozen=True)
class SecretsPlan:
    """A store that External Secrets reads."""

    store: str
    """Name of the ClusterSecretStore."""
    provider: SecretProvider
    stated: Mapping[str, str]
    """What is stated of the provider: `server`, `region`, `project`, `path`, `mount`, `role`."""
    prefix: str
    text_field: str | None
    """Field of a secret that has its text; None: the whole of it is."""
    refresh: str
    revision: str
    keys: tuple[str, ...]
    """Keys that must be in the store, without the prefix."""

    @property
    def names(self) -> tuple[str, ...]:
        """The same with the prefix."""
        return tuple(f"{self.prefix}{key}" for key in self.keys)
