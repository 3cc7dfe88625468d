"""Files of a model that run code where they are read, by the endings of their names."""

from enum import StrEnum

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".mar", ".nemo")
"""Python pickles, and archives of them: `torch.load`, `joblib.load` and their like run what is in them."""
CODE = (".py", ".pyc", ".pyd", ".so", ".sh", ".dll", ".dylib", ".exe", ".jar", ".whl")
SAFE = (".safetensors", ".gguf")
"""Weights that are data alone."""


class Unsafe(StrEnum):
    """Why a file is no plain data."""

    PICKLE = "pickle"
    CODE = "code"


def unsafe(name: str) -> Unsafe | None:
    """What runs code in file `name`; None: nothing that an engine knows of."""
    lower = name.lower()
    if lower.endswith(PICKLES):
        return Unsafe.PICKLE
    return Unsafe.CODE if lower.endswith(CODE) else None


def safe_weights(name: str) -> bool:
    """Whether file `name` holds weights that are data alone."""
    return name.lower().endswith(SAFE)
