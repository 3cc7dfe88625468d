"""Bucket policies that refuse calls without TLS, which moto would apply to every call.

moto knows no conditions of such a policy and takes each as met. Calls of tests have no TLS; here they stand
for those that have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


@contextmanager
def calls_as_over_tls() -> Iterator[None]:
    """Statements for calls without TLS concern no call; all others are moto's."""
    permitted = IAMPolicyStatement.is_action_permitted

    def concerned(self: Any, *arguments: Any, **named: Any) -> PermissionResult:
        if self._statement.get("Condition") == WITHOUT_TLS:
            return PermissionResult.NEUTRAL
        return permitted(self, *arguments, **named)

    with patch.object(IAMPolicyStatement, "is_action_permitted", concerned):
        yield
