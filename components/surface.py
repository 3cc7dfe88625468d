"""Every component of the published surface."""

from pulumi import ComponentResource

from corral.components.admission import Admission
from corral.components.cert_manager import CertManager
from corral.components.crds import Crds
from corral.components.device_classes import DeviceClasses
from corral.components.dra_driver import DraDriver
from corral.components.fair_sharing import FairSharing, TenantQueues
from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.gpu_node_pool.eks import EksGpuNodePool
from corral.components.gpu_node_pool.gke import GkeGpuNodePool
from corral.components.gpu_operator import GpuOperator
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.tenancy import Tenancy
from corral.components.vector_db import VectorDatabase

COMPONENTS: list[type[ComponentResource]] = [
    Admission,
    CertManager,
    Crds,
    DeviceClasses,
    DraDriver,
    EksGpuNodePool,
    ExistingGpuNodePool,
    FairSharing,
    GkeGpuNodePool,
    GpuOperator,
    KServe,
    Kyverno,
    Model,
    ModelStorage,
    Observability,
    Tenancy,
    TenantQueues,
    VectorDatabase,
]
