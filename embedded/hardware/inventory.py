"""The inventory file: simulated machines, and what their GPU products can do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corral.catalogue import yamls

MIB_PER_GIB = 1024
Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab)


class InventoryError(Exception):
    """The inventory file is wrong; one line per problem."""


class Engines(_Model):
    """Fixed-function units of one MIG profile; encoders there are none on any product of the file."""

    copy_: Positive = Field(alias="copy")
    decoders: Count = 0
    jpeg: Count = 0
    ofa: Count = 0
    """Optical flow accelerators."""


class Profile(_Model):
    """One MIG profile of a product."""

    shape: str
    """Its row in the geometry, such as `1g` or `1g-double`."""
    usable_gib: Annotated[float, Field(gt=0)]
    """GiB that a process in such a slice sees."""
    multiprocessors: Positive
    engines: Engines

    @property
    def memory_mib(self) -> int:
        return int(self.usable_gib * MIB_PER_GIB)


class Product(_Model):
    """One GPU product."""

    name: str
    """As the driver reports it, such as `NVIDIA A100-SXM4-40GB`."""
    architecture: str
    compute_capability: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    device_id: str | None = None
    """PCI device and vendor as mig-parted's device filters write them, such as `0x20B010DE`."""
    memory_mib: Positive
    """Nominal memory."""
    usable_gib: Annotated[float, Field(gt=0)]
    """GiB that a process on the whole GPU sees."""
    multiprocessors: Positive | None = None
    compute_slices: int | None = None
    """7 or 4 when the product has MIG."""
    profiles: Mapping[str, Profile] = {}

    @property
    def label(self) -> str:
        """Value of the node label `nvidia.com/gpu.product`."""
        return self.name.replace(" ", "-")


class Machine(_Model):
    """One simulated machine, a node of the cluster."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    cpu: str
    memory: str
    """As a Kubernetes quantity."""
    pods: Positive
    gpu: str | None = None
    gpus: Annotated[int, Field(ge=0, le=16)] = 0


class Inventory(_Model):
    """The whole file."""

    driver: str
    """Version of the GPU driver on every machine."""
    products: Mapping[str, Product]
    machines: tuple[Machine, ...]

    def product(self, machine: Machine) -> Product | None:
        """What GPUs the machine has."""
        return self.products[machine.gpu] if machine.gpu else None


def read(path: Path) -> Inventory:
    """Read an inventory file.

    Raises:
        InventoryError: it cannot be read or is wrong.
    """
    try:
        content = yamls.load(path.read_text())
        inventory = Inventory.model_validate(content)
    except (OSError, yaml.YAMLError) as cause:
        raise InventoryError(f"{path}: {cause}") from None
    except ValidationError as cause:
        lines = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in cause.errors()]
        raise InventoryError("\n".join(lines)) from None
    problems = [f"{path}: {problem}" for problem in _problems(inventory)]
    if problems:
        raise InventoryError("\n".join(problems))
    return inventory


def load(path: str | Path) -> tuple[Machine, ...]:
    """The machines of an inventory file; raises `InventoryError`."""
    return read(Path(path)).machines


def _problems(inventory: Inventory) -> list[str]:
    names = [machine.name for machine in inventory.machines]
    twice = sorted({name for name in names if names.count(name) > 1})
    allowed = ", ".join(inventory.products)
    return [
        *(f"machine {name!r} is listed twice" for name in twice),
        *(
            f"machine {machine.name!r}: unknown gpu {machine.gpu!r}; allowed: {allowed}"
            for machine in inventory.machines
            if machine.gpu is not None and machine.gpu not in inventory.products
        ),
        *(
            f"machine {machine.name!r}: `gpu` and `gpus` go together"
            for machine in inventory.machines
            if (machine.gpu is None) != (machine.gpus == 0)
        ),
        *(
            f"product {name!r}: compute-slices {product.compute_slices}; allowed: 4, 7, or none"
            for name, product in inventory.products.items()
            if product.compute_slices not in (None, 4, 7)
        ),
    ]
