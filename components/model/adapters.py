"""The LoRA adapters of a model: imported, verified and mounted as its own files are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from corral.catalogue.adapters import ADAPTER_FOLDER, folder
from corral.components.model.args import LoraAdapter, ModelArgs, Weighty
from corral.components.model.imports import Import, import_job, prefix_of, uri_of
from corral.components.model.loader import Target, emptied, loader

FILES = {"name": "adapter-files", "mountPath": ADAPTER_FOLDER}
"""The mount of the volume that holds them."""


@dataclass(frozen=True)
class AdapterFiles:
    """The files of a model's adapters on their way into its pods."""

    before: list[pulumi.Resource] = field(default_factory=lambda: [])
    """What must be there before a replica."""
    loaders: list[dict[str, Any]] = field(default_factory=lambda: [])
    """What brings and verifies them, a container for each adapter."""
    volumes: list[dict[str, Any]] = field(default_factory=lambda: [])
    mounts: list[dict[str, Any]] = field(default_factory=lambda: [])
    """Of the engine, which only reads."""


def adapter_files(
    parent: pulumi.Resource,
    name: str,
    args: ModelArgs,
    real: Weighty,
    *,
    labels: dict[str, str],
    credential: pulumi.Input[str] | None,
) -> AdapterFiles:
    """The adapters of model `name`, whose own files are `real`; `credential` as the loader has it."""
    adapters = args.get("adapters", [])
    if not adapters:
        return AdapterFiles()
    orders = [_order(name, one, real, args) for one in adapters]
    loaders = [
        loader(
            order.real["files"],
            uri_of(real["store"], order.path),
            real["store"],
            credential,
            args["supply"],
            target=Target(f"adapter-{one['name']}", FILES, folder(one["name"])),
        )
        for one, order in zip(adapters, orders, strict=True)
    ]
    return AdapterFiles(
        before=[
            import_job(
                parent,
                order,
                labels=labels,
                supply=args["supply"],
                priority_class=args.get("import_priority_class"),
            )
            for order in orders
        ],
        loaders=loaders,
        volumes=[{"name": FILES["name"], "emptyDir": emptied(_sizes(adapters))}],
        mounts=[{**FILES, "readOnly": True}],
    )


def _order(name: str, one: LoraAdapter, real: Weighty, args: ModelArgs) -> Import:
    files: Weighty = {
        "source": one.get("source", ""),
        "files": one.get("files", []),
        "license": one.get("license", real["license"]),
        "store": real["store"],
    }
    # A canary has the adapters of its model, which both import.
    logical = f"{name}-{one['name']}"
    return Import(
        logical,
        f"import-{one['name']}",
        files,
        one.get("path") or prefix_of(one["name"], files),
        one.get("source_access"),
        model=name,
    )


def _sizes(adapters: Sequence[LoraAdapter]) -> list[int | None]:
    return [file.get("size") for one in adapters for file in one.get("files", [])] + [
        None for one in adapters if not one.get("files")
    ]
