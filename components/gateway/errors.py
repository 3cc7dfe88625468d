"""Errors in the form of OpenAI's interface."""

import json

INVALID = "invalid_request_error"
"""Type of what the caller can mend."""


def error(message: str, kind: str, code: str | None, param: str | None = None) -> str:
    """Body of an error."""
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})
