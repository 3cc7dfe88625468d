"""mig-parted's configuration format, version v1: which GPU of a machine shall be cut how."""

from collections.abc import Mapping
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corral.embedded.hardware.geometry import Impossible, Placed, place
from corral.embedded.hardware.inventory import Product

Layout = tuple[Placed, ...] | None
"""Of one GPU: its slices, or None when MIG is off."""


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab)

    devices: Literal["all"] | tuple[Annotated[int, Field(ge=0)], ...]
    device_filter: str | tuple[str, ...] = ()
    mig_enabled: bool
    mig_devices: Mapping[str, int] = {}

    def covers(self, gpu: int, product: Product) -> bool:
        filters = (self.device_filter,) if isinstance(self.device_filter, str) else self.device_filter
        same = not filters or (product.device_id or "").lower() in {each.lower() for each in filters}
        return same and (self.devices == "all" or gpu in self.devices)


class _Document(BaseModel):
    version: Literal["v1"]
    mig_configs: Mapping[str, tuple[_Entry, ...]] = Field(alias="mig-configs")


def layouts(text: str, name: str, product: Product, gpus: int) -> dict[int, Layout]:
    """Layout by index of each GPU that configuration `name` covers; other GPUs stay as they are.

    Raises:
        Impossible: the text is no mig-parted document, has no such configuration, or asks for what
            the product cannot do.
    """
    entries = _entries(text, name)
    desired: dict[int, Layout] = {}
    for entry in entries:
        if entry.mig_devices and not entry.mig_enabled:
            raise Impossible(f"configuration {name!r} asks for slices with mig-enabled: false")
        if entry.devices != "all" and max(entry.devices, default=0) >= gpus:
            raise Impossible(f"configuration {name!r} names GPU {max(entry.devices)}; there are {gpus}")
        for gpu in range(gpus):
            if entry.covers(gpu, product):
                desired[gpu] = _layout(entry, gpu, product)
    return desired


def _layout(entry: _Entry, gpu: int, product: Product) -> Layout:
    if not entry.mig_enabled:
        return None
    try:
        return place(product, entry.mig_devices)
    except Impossible as cause:
        raise Impossible(f"GPU {gpu}: {cause}") from None


def _entries(text: str, name: str) -> tuple[_Entry, ...]:
    try:
        document = _Document.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as cause:
        raise Impossible(f"the MIG configuration is no YAML: {cause}") from None
    except ValidationError as cause:
        first = cause.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Impossible(f"the MIG configuration is wrong at {where or 'its top'}: {first['msg']}") from None
    if name not in document.mig_configs:
        allowed = ", ".join(document.mig_configs)
        raise Impossible(f"there is no MIG configuration {name!r}; allowed: {allowed}")
    return document.mig_configs[name]
