"""The private copy of a stack file: what the committed file says, and secrets that only the copy has."""

from collections.abc import Mapping
from typing import Any, cast

import yaml

from corral.catalogue.stackyaml import StackLoader

SALT = "encryptionsalt"


def merged(committed: str, private: str) -> str:
    """The private stack file, refreshed: every plain value of `committed`, every secret of `private`.

    Secrets and the salt of `committed` are left out: they belong to another passphrase. Both texts are
    Pulumi stack files as YAML; `private` may be empty.
    """
    source, own = _mapping(committed), _mapping(private)
    plain = {key: value for key, value in _config(source).items() if not _secure(value)}
    secure = {key: value for key, value in _config(own).items() if _secure(value)}
    kept = {key: value for key, value in source.items() if key not in (SALT, "config")}
    salt = {SALT: own[SALT]} if SALT in own else {}
    return yaml.safe_dump({**salt, **kept, "config": {**plain, **secure}}, sort_keys=False, width=1000)


def secrets(text: str) -> frozenset[str]:
    """Names of the encrypted values of a stack file."""
    return frozenset(key for key, value in _config(_mapping(text)).items() if _secure(value))


def _secure(value: object) -> bool:
    return isinstance(value, dict) and set(cast(dict[str, object], value)) == {"secure"}


def _config(document: Mapping[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], document.get("config") or {})


def _mapping(text: str) -> dict[str, Any]:
    document: object = yaml.load(text, StackLoader) or {}
    if not isinstance(document, dict):
        raise ValueError("a Pulumi stack file is a mapping")
    return cast(dict[str, Any], document)
