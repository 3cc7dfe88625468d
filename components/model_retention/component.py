"""What stays in the bucket of models besides what is served."""

from typing import NotRequired, TypedDict

import pulumi

from corral.components._kit import checked, labels, refuse, token
from corral.components.model_storage.job import tool_job
from corral.components.store import Store, scheme_of
from corral.components.supply import Supply

COMPONENT = "model-retention"
PREVIOUS = 1


class ModelRetentionArgs(TypedDict):
    """What stays in the bucket of models."""

    served: dict[str, str]
    """Key prefix that each model is served from, by its name, such as `chat-1a2b3c4d`."""
    store: Store
    """Where they are, such as `ModelStorage.store`."""
    supply: Supply
    """Where the tools image comes from."""
    previous: NotRequired[int]
    """How many others of each model stay, the latest imports; 1 when omitted."""


class ModelRetention(pulumi.ComponentResource):
    """Removes imports that no model is served from any more, on the cluster given as provider.

    It depends on all models (`depends_on`): until the last replica of one has changed over, another may start
    anew from the former files. Only prefixes that an import made are removed, of the models named alone.
    """

    def __init__(self, name: str, args: ModelRetentionArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelRetentionArgs, name)
        previous = args.get("previous", PREVIOUS)
        if not args["served"]:
            refuse([f"{name}.served: no model; leave the component out"])
        super().__init__(token(type(self)), name, {}, opts)
        store = args["store"]
        options = ["--previous", str(previous)]
        options += [word for one in sorted(args["served"].items()) for word in ("--serve", "=".join(one))]
        bucket = pulumi.Output.concat(scheme_of(store), "://", store["bucket"])
        tool_job(
            self,
            f"{name}-prune",
            prefix="prune-models",
            labels=labels(COMPONENT, name, job="prune"),
            arguments=["prune", *options, "--in", bucket],
            identity=["prune", *options],
            store=store,
            credential=store.get("writer_secret"),
            supply=args["supply"],
        )
        self.register_outputs({})
