"""Images that resources of operators name apart from containers: whole, in parts, or by their registry.

Parts as NVIDIA's operators have them (`repository`, `image`, `version`), as charts do (`registry`,
`repository`, `tag`, `digest`), as Istio does (`hub`) and as kubeadm and Tigera do, with a registry alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Fields = Mapping[str, Any]
IMAGE_KEY = re.compile(r"image|modelPuller|imageName|imageRef|baseImage|bundle|[a-z]+[a-zA-Z]*Image")
_REFERENCE = re.compile(
    r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9._-]+)+(?::[\w.-]+)?(?:@sha256:[a-f0-9]+)?"
    r"|[a-z0-9][a-z0-9._-]*:[A-Za-z_0-9][\w.-]*"
)
"""A reference of an image, with its repository or its tag."""
_PICTURE = re.compile(r".*\.(?:png|jpe?g|svg|gif|webp|ico|qcow2|img|iso|vmdk|raw)", re.IGNORECASE)
"""A file that is no image of a container."""
_SCHEMES = ("docker://", "docker-image://")
"""Schemes behind which a reference stands."""
_REGISTRY_KEY = re.compile(r"(?:image|container|default)?(?:Registry|Repository)|registry|hub")
"""Keys of the registry that an operator takes its images from."""
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:/[a-z0-9._-]+)*/?")
_ANY = "/any@sha256:" + "0" * 64
"""What stands for every image of a registry."""
_PACKAGES = "pkg.crossplane.io"
"""Group of what Crossplane installs, whose packages are images."""


def of_text(key: str, value: str) -> str | None:
    """The reference that `value`, at `key`, is; None: it is none."""
    for scheme in _SCHEMES:
        if value.startswith(scheme):
            return value.removeprefix(scheme)
    if IMAGE_KEY.fullmatch(key.rpartition(".")[2]):
        return value if _REFERENCE.fullmatch(value) and not _PICTURE.fullmatch(value) else None
    return None


def of_fields(key: str, fields: Fields) -> Iterator[str]:
    """References of which `fields`, at `key`, has the parts, and any image of a registry that it names."""
    whole = _composed(key, fields)
    if whole is not None:
        yield whole
        return
    for name, value in fields.items():
        if isinstance(value, str) and _REGISTRY_KEY.fullmatch(name) and _HOST.fullmatch(value):
            yield value.rstrip("/") + _ANY


def of_package(subject: Fields) -> Iterator[str]:
    """The package of Crossplane's that `subject` installs."""
    spec: Any = subject.get("spec")
    package = cast(Fields, spec).get("package") if isinstance(spec, Mapping) else None
    if str(subject.get("apiVersion")).startswith(_PACKAGES) and isinstance(package, str):
        yield package


def _composed(key: str, fields: Fields) -> str | None:
    registry = _text(fields, "registry")
    repository = _text(fields, "repository") or _text(fields, "newName")
    name = _text(fields, "image") or _text(fields, "name")
    if repository is None:
        at_key = IMAGE_KEY.fullmatch(key) is not None and (registry is not None or "/" in (name or ""))
        named = name if at_key else _text(fields, "image") if registry is not None else None
        parts = [registry, named] if named is not None else []
    elif _text(fields, "image") is not None:
        parts = [registry, repository, _text(fields, "image")]
    else:
        parts = [registry, repository] if IMAGE_KEY.fullmatch(key) or "newName" in fields else []
    whole = "/".join(part.strip("/") for part in parts if part)
    tagged = ":" in whole.rpartition("/")[2]
    tag = "" if tagged else _text(fields, "tag") or _text(fields, "version") or _text(fields, "newTag") or ""
    digest = _text(fields, "digest") or _text(fields, "sha") or ""
    if tag.startswith("sha256:"):
        tag, digest = "", tag
    whole += f":{tag}" if tag else ""
    whole += f"@{digest if ':' in digest else 'sha256:' + digest}" if digest else ""
    return whole if whole and _REFERENCE.fullmatch(whole) else None


def _text(fields: Fields, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) and value else None
