"""Arguments of LeaderWorkerSets."""

from corral.catalogue.vocabulary import Addon
from corral.components.lws import LeaderWorkerSets, LeaderWorkerSetsArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def lws_args(context: DeployContext) -> LeaderWorkerSetsArgs:
    """The controller before the models of the plan."""
    args: LeaderWorkerSetsArgs = {**context.installed(Addon.LWS)}
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return args


WIRING = Wiring(LeaderWorkerSets, lws_args)
