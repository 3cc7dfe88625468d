"""What brings a model's files into its pod, and lets none in that is not the one imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from corral.catalogue.images import image
from corral.catalogue.quantities import GIB
from corral.catalogue.runtimes import MODEL_FOLDER
from corral.components.model.args import ModelFile
from corral.components.model_storage.job import CREDENTIAL_KEYS
from corral.components.store import Store, variables
from corral.components.supply import Supply, reference

NAME = "storage-initializer"
"""KServe adds none of its own beside a container of this name, and reports its failure as the model's."""
FILES = {"name": "model-files", "mountPath": MODEL_FOLDER}
"""The mount of the volume that holds them."""


CACHE_SECONDS = 3000
"""How long a replica waits for its node to have the files."""


def files_mount(folder: pulumi.Input[str] | None) -> dict[str, Any]:
    """The mount of those files, which nobody may change; `folder`: where they are in a volume of the node."""
    return {**FILES, "readOnly": True, **({} if folder is None else {"subPath": folder})}


@dataclass(frozen=True)
class Target:
    """Where in a pod files go."""

    container: str = NAME
    """Name of what brings them."""
    mount: Mapping[str, str] = field(default_factory=lambda: FILES)
    """Mount of the volume that they go to."""
    folder: str = MODEL_FOLDER


MODEL = Target()


def emptied(sizes: Sequence[int | None]) -> dict[str, str]:
    """An emptyDir for files of `sizes` bytes, a GiB larger; without end while one is unknown."""
    known = [size for size in sizes if size is not None]
    if not sizes or len(known) < len(sizes):
        return {}
    return {"sizeLimit": f"{1 - (-sum(known) // GIB)}Gi"}


def loader(
    files: Sequence[ModelFile],
    uri: pulumi.Output[str],
    store: Store,
    credential: pulumi.Input[str] | None,
    supply: Supply,
    folder: pulumi.Input[str] | None = None,
    *,
    target: Target = MODEL,
) -> dict[str, Any]:
    """An init container that reads `uri` by the credential's Secret, and fails unless every file is right.

    `files` empty: those that the manifest of the import names. `credential` None: the pod's account is let
    in. `folder`: where in the volume somebody else brings the files; it then waits, verifies and writes
    nothing.
    """
    waiting = [] if folder is None else ["--wait", str(CACHE_SECONDS)]
    sums = [word for one in files for word in ("--sha256", f"{one['name']}={one['sha256']}")]
    keys = [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": credential, "key": key}}}
        for key in (() if credential is None else CREDENTIAL_KEYS)
    ]
    plain = {**variables(store), "HOME": "/tmp"}
    return {
        "name": target.container,
        "image": reference(image("tools"), supply),
        "command": ["corral"],
        "args": ["load", "--from", uri, "--to", target.folder, *waiting, *sums],
        "env": [*keys, *({"name": name, "value": value} for name, value in plain.items())],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [files_mount(folder) if folder is not None else dict(target.mount)],
    }
