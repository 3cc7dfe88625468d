"""Pods by the account that they run as, for components of clouds that let them in without keys."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from corral.catalogue.formats import SUBDOMAIN


class PodAccount(TypedDict):
    """Pods of a cluster, by the account that they run as."""

    namespace: str
    """Namespace of the pods."""
    service_account: str
    """Their ServiceAccount."""


def account_problems(
    readers: Sequence[PodAccount], writers: Sequence[PodAccount], owner: str
) -> Iterator[str]:
    """Accounts that cannot be, or that are named twice: a cloud has one set of rights for each."""
    if not readers and not writers:
        yield f"{owner}.readers: empty, and so are writers; name the account of one pod or more"
    seen: dict[tuple[str, str], str] = {}
    for key, accounts in (("readers", readers), ("writers", writers)):
        for index, one in enumerate(accounts):
            where, account = f"{owner}.{key}[{index}]", one["service_account"]
            if not SUBDOMAIN.matches(account):
                yield f"{where}.service_account: {account!r} is not allowed; use {SUBDOMAIN.words}"
            first = seen.setdefault((one["namespace"], account), where)
            if first != where:
                yield f"{where}: {one['namespace']}/{account} is {first} already; name each account once"
