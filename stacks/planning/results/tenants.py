"""Tenants and the limits of their namespaces."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import DataClass


@dataclass(frozen=True)
class TenantPlan:
    """A tenant and the namespace its models live in."""

    name: str
    namespace: str
    data_class: DataClass | None
    models: tuple[str, ...]
    callers: tuple[str, ...] = ()
    """Further namespaces whose pods may call its models."""
    limits: tuple[tuple[str, int], ...] = ()
    """(DeviceClass or extended resource, most of it, whether in use or waited with); empty: without limit."""
