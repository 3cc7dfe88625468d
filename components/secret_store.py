"""Where secrets come from that no program holds: a store that External Secrets reads."""

from typing import NotRequired, TypedDict

import pulumi


class SecretStore(TypedDict):
    """A ClusterSecretStore of External Secrets, and how its secrets are read.

    A component that takes one makes `ExternalSecret` objects in place of Secrets: its own arguments that are
    secret are left out then, and neither program nor state has them.
    """

    name: pulumi.Input[str]
    """Name of the ClusterSecretStore, such as `ExternalSecrets.store`."""
    prefix: NotRequired[str]
    """What stands before each key in the store, such as `corral/onprem/`; nothing when omitted."""
    property: NotRequired[str]
    """Field that has the text, of a store whose secrets have fields, such as `value`; the whole secret when
    omitted."""
    refresh: NotRequired[str]
    """How often each secret is read, as `1h` or `15m`; `1h` when omitted."""
    revision: NotRequired[str]
    """Any text: another one starts pods anew that read a secret only when they start."""


REFRESH = "1h"
