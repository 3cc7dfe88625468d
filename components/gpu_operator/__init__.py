"""GPUs made schedulable, partitioned and observable."""

from corral.components.gpu_operator.component import GpuOperator, GpuOperatorArgs
from corral.components.gpu_operator.device_plugin import SharedBy, SharedGpus
from corral.components.gpu_operator.mig import MigConfiguration, MigGpus

__all__ = [
    "GpuOperator",
    "GpuOperatorArgs",
    "MigConfiguration",
    "MigGpus",
    "SharedBy",
    "SharedGpus",
]
