"""Namespaces of tenants, closed to each other."""

from corral.components.tenancy.component import Addresses, Reachable, Tenancy, TenancyArgs, Tenant

__all__ = ["Addresses", "Reachable", "Tenancy", "TenancyArgs", "Tenant"]
