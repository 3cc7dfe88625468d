"""Kubeconfig files, read as far as it takes to tell which cluster they lead to."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corral.components.existing_cluster.texts import Texts
from corral.stacks.config.errors import one_line

SERVER = re.compile(r"(https?://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?")
"""An API server: its address, perhaps behind the path of a proxy."""
LAST_PORT = 65535
ENCODED = ("certificate-authority-data", "client-certificate-data", "client-key-data")
"""Keys whose values are base64."""
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""Keys that name a file, relative to that of the kubeconfig."""


class KubeconfigError(Exception):
    """A kubeconfig that leads to no cluster, in one line."""


@dataclass(frozen=True)
class Target:
    """The cluster that a context leads to."""

    path: str
    """File that names the context."""
    context: str
    server: str
    alone: bool
    """Whether no other file was named."""


class _Context(BaseModel):
    cluster: str
    user: str = ""


class _NamedContext(BaseModel):
    name: str
    context: _Context


class _Server(BaseModel):
    model_config = ConfigDict(extra="allow")

    server: str


class _NamedCluster(BaseModel):
    name: str
    cluster: _Server


class _NamedUser(BaseModel):
    name: str
    user: dict[str, Any] | None = None


class _Kubeconfig(BaseModel):
    contexts: list[_NamedContext] | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    current_context: str | None = Field(None, alias="current-context")


def target(key: str, paths: Sequence[str], context: str | None) -> Target:
    """Where `context`, or the current one, of these files leads; earlier files win, as for kubectl.

    Raises:
        KubeconfigError: a file cannot be read, or none has the context; the message begins with `key`.
    """
    alone = len(paths) == 1
    # Of several files kubectl skips those that are absent.
    present = [path for path in paths if alone or _exists(path)]
    files = {path: _read(key, path) for path in present}
    shown = ":".join(paths)
    if not files:
        raise KubeconfigError(f"{key}: {shown or 'no path'}: no such file")
    chosen = context or next((one.current_context for one in files.values() if one.current_context), None)
    names = list(dict.fromkeys(one.name for file in files.values() for one in file.contexts or ()))
    listed = one_line(", ".join(names)) or "none"
    if chosen is None:
        raise KubeconfigError(f"{key}: {shown} has no current context: name one in cluster.context: {listed}")
    for path, file in files.items():
        for one in file.contexts or ():
            if one.name == chosen:
                return Target(path, chosen, _server(key, path, file, one, files), alone)
    raise KubeconfigError(f"{key}: {shown} has no context {one_line(chosen)}: use one of {listed}")


def _server(
    key: str, path: str, file: _Kubeconfig, context: _NamedContext, files: dict[str, _Kubeconfig]
) -> str:
    entry = context.context
    servers = {one.name: one.cluster.server for one in file.clusters or ()}
    users = {one.name for one in file.users or ()}
    elsewhere = {one.name for other in files.values() if other is not file for one in other.users or ()}
    split = entry.user not in users and entry.user in elsewhere
    if entry.cluster not in servers or split:
        missing = f"user {entry.user}" if entry.cluster in servers else f"cluster {entry.cluster}"
        raise KubeconfigError(
            f"{key}: {path} has context {context.name} without its {missing}: name one file that has all, "
            "such as `kubectl config view --flatten` writes"
        )
    server = servers[entry.cluster]
    matched = SERVER.fullmatch(server)
    if matched is None or int((matched[3] or ":0")[1:]) > LAST_PORT:
        # An address may have a name and a password in it.
        stated = server.rpartition("@")[2] or "empty text"
        raise KubeconfigError(
            one_line(f"{key}: {path}: server of cluster {entry.cluster}: {stated}: ")
            + "use https://host[:port]"
        )
    chosen = next(one for one in file.clusters or () if one.name == entry.cluster)
    user = next((one.user for one in file.users or () if one.name == entry.user), None)
    folder = _place(path).parent
    for owner, settings in (
        (f"cluster {entry.cluster}", chosen.cluster.model_extra),
        (f"user {entry.user}", user),
    ):
        for wrong in _unusable(settings or {}, folder):
            raise KubeconfigError(one_line(f"{key}: {path}: {owner}: {wrong}"))
    return server


def _unusable(settings: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Credentials that kubectl could not read, without their values."""
    for name in ENCODED:
        if not _decodes(settings.get(name)):
            yield f"{name} is no base64: use what `base64 --wrap=0` writes of the file"
    for name in FILES:
        stated = settings.get(name)
        if stated and not (isinstance(stated, str) and _exists(str(folder / stated))):
            yield f"{name}: {stated}: no such file: use a path relative to the kubeconfig, or a whole one"


def _decodes(encoded: object) -> bool:
    if not encoded:
        return True
    try:
        base64.b64decode(re.sub(r"[\r\n]", "", str(encoded)), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _exists(path: str) -> bool:
    try:
        return _place(path).exists()
    except (OSError, ValueError):  # A name that is too long, or with a zero byte.
        return False


def _place(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # The home of nobody.
        return Path(path)


def _read(key: str, path: str) -> _Kubeconfig:
    place = _place(path)
    try:
        content: Any = yaml.load(place.read_text(encoding="utf-8"), Loader=Texts)
        return _Kubeconfig.model_validate(content)
    except OSError as error:
        raise KubeconfigError(one_line(f"{key}: {place}: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise KubeconfigError(f"{key}: {place}: byte {error.start} is no UTF-8: use YAML in UTF-8") from None
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise KubeconfigError(
            f"{key}: {place}: no kubeconfig{f' at {at}' if at else ''}: {_needed(first['type'])}"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise KubeconfigError(one_line(f"{key}: {place}: no YAML{line}: use a kubeconfig")) from None


def _needed(kind: str) -> str:
    """What a kubeconfig has in the place of an error of `kind`, pydantic's word for it."""
    words = {"missing": "this key", "string_type": "text", "list_type": "a list"}
    return f"{words.get(kind, 'a mapping')} is needed"
