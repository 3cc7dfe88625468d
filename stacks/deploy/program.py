"""From the plan to components: it only wires."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from corral.catalogue.addons import descriptors
from corral.catalogue.vocabulary import Addon
from corral.components.device_classes import DeviceClasses
from corral.components.fair_sharing import TenantQueues
from corral.components.model import Model
from corral.components.policy_evidence import PolicyEvidence
from corral.stacks.deploy.clusters import connect
from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.model import model_args
from corral.stacks.deploy.outputs import outputs
from corral.stacks.deploy.repair import written_back
from corral.stacks.deploy.wiring import FurtherWiring, Wiring, wirings
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan


class Platform:
    """Everything that a plan describes, on one cluster."""

    outputs: Mapping[str, pulumi.Input[Any]]
    """What `pulumi stack output` shows."""

    def __init__(self, plan: Plan, cluster: Cluster | None = None):
        self._cluster = cluster or connect(plan)
        self._context = DeployContext.of(plan, self._cluster)
        self._built = self._context.built

        wired = {addon: wirings(addon) for addon in descriptors() if self._context.enabled(addon)}
        for addon, (own, _) in wired.items():
            self._add(own, addon.value, descriptors()[addon].after, addon)
        pools = [nodes for pool in plan.pools for nodes in self._pool(pool)]
        further = [one for _, several in wired.values() for one in several]
        self._add_further(one for one in further if not one.calls_models)
        models = self._context.models
        models.update((model.name, self._model(model, pools)) for model in plan.models)
        self._add_further(one for one in further if one.calls_models)

        # Last, so that the policies have evaluated everything else when they stamp it.
        everything = [*self._built.all(), *pools, *models.values()]
        self._built.add(PolicyEvidence("evidence", {}, self._after(more=everything)), None)

        self.outputs = outputs(plan, models, self._built)

    def _add(
        self,
        wiring: Wiring[Any],
        name: str,
        after: Iterable[Addon],
        addon: Addon | None = None,
        more: Iterable[pulumi.Resource] = (),
    ) -> None:
        args = wiring.args(self._context)
        if args is not None:
            self._built.add(wiring.component(name, args, self._after(*after, more=more)), addon)

    def _add_further(self, further: Iterable[FurtherWiring[Any]]) -> None:
        for one in further:
            awaited = self._context.models.values() if one.awaits_models else ()
            self._add(one, one.name, one.after, more=awaited)

    def _after(self, *addons: Addon, more: Iterable[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """On the cluster, once these addons are there, and `more`."""
        before = [*self._built.of(addons), *more]
        return pulumi.ResourceOptions(
            provider=self._cluster.provider, depends_on=before, transformations=[written_back]
        )

    def _pool(self, pool: PoolPlan) -> Sequence[pulumi.Resource]:
        # The label names a layout, which must be there first.
        after = self._after(Addon.GPU_OPERATOR, Addon.DRA_DRIVER)
        return self._cluster.node_pool(pool, self._context.plan.cost, after)

    def _model(self, model: ModelPlan, pools: list[pulumi.Resource]) -> Model:
        further = [self._built.get(one) for one in (DeviceClasses, TenantQueues)]
        before = self._after(
            *(
                Addon.KSERVE,
                Addon.PROMETHEUS_CRDS,
                Addon.ADMISSION,
                Addon.KUEUE,
                Addon.KEDA,
                Addon.MODEL_CACHE,
                Addon.LLM_INFERENCE_SERVICE,
                Addon.LWS,
            ),
            more=[*(one for one in further if one is not None), *pools],
        )
        return Model(model.name, model_args(self._context, model), before)
