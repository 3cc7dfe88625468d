"""GPUs in equal shares while a plan is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from corral.catalogue.gpus import gpus
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.devices import DeviceKind, Occupant, occupied, pool_plan, positions
from corral.stacks.planning.results.models import ReplicaPlacement
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan


@dataclass
class SharedAllocator:
    """Shares of GPUs. The device plugin hands them out as they come: any of them may meet on one GPU, so each
    is planned to keep to its part of the memory."""

    pool: GpuPool
    held: list[Occupant] = field(default_factory=list[Occupant])

    def devices(self) -> Sequence[DeviceKind]:
        shares = self.pool.sharing.shares
        gpu = gpus()[self.pool.gpu]
        return (DeviceKind(None, gpu.usable // shares, 1, shares, gpu.compute_capability),)

    def free(self, device: DeviceKind) -> int:
        return len(positions(self.pool)) * device.shares - len(self.held)

    def take(self, device: DeviceKind, count: int, replicas: int, tenant: Occupant) -> bool:
        if replicas > self.free(device):
            return False
        self.held.extend([tenant] * replicas)
        return True

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[ReplicaPlacement, ...]]]:
        (device,) = self.devices()
        waiting = list(self.held)
        plans: list[GpuPlan] = []
        places: dict[str, tuple[ReplicaPlacement, ...]] = {}
        for node, index in positions(self.pool):
            here, waiting = waiting[: device.shares], waiting[device.shares :]
            for model, _used in here:
                places[model] = (*places.get(model, ()), ReplicaPlacement(node, index, None))
            slots = [*here, *[None] * (device.shares - len(here))]
            plans.append(GpuPlan(node, index, tuple(occupied(None, device.usable, one) for one in slots)))
        bound = -(-len(self.held) // device.shares)
        return pool_plan(self.pool, self.pool.sharing.kind, {}, tuple(plans), bound), places
