"""What brings a model's files, or an adapter's, from their source into the store, and verifies every one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.quantities import GIB
from corral.catalogue.sources import SOURCE_KINDS, scheme_of
from corral.catalogue.stores import model_prefix
from corral.catalogue.vocabulary import SourceScheme
from corral.components import store as stores
from corral.components._kit import name_of
from corral.components._secrets import secret_object
from corral.components.model.args import SourceAccess, Weighty
from corral.components.model_storage.job import tool_job
from corral.components.store import Store
from corral.components.supply import Supply


@dataclass(frozen=True)
class Import:
    """One folder of files on its way into the store."""

    logical: str
    """Beginning of the names of its resources."""
    prefix: str
    """Beginning of the name of its Job."""
    real: Weighty
    path: str
    """Key prefix in the bucket."""
    access: SourceAccess | None
    """Endpoint and credential of its source."""
    model: str | None = None
    """Model that an adapter is imported for; None: it is the model."""


def import_job(
    parent: pulumi.Resource,
    order: Import,
    *,
    labels: dict[str, str],
    supply: Supply,
    unsafe_files: bool = False,
    priority_class: pulumi.Input[str] | None = None,
) -> kubernetes.batch.v1.Job:
    """The Job that carries out `order`, and the Secret that opens its source."""
    real = order.real
    store = real["store"]
    sums = [f"{file['name']}={file['sha256']}" for file in real["files"]]
    options = ["--source", real["source"], "--license", real["license"]]
    options += [word for one in sums for word in ("--sha256", one)] or ["--unlocked"]
    options += ["--allow-unsafe"] if unsafe_files else []
    owner = [] if order.model is None else [order.model]
    return tool_job(
        parent,
        f"{order.logical}-import",
        prefix=order.prefix,
        labels={**labels, "corral.dev/job": "import"},
        arguments=["import", *options, "--to", uri_of(store, order.path)],
        identity=["import", *options, order.path, *owner],
        store=store,
        credential=store.get("writer_secret"),
        supply=supply,
        scratch_gib=_scratch_gib(real),
        priority_class=priority_class,
        **_source(parent, order, labels),
    )


def prefix_of(name: str, real: Weighty) -> str:
    """Key prefix of `name`, which other files have another of."""
    return model_prefix(name, real["source"], {file["name"]: file["sha256"] for file in real["files"]})


def uri_of(store: Store, path: str) -> pulumi.Output[str]:
    """Where in the store the files of key prefix `path` are."""
    return pulumi.Output.concat(stores.scheme_of(store), "://", store["bucket"], "/", path)


def _source(parent: pulumi.Resource, order: Import, labels: Mapping[str, str]) -> dict[str, Any]:
    """What the import is told of a source of its own: variables, and those in a Secret beside it."""
    access, real = order.access, order.real
    scheme = scheme_of(real["source"])
    kind = None if scheme is None else SOURCE_KINDS.get(scheme)
    if access is None or kind is None:
        return {}
    stated = cast("dict[str, Any]", {key.replace("_", "-"): value for key, value in access.items()})
    stored = access.get("stored", {})
    secrets = {
        variable: stated.get(key) for key, variable in kind.secrets.items() if key in stated or key in stored
    }
    settings = {variable: stated[key] for key, variable in kind.settings.items() if key in stated}
    if not secrets:
        return {"settings": settings}
    secret = secret_object(
        parent,
        f"{order.logical}-source",
        {
            "name": f"import-{order.logical}-source",
            "namespace": real["store"]["namespace"],
            "labels": dict(labels),
        },
        values=secrets,
        keys={variable: stored.get(key, key) for key, variable in kind.secrets.items()},
        store=access.get("secret_store"),
    )
    held = {variable: (name_of(secret), variable) for variable in secrets}
    return {"settings": settings, "secrets": held}


def _scratch_gib(real: Weighty) -> int:
    """Scratch of an import: files pass through, but for a package, which is brought whole first."""
    if scheme_of(real["source"]) is not SourceScheme.PACKAGE:
        return 1
    return 1 + 2 * -(-sum(file.get("size", 0) for file in real["files"]) // GIB)
