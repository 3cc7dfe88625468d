"""All checks of a well-typed stack file, in the order in which problems are reported."""

from collections.abc import Iterator

from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.validation.addons import check_addons
from corral.stacks.planning.validation.cluster import check_cluster
from corral.stacks.planning.validation.dynamic_mig import check_dynamic
from corral.stacks.planning.validation.gpu_pools import check_gpu_pools
from corral.stacks.planning.validation.model_storage import check_model_storage
from corral.stacks.planning.validation.models import check_models
from corral.stacks.planning.validation.names import check_names
from corral.stacks.planning.validation.platform import check_platform
from corral.stacks.planning.validation.sharing import check_sharing
from corral.stacks.planning.validation.sovereignty import check_sovereignty
from corral.stacks.planning.validation.tenants import check_fair, check_tenants
from corral.stacks.planning.validation.vector_db import check_vector_db
from corral.stacks.planning.validation.versions import check_versions

CHECKS = (
    check_names,
    check_sovereignty,
    check_cluster,
    check_gpu_pools,
    check_models,
    check_tenants,
    check_model_storage,
    check_vector_db,
    check_addons,
    check_sharing,
    check_platform,
    check_fair,
    check_versions,
    check_dynamic,
)


def check(config: StackConfig) -> Iterator[Problem]:
    """Everything wrong with a well-typed configuration."""
    for one in CHECKS:
        yield from one(config)
