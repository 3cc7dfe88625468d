"""The namespace that a component runs in: its own, or one that is there and stays as it is."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.secret_keys import REGISTRY_AUTH
from corral.components._kit import COMPONENT_LABEL, PACKAGE, PodSecurity, child, name_of, namespace
from corral.components._secrets import secret_object
from corral.components.supply import Supply, registry_credential

PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"


class _Creation:
    """What was seen when a namespace was created.

    The provider creates by server-side apply, which changes an object that is there without a word; the
    fields that somebody else manages tell. A preview asks the cluster the same question by a dry run.
    """

    def __init__(self, hook: str, namespace: str):
        self._namespace = namespace
        self._others: list[str] = []
        # A hook that fails only warns: `own` refuses.
        self.hook = pulumi.ResourceHook(hook, self._look, pulumi.ResourceHookOptions(on_dry_run=True))

    def _look(self, args: pulumi.ResourceHookArgs) -> None:
        self._others = other_managers(args.new_outputs or {})

    def own(self, name: str) -> str:
        """`name`, when nobody else had made such a namespace."""
        if self._others:
            raise pulumi.RunError(
                f"namespace {self._namespace!r} is there already, with fields of {', '.join(self._others)}: "
                "use another name, or `create_namespace: false`, which leaves it as it is"
            )
        return name


def other_managers(created: Mapping[str, Any]) -> list[str]:
    """Who else manages fields of an object that has just been created; nobody, unless it was there before.

    >>> ours = {"manager": "pulumi-kubernetes-1f"}
    >>> other_managers({"__fieldManager": "pulumi-kubernetes-1f", "metadata": {"managedFields": [ours]}})
    []
    """
    metadata = cast("Mapping[str, Any]", created.get("metadata") or {})
    entries = cast("Sequence[Mapping[str, Any]]", metadata.get("managedFields") or [])
    return sorted({str(one.get("manager")) for one in entries} - {created.get("__fieldManager")})


def own_namespace(
    parent: pulumi.Resource,
    logical: str,
    name: str,
    *,
    component: str,
    supply: Supply,
    create: bool = True,
    level: PodSecurity = PodSecurity.RESTRICTED,
    more_labels: Mapping[str, str] | None = None,
) -> pulumi.Output[str]:
    """Name of the namespace, known once pods can run there: it is there, and so is the mirror's Secret.

    One that is not made here is read, so that its absence is said at once; its owner brings the Secret.

    Raises:
        pulumi.RunError: the namespace was there before its creation, in preview as well.
    """
    if not create:
        return name_of(kubernetes.core.v1.Namespace.get(logical, name, opts=child(parent)))
    creation = _Creation(f"{component}-{logical}", name)
    space = namespace(
        parent,
        logical,
        name,
        component=component,
        level=level,
        more_labels=more_labels,
        hooks=pulumi.ResourceHookBinding(after_create=[creation.hook]),
    )
    made = name_of(space).apply(creation.own)
    credential = registry_credential(supply)
    if credential is None:
        return made
    secret = secret_object(
        parent,
        f"{logical}-registry",
        {
            "name": credential.secret,
            "namespace": made,
            "labels": {COMPONENT_LABEL: component, "app.kubernetes.io/part-of": PACKAGE},
        },
        values={"config": credential.content},
        keys={"config": REGISTRY_AUTH},
        store=credential.store,
        texts=lambda known: {".dockerconfigjson": known["config"]},
        type_=PULL_SECRET_TYPE,
    )
    return cast("pulumi.Output[str]", cast(Any, secret).metadata["namespace"])


def namespace_of(
    parent: pulumi.Resource,
    name: str,
    namespace: str,
    args: Mapping[str, object],
    *,
    component: str,
    level: PodSecurity = PodSecurity.RESTRICTED,
) -> pulumi.Output[str]:
    """`own_namespace` as the arguments of component `name` have it: `supply`, and `create_namespace`."""
    return own_namespace(
        parent,
        f"{name}-namespace",
        namespace,
        component=component,
        supply=cast(Supply, args["supply"]),
        create=args.get("create_namespace", True) is True,
        level=level,
    )
