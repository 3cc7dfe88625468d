"""Where a stack has its state, the key of its secrets and its plugins from, as files and environment say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from corral.catalogue.stackyaml import StackLoader
from corral.controls.workspace import KEPT, PASSPHRASE, PUBLISHERS, Workspace

BACKEND = "PULUMI_BACKEND_URL"
ACQUISITION = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
OVERRIDES = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"


def read_workspace(stack_file: Path, environment: Mapping[str, str]) -> Workspace:
    """The workspace of `stack_file`; an unreadable file says nothing here, for others say what is wrong."""
    project, stack = _mapping(stack_file.parent / "Pulumi.yaml"), _mapping(stack_file)
    backend = project.get("backend")
    stated = cast("Mapping[str, Any]", backend).get("url") if isinstance(backend, Mapping) else None
    provider = stack.get("secretsprovider") or (PASSPHRASE if "encryptionsalt" in stack else None)
    address = environment.get(BACKEND) or stated
    return Workspace(address and str(address), provider and str(provider), _plugins(environment))


def _plugins(environment: Mapping[str, str]) -> str:
    """Where the engine fetches plugins from; it takes these words for true, as Go reads a boolean."""
    if environment.get(ACQUISITION, "") in ("1", "t", "T", "true", "TRUE", "True"):
        return KEPT
    return environment.get(OVERRIDES) or PUBLISHERS


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content: object = yaml.load(path.read_text(encoding="utf-8"), Loader=StackLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return {}
    return cast("Mapping[str, Any]", content) if isinstance(content, dict) else {}
