"""Hosts outside a site that a property names: addresses, registries, hubs."""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import cast

URL = re.compile(
    r"(?<![\w.+-])(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^\s/?#\"'`<>,;)\\]+)", re.IGNORECASE
)
WITHOUT_HOST = frozenset({"s3", "pvc", "unix", "file", "spiffe", "local", "secret"})
"""Schemes whose first part is a bucket, a claim or a path."""
HUBS: Mapping[str, str] = {"hf": "huggingface.co", "gs": "storage.googleapis.com"}
"""Schemes that stand for a host."""
PUBLIC = (
    *("docker.io", "docker.com", "ghcr.io", "quay.io", "nvcr.io", "registry.k8s.io", "gcr.io", "pkg.dev"),
    *("public.ecr.aws", "mcr.microsoft.com", "helm.ngc.nvidia.com", "ngc.nvidia.com"),
    *("huggingface.co", "hf.co", "modelscope.cn", "ollama.com"),
    *("github.com", "githubusercontent.com", "github.io", "gitlab.com"),
    *("pulumi.com", "amazonaws.com", "amazonaws.eu", "googleapis.com", "windows.net", "azurecr.io"),
    *("debian.org", "ubuntu.com", "rekor.sigstore.dev", "fulcio.sigstore.dev", "sigstore.dev"),
)
"""Hosts that are public wherever they are named, with all below them."""
_BARE = re.compile(rf"(?<![\w./@-])(?:[\w-]+\.)*(?:{'|'.join(map(re.escape, PUBLIC))})(?![\w-]|\.\w)")
_INTERNAL = (".svc", ".svc.cluster.local", ".cluster.local", ".local", ".internal", ".localhost")
NO_ADDRESSES = frozenset({"_example", "defaultRegistry", "runbook_url"})
"""Keys whose texts nothing connects to: KServe's comment on a ConfigMap; the registry that Kyverno completes
an image's name with, as nodes do; the page that a person reads about an alert."""
COMMENT = re.compile(r"#.*")
_CONTAINER_LISTS = ("containers", "initcontainers", "ephemeralcontainers")


def public_hosts(value: object, site: Collection[str], path: str = "") -> Iterator[tuple[str, str]]:
    """(Path, host) of each host that is neither in the cluster nor one of `site`, nor below one of those.

    Keys of labels and comments of PromQL are no hosts.
    """
    if isinstance(value, str):
        for host in dict.fromkeys(_hosts(value)):
            if not _inside(host, site):
                yield path, host
    elif isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            if key in NO_ADDRESSES or (key == "key" and "operator" in value):
                continue
            place = f"{path}.{key}" if path else str(key)
            if key == "expr" and isinstance(inner, str):
                inner = COMMENT.sub("", inner)
            if str(key).lower() in _CONTAINER_LISTS:
                yield from _images(inner, site, place)
            yield from public_hosts(inner, site, place)
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            yield from public_hosts(inner, site, f"{path}[{index}]")


def _hosts(text: str) -> Iterator[str]:
    for match in URL.finditer(text):
        scheme = match["scheme"].lower()
        if scheme in HUBS:
            yield HUBS[scheme]
        elif scheme not in WITHOUT_HOST:
            yield _host(match["authority"])
    for match in _BARE.finditer(text):
        yield match[0].lower()


def _host(authority: str) -> str:
    """The host of `user@host:port`."""
    plain = authority.rpartition("@")[2]
    if plain.startswith("["):
        return plain[1:].partition("]")[0]
    return plain.partition(":")[0].lower()


def _images(containers: object, site: Collection[str], path: str) -> Iterator[tuple[str, str]]:
    """Images without a registry, which a node takes from Docker Hub."""
    several = cast("list[object]", containers) if isinstance(containers, list) else []
    for index, one in enumerate(several):
        image = cast("Mapping[str, object]", one).get("image") if isinstance(one, Mapping) else None
        if not isinstance(image, str) or not image:
            continue
        host, slash, _ = image.partition("/")
        named = slash and ("." in host or ":" in host or host == "localhost")
        if not named:
            yield f"{path}[{index}].image", "docker.io"
        elif not _inside(_host(host), site) and not _BARE.match(image):
            yield f"{path}[{index}].image", _host(host)


def _inside(host: str, site: Collection[str]) -> bool:
    if any(host == one or host.endswith(f".{one}") for one in site):
        return True
    if "." not in host and ":" not in host:
        return True
    if host.endswith(_INTERNAL):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return not re.search(r"[a-z]", host) or any(one in host for one in "${}*%[]()|\\")
    return not address.is_global
