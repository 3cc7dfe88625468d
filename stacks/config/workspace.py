"""Where the state of a stack is and what encrypts its secrets, as the files of the project say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from corral.catalogue.stackyaml import StackLoader
from corral.controls.workspace import PASSPHRASE, Workspace

BACKEND = "PULUMI_BACKEND_URL"


def read_workspace(stack_file: Path, environment: Mapping[str, str]) -> Workspace:
    """The workspace of `stack_file`; an unreadable file says nothing here, for others say what is wrong."""
    project, stack = _mapping(stack_file.parent / "Pulumi.yaml"), _mapping(stack_file)
    backend = project.get("backend")
    stated = cast("Mapping[str, Any]", backend).get("url") if isinstance(backend, Mapping) else None
    provider = stack.get("secretsprovider") or (PASSPHRASE if "encryptionsalt" in stack else None)
    address = environment.get(BACKEND) or stated
    return Workspace(address and str(address), provider and str(provider))


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content: object = yaml.load(path.read_text(encoding="utf-8"), Loader=StackLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return {}
    return cast("Mapping[str, Any]", content) if isinstance(content, dict) else {}
