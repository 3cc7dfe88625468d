"""Credentials that change: what pods carry so that they start anew with another one."""

import hashlib
from functools import cache

import pulumi

CREDENTIAL_REVISION = "corral.dev/credential-revision"
"""Annotation of pods that read the credential when they start: another one starts them anew."""


def revision(*secrets: pulumi.Input[str]) -> pulumi.Output[str]:
    """Ten hex digits that change with `secrets`; they cost time, so that none is guessed from them."""
    marked = pulumi.Output.secret(pulumi.Output.all(*secrets))
    return marked.apply(lambda known: _slow_digest("\0".join(map(str, known))))


@cache
def _slow_digest(text: str) -> str:
    return hashlib.scrypt(text.encode(), salt=CREDENTIAL_REVISION.encode(), n=2**14, r=8, p=1, dklen=5).hex()
