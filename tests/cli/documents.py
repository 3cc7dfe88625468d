"""The schema of what commands print, ready to hold documents against."""

import json
from typing import Any

import jsonschema

from corral.cli import documents

_SCHEMA = json.loads(documents.SCHEMA.read_text())
jsonschema.Draft202012Validator.check_schema(_SCHEMA)
_VALIDATOR = jsonschema.Draft202012Validator(_SCHEMA)


def validate(document: Any) -> None:
    """Raises `jsonschema.ValidationError` for what no command prints."""
    _VALIDATOR.validate(document)
