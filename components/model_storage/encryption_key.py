"""The encryption key of a store: what was written under it can be read under no other."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi

from corral.components._credentials import revision

ANNOTATION = "corral.dev/encryption-key-revision"
MARK = "encryption-key.mark"
"""File of the configuration that changes with the key; the volume keeps a copy of it."""


def key_revision(key: pulumi.Input[str]) -> pulumi.Output[str]:
    """What changes with the key; it is no help in guessing it."""
    return revision(key)


def keeping(name: str) -> pulumi.ResourceHookBinding:
    """Hooks of the object with the annotation: a preview or an update that brings another key fails.

    Only the engine has the former inputs, and it runs such hooks before anything of the object is changed;
    in a preview, which comes first, that is before anything at all is.
    """

    async def keep(args: pulumi.ResourceHookArgs) -> None:
        former, present = await _annotation(args.old_inputs), await _annotation(args.new_inputs)
        if former and present and former != present:
            raise ValueError(
                f"{name}: the encryption key is another one than what lies in the store was written under, "
                "and nothing of that could be read any more: put the former key back; how to begin anew "
                "under another one is in docs/secrets.md"
            )

    hook = pulumi.ResourceHook(
        f"{name}-keeps-its-encryption-key", keep, pulumi.ResourceHookOptions(on_dry_run=True)
    )
    return pulumi.ResourceHookBinding(before_update=[hook])


async def _annotation(inputs: Mapping[str, Any] | None) -> str | None:
    """The annotation of an object's inputs, which holds a secret somewhere; None: it has none."""
    resolved = cast(Mapping[str, Any], await pulumi.Output.from_input(dict(inputs or {})).future() or {})
    metadata = cast(Mapping[str, Any], resolved.get("metadata") or {})
    value = cast(Mapping[str, Any], metadata.get("annotations") or {}).get(ANNOTATION)
    return value if isinstance(value, str) else None
