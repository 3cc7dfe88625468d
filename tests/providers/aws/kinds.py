"""What a provider does for one type of resource."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.providers.aws.account import Account

Inputs = Mapping[str, Any]
Made = tuple[str, dict[str, Any]]
"""Id of a resource, and what AWS adds to its inputs."""


@dataclass(frozen=True)
class Kind:
    """Calls to AWS that make, observe, change and remove one type of resource."""

    create: Callable[[Account, Inputs], Made]
    read: Callable[[Account, str, Inputs], dict[str, Any] | None]
    """Inputs as AWS has them now, those that were observed alone; None where it is gone."""
    delete: Callable[[Account, str, Inputs], None]
    update: Callable[[Account, str, Inputs, Inputs], dict[str, Any]] | None = None
    """Change what was made from old to new inputs; outputs that come out otherwise. None: never changed."""
    replaces: frozenset[str] = frozenset()
    """Inputs of which another value is another resource: `ForceNew` in terraform-provider-aws's schemas."""
    named: str | None = None
    """Input that the provider fills in: the logical name with a random part."""
    longest: int = 255
    """Most characters that name may have."""
    computed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What AWS adds below an input; preview does not know it."""
    changing: frozenset[str] = frozenset()
    """Outputs that are not known before a change is made."""


def nothing(account: Account, identity: str, inputs: Inputs) -> None:
    """Nothing to do: AWS has no call for it."""


def replaced(*names: str) -> frozenset[str]:
    """Names of inputs that a resource cannot change, beside its region."""
    return frozenset({*names, "region"})
