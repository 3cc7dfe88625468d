"""Ranges of addresses that are the whole internet, in every spelling."""

from ipaddress import ip_network
from typing import Any

_WIDEST = {4: 7, 6: 6}
"""Longest prefix, by version of IP, of a range that no single organisation has."""


def world(value: Any) -> bool:
    """Whether `value` is a range of addresses that anybody may have."""
    if value in ("*", "any", "Any", "Internet"):
        return True
    try:
        network = ip_network(str(value), strict=False)
    except ValueError:
        return False
    return network.prefixlen <= _WIDEST[network.version]
