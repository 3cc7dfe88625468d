"""What every component shares: tokens, labels, children and the one call to Helm."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition
from corral.catalogue.charts import ChartEntry
from corral.catalogue.vocabulary import Addon
from corral.components._args import ArgsError as ArgsError
from corral.components._args import checked as checked
from corral.components._args import hints_of as hints_of
from corral.components._args import refuse as refuse
from corral.components.supply import Supply, locate, placed
from corral.controls.scope import ENFORCED, SCOPE_LABEL

PACKAGE = "corral"
COMPONENT_LABEL = "corral.dev/component"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
RELEASE_TIMEOUT_SECONDS = 900
FORCED = {"pulumi.com/patchForce": "true"}
"""Annotation of an object whose stated fields Pulumi writes though others have changed them."""


class PodSecurity(StrEnum):
    """Pod Security level that a namespace enforces."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


if TYPE_CHECKING:
    PodSecurityWord = PodSecurity | Literal["privileged", "baseline", "restricted"]
else:
    PodSecurityWord = PodSecurity


def token(component: type) -> str:
    """Type token of a component class: `corral:index:<ClassName>`."""
    return f"{PACKAGE}:index:{component.__name__}"


def labels(component: str, instance: str, **more: str) -> dict[str, str]:
    """The one label vocabulary of our objects; `more` are further `corral.dev/` labels.

    >>> labels("model", "chat", pool="slices")["corral.dev/pool"]
    'slices'
    """
    own = {f"corral.dev/{key.replace('_', '-')}": value for key, value in more.items()}
    return {**selector(component, instance), "app.kubernetes.io/part-of": PACKAGE, **own}


def selector(component: str, instance: str) -> dict[str, str]:
    """The subset of `labels` that selects the pods of one instance; it never changes."""
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/instance": instance,
        COMPONENT_LABEL: component,
    }


def child(parent: pulumi.Resource, **more: Any) -> pulumi.ResourceOptions:
    """Options of a child: its parent, and what this child itself needs; nothing from the caller's options."""
    return pulumi.ResourceOptions(parent=parent, **more)


def fingerprint(*parts: object) -> str:
    """Ten hex digits that change with `parts` (plain JSON values): names objects made anew per input."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


def namespace(
    parent: pulumi.Resource,
    logical: str,
    name: pulumi.Input[str],
    *,
    component: str,
    level: PodSecurity = PodSecurity.RESTRICTED,
    more_labels: Mapping[str, str] | None = None,
    **options: Any,
) -> kubernetes.core.v1.Namespace:
    """A namespace in the scope of the policies that enforces, warns and audits one Pod Security level."""
    security = {f"pod-security.kubernetes.io/{mode}": level.value for mode in ("enforce", "warn", "audit")}
    own = {COMPONENT_LABEL: component, SCOPE_LABEL: ENFORCED, "app.kubernetes.io/part-of": PACKAGE}
    return kubernetes.core.v1.Namespace(
        logical,
        metadata={"name": name, "labels": {**own, **security, **(more_labels or {})}},
        opts=child(parent, **options),
    )


def name_of(resource: Any) -> pulumi.Output[str]:
    """Physical name of a Kubernetes object, known once the object exists."""
    return cast("pulumi.Output[str]", resource.metadata["name"])


def install(
    parent: pulumi.Resource,
    logical: str,
    entry: ChartEntry,
    values: Mapping[str, Any],
    *,
    namespace: pulumi.Input[str],
    supply: Supply,
    depends_on: Sequence[pulumi.Resource] = (),
    awaited: bool = True,
    definitions: bool = True,
) -> pulumi.Resource:
    """Install a chart of the catalogue as a Helm release: the only call to Helm.

    The release is named after the chart, so that the objects' names do not depend on the logical name.
    `awaited`: whether a release is done once its objects are ready, and gone once they are; hooks always are
    awaited. `definitions`: whether what the chart has in its folder `crds` is installed.
    """
    location = locate(entry, supply)
    return kubernetes.helm.v3.Release(
        logical,
        chart=location["chart"],
        version=location.get("version"),
        repository_opts={"repo": location["repository"]} if "repository" in location else None,
        name=entry.name,
        namespace=namespace,
        values=placed(values, entry, supply),
        skip_crds=None if definitions else True,
        skip_await=None if awaited else True,
        timeout=RELEASE_TIMEOUT_SECONDS,
        opts=child(parent, depends_on=list(depends_on)),
    )


def install_with_filled_roles(
    parent: pulumi.Resource,
    logical: str,
    entry: ChartEntry,
    values: Mapping[str, Any],
    *,
    namespace: pulumi.Input[str],
    owner: str,
    supply: Supply,
    roles: Mapping[str, str],
    deployments: Mapping[str, str],
    depends_on: Sequence[pulumi.Resource] = (),
) -> list[pulumi.Resource]:
    """`install` of a release with roles that Kubernetes fills from others; what awaits its `deployments`.

    Helm deletes the roles of a release side by side; Kubernetes may fill one again while it goes, and so
    make it anew. Awaited, the release would never be gone; left, the role would be in a later one's way. So
    `roles` are made before the release adopts them and go after it, and it is not awaited; its Deployments
    are, by a patch that changes nothing. Both are keyed by logical name.

    Args:
        owner: the namespace by name, which the roles say before it is made.
    """
    adopted = {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {
            "meta.helm.sh/release-name": entry.name,
            "meta.helm.sh/release-namespace": owner,
        },
    }
    before = [
        kubernetes.rbac.v1.ClusterRole(one, metadata=cast(Any, {"name": name, **adopted}), opts=child(parent))
        for one, name in roles.items()
    ]
    release = install(
        parent,
        logical,
        entry,
        values,
        namespace=namespace,
        supply=supply,
        depends_on=[*before, *depends_on],
        awaited=False,
    )
    return [
        kubernetes.apps.v1.DeploymentPatch(
            one,
            # Without a label: what is recorded of one that is ready at once is from before the patch.
            metadata={"name": name, "namespace": namespace},
            opts=child(parent, depends_on=[release]),
        )
        for one, name in deployments.items()
    ]


def existing_api(parent: pulumi.Resource, logical: str, crd: str, version: str) -> pulumi.Resource:
    """Read a CRD that somebody else installed; fail the run when it does not serve the version we write.

    Raises:
        pulumi.RunError: when the CRD has been read and the version is not served.
    """
    types = kubernetes.apiextensions.v1.CustomResourceDefinition.get(logical, crd, opts=child(parent))

    def require(versions: Sequence[Any]) -> None:
        served = [str(entry["name"]) for entry in versions if entry["served"]]
        if version not in served:
            raise pulumi.RunError(f"{crd}: the cluster serves {', '.join(served)}; {version} is needed")

    # The engine waits for pending applies, and a failed one fails the run.
    cast(Any, types.spec)["versions"].apply(require)
    return types


def prerequisite(
    parent: pulumi.Resource, name: str, addon: Addon, made: pulumi.Input[str] | None
) -> list[pulumi.Resource]:
    """What waits for `addon`, without which nothing of `name` works; to be among the dependencies.

    `made`: what the component that brings it offers, where the same program makes it; nothing is read then.
    Otherwise its types are read, so that a run fails at once, by a resource that names the addon, and not
    when the first object of such a type has waited in vain.
    """
    if made is None:
        return [existing_api(parent, f"{name}-needs-{addon.value}", *definition(addon))]
    return awaited(made)


def awaited(made: pulumi.Input[str]) -> list[pulumi.Resource]:
    """What waits for the resources that `made` comes from, to be among the dependencies."""
    if isinstance(made, str):
        return []
    # The engine takes an output among dependencies, and waits for what it comes from.
    return [cast(pulumi.Resource, pulumi.Output.from_input(made).apply(lambda _: None))]
