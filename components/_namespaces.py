"""The namespace that a component runs in: its own, or one that is there and stays as it is."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import COMPONENT_LABEL, PACKAGE, PodSecurity, child, name_of, namespace
from corral.components.supply import Supply, registry_credential

PULL_SECRET_TYPE = "kubernetes.io/dockerconfigjson"


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
    """
    if not create:
        return name_of(kubernetes.core.v1.Namespace.get(logical, name, opts=child(parent)))
    space = namespace(parent, logical, name, component=component, level=level, more_labels=more_labels)
    credential = registry_credential(supply)
    if credential is None:
        return name_of(space)
    secret = kubernetes.core.v1.Secret(
        f"{logical}-registry",
        type=PULL_SECRET_TYPE,
        metadata={
            "name": credential.secret,
            "namespace": name_of(space),
            "labels": {COMPONENT_LABEL: component, "app.kubernetes.io/part-of": PACKAGE},
        },
        string_data={".dockerconfigjson": credential.content},
        opts=child(parent),
    )
    return cast("pulumi.Output[str]", cast(Any, secret.metadata)["namespace"])
