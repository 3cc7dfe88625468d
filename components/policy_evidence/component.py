"""A ConfigMap that says that no policy pack ran, until one does and stamps it."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import checked, child, labels, token
from corral.components._namespaces import own_namespace
from corral.controls.stamp import LABEL, STAMPED, unstamped

COMPONENT = "policy-evidence"
NAMESPACE = "corral-evidence"
CONFIG_MAP = "policy"


class PolicyEvidenceArgs(TypedDict):
    """Where the evidence is kept."""

    namespace: NotRequired[str]
    """Namespace of the ConfigMap; `corral-evidence` when omitted."""
    create_namespace: NotRequired[bool]
    """Make the namespace; true when omitted."""


class PolicyEvidence(pulumi.ComponentResource):
    """The ConfigMap `policy`, which a run with the policy pack stamps with version and verdict.

    What it depends on has been evaluated when it is stamped: make it last, with `depends_on` everything else.
    """

    policy: pulumi.Output[str]
    """Name and version of the pack that ran; `not run` where none did."""
    verdict: pulumi.Output[str]
    """`passed`, `violated`, `loosened`, or `not run`."""

    def __init__(self, name: str, args: PolicyEvidenceArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, PolicyEvidenceArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        namespace = own_namespace(
            self,
            f"{name}-namespace",
            args.get("namespace", NAMESPACE),
            component=COMPONENT,
            supply={},
            create=args.get("create_namespace", True),
        )
        stamped = kubernetes.core.v1.ConfigMap(
            name,
            metadata={
                "name": CONFIG_MAP,
                "namespace": namespace,
                "labels": {**labels(COMPONENT, name), LABEL: STAMPED},
            },
            data=unstamped(),
            opts=child(self),
        )
        data = cast("pulumi.Output[Any]", stamped.data)
        self.policy, self.verdict = data["policy"], data["verdict"]
        self.register_outputs({"policy": self.policy, "verdict": self.verdict})
