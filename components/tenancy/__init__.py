"""Namespaces of tenants, closed to each other."""

from corral.components.tenancy.component import Reachable, Tenancy, TenancyArgs, Tenant

__all__ = ["Reachable", "Tenancy", "TenancyArgs", "Tenant"]
