"""Section `model-storage`: an endpoint where the store exists."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import StorageKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_model_storage(config: StackConfig) -> Iterator[Problem]:
    """An endpoint that is missing or superfluous."""
    store = config.model_storage
    if (store.kind is StorageKind.EXISTING) != (store.endpoint is not None):
        yield Problem(
            "model-storage.endpoint", store.endpoint or "missing", "kind existing has one, seaweedfs none"
        )
