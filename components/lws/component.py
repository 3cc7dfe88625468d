"""The controller of LeaderWorkerSets: groups of pods that start and end together, one on each node."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, existing_api, install, token
from corral.components._namespaces import namespace_of
from corral.components.supply import Supply, pull_secrets, repository_and_tag

COMPONENT = "lws"
NAMESPACE = descriptor(Addon.LWS).namespace
SETS = definition(Addon.LWS)


class LeaderWorkerSetsArgs(TypedDict):
    """What the controller of LeaderWorkerSets needs to know."""

    supply: Supply
    """Where chart and image come from."""
    replicas: NotRequired[int]
    """Controllers, of which one works; 2 when omitted."""
    existing: NotRequired[bool]
    """True: the controller is there; only its resource type is checked."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class LeaderWorkerSets(pulumi.ComponentResource):
    """Lets a replica of a model span nodes, on the cluster given as provider.

    The certificate of its webhook is of its own making. The chart's controller may read every Secret of the
    cluster.
    """

    namespace: pulumi.Output[str]
    """Where the controller runs, known once sets can be made."""

    def __init__(self, name: str, args: LeaderWorkerSetsArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, LeaderWorkerSetsArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        if args.get("existing", False):
            there = existing_api(self, f"{name}-sets", *SETS)
            self.namespace = there.urn.apply(lambda _: NAMESPACE)
        else:
            space = namespace_of(self, name, NAMESPACE, args, component=COMPONENT)
            made = install(
                self,
                f"{name}-chart",
                chart("lws"),
                values(args["supply"], replicas=args.get("replicas", 2)),
                namespace=space,
                supply=args["supply"],
            )
            self.namespace = pulumi.Output.all(space, made.urn).apply(lambda known: str(known[0]))
        self.register_outputs({"namespace": self.namespace})


def values(supply: Supply, *, replicas: int) -> dict[str, Any]:
    """Values of `lws`: image by mirror, and a user that the level of the namespace admits."""
    repository, tag = repository_and_tag(image("lws"), supply)
    return {
        "replicaCount": replicas,
        "image": {"manager": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}},
        "podSecurityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        **({"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}),
    }
