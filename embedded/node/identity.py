"""What a pod's processes show to the API server: a bound token, and a kubeconfig that names it."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

import yaml

from corral.embedded.kube import Api, Object, resource
from corral.embedded.node.volumes import File, Owner, token_keys, write

DEFAULT: tuple[str, int] = ("", 3600)
REFRESH = 0.8
"""Part of a token's life after which it is replaced."""


@dataclass
class Tokens:
    """The tokens of one pod by (audience, seconds asked for)."""

    values: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    renew_at: dict[tuple[str, int], float] = field(default_factory=dict[tuple[str, int], float])
    """When each is to be replaced, seconds since the epoch."""

    @property
    def next_renewal(self) -> float | None:
        return min(self.renew_at.values(), default=None)

    async def renew(self, api: Api, pod: Object) -> None:
        """Ask for every token of the pod that is missing or due.

        Raises:
            ApiError: refused; `.missing` while the ServiceAccount is not there.
        """
        for key in required_tokens(pod):
            if key in self.values and time.time() < self.renew_at[key]:
                continue
            answer = await request(api, pod, key)
            begun = time.time()
            end = datetime.fromisoformat(answer["expirationTimestamp"]).timestamp()
            self.values[key] = answer["token"]
            self.renew_at[key] = begun + (end - begun) * REFRESH


def required_tokens(pod: Object) -> set[tuple[str, int]]:
    """Tokens to hold: those of its volumes; the default one belongs to every pod that mounts one."""
    keys = token_keys(pod)
    return keys | {DEFAULT} if any(audience == "" for audience, _seconds in keys) else keys


async def request(api: Api, pod: Object, key: tuple[str, int]) -> Object:
    """A token of the pod's ServiceAccount, bound to the pod: the `status` of a TokenRequest."""
    metadata = pod["metadata"]
    audience, seconds = key
    account = str(pod["spec"].get("serviceAccountName") or "default")
    answer = await api.create(
        resource("v1", "serviceaccounts", metadata["namespace"], account, "token"),
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                **({"audiences": [audience]} if audience else {}),
                "expirationSeconds": max(600, seconds),
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
            },
        },
    )
    return cast(Object, answer["status"])


def authority(kubeconfig: Path) -> bytes:
    """The API server's CA certificate, PEM, from the plane's kubeconfig."""
    cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
    data = cluster.get("certificate-authority-data")
    return base64.b64decode(data) if data else Path(cluster["certificate-authority"]).read_bytes()


def write_identity(
    folder: Path, pod: Object, server: str, ca: bytes, tokens: Mapping[tuple[str, int], str], owner: Owner
) -> Path:
    """Bring the pod's identity folder up to date; returns the kubeconfig in it.

    A pod that mounts no token gets a kubeconfig without a user: its requests are anonymous.
    """
    token = tokens.get(DEFAULT)
    namespace = pod["metadata"]["namespace"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "clusters": [
            {"name": "plane", "cluster": {"server": server, "certificate-authority": str(folder / "ca.crt")}}
        ],
        "users": [{"name": "pod", "user": {"tokenFile": str(folder / "token")} if token else {}}],
        "contexts": [{"name": "pod", "context": {"cluster": "plane", "user": "pod", "namespace": namespace}}],
    }
    files = {
        "kubeconfig": File(json.dumps(config).encode(), 0o440),
        "ca.crt": File(ca, 0o444),
        "namespace": File(namespace.encode(), 0o444),
    }
    if token:
        files["token"] = File(token.encode(), 0o440)
    write(folder, files, owner)
    return folder / "kubeconfig"
