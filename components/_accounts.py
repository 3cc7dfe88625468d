"""Pods by the account that they run as, for components of clouds that let them in without keys."""

from typing import TypedDict


class PodAccount(TypedDict):
    """Pods of a cluster, by the account that they run as."""

    namespace: str
    """Namespace of the pods."""
    service_account: str
    """Their ServiceAccount."""
