"""Arguments of GpuOperator."""

from corral.catalogue.vocabulary import Addon, SharingKind
from corral.components.gpu_operator import (
    GpuOperator,
    GpuOperatorArgs,
    MigConfiguration,
    MigGpus,
    SharedBy,
    SharedGpus,
)
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring
from corral.stacks.planning.results.pools import MigConfig, MigDevices, PoolPlan


def gpu_operator_args(context: DeployContext) -> GpuOperatorArgs:
    """The GPU operator with the layouts and shares of all pools."""
    plan = context.plan
    configurations = [config for pool in plan.pools for config in pool.mig_configs]
    args: GpuOperatorArgs = {
        **context.installed(Addon.GPU_OPERATOR),
        "platform": plan.cluster.platform,
        "mig_configurations": [mig_configuration(config) for config in configurations],
        "shared_pools": [shared_gpus(pool) for pool in plan.pools if pool.shares > 1],
        "dynamic_mig": any(pool.sharing is SharingKind.MIG_DYNAMIC for pool in plan.pools),
        "dra_driver": plan.state(Addon.DRA_DRIVER),
        **context.watched(Addon.GPU_OPERATOR),
    }
    if plan.cluster.precompiled_driver is not None:
        args["precompiled_driver"] = plan.cluster.precompiled_driver
    return args


def mig_configuration(config: MigConfig) -> MigConfiguration:
    """A layout of a node's GPUs."""
    return {"name": config.name, "gpus": [_gpus(entry) for entry in config.entries]}


def _gpus(entry: MigDevices) -> MigGpus:
    gpus: MigGpus = {"profiles": dict(entry.layout)}
    if entry.devices is not None:
        gpus["devices"] = list(entry.devices)
    return gpus


def shared_gpus(pool: PoolPlan) -> SharedGpus:
    """How a device plugin shares the GPUs of a pool."""
    return {"name": pool.name, "by": SharedBy(pool.sharing.value), "shares": pool.shares}


WIRING = Wiring(GpuOperator, gpu_operator_args)
