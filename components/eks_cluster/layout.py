"""Which addresses of a VPC each zone has.

Every zone has the eighth of the VPC that belongs to its letter, whichever other zones there are: a zone or a
way to the internet that comes later moves no subnet. The last eighth is for public subnets.
"""

from ipaddress import IPv4Network

from corral.catalogue.eks import LETTERS, PARTS


def private_cidr(vpc: str, zone: str) -> str:
    """Addresses of nodes and pods in `zone`.

    >>> private_cidr("10.0.0.0/16", "eu-central-1b")
    '10.0.32.0/19'
    """
    return str(_eighths(IPv4Network(vpc))[LETTERS.index(zone[-1])])


def public_cidr(vpc: str, zone: str) -> str:
    """Addresses of the NAT gateway in `zone`.

    >>> public_cidr("10.0.0.0/16", "eu-central-1b")
    '10.0.228.0/22'
    """
    last = _eighths(IPv4Network(vpc))[-1]
    return str(_eighths(last)[LETTERS.index(zone[-1])])


def _eighths(network: IPv4Network) -> list[IPv4Network]:
    return list(network.subnets(prefixlen_diff=PARTS))
