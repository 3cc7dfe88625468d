"""Add-ons that AWS keeps, each with a role of its own where its pods act in AWS."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.catalogue.eks import EksAddon, eks_services
from corral.components._aws import POD_IDENTITY, service_role
from corral.components.eks_cluster.site import EksSite


def addons(
    site: EksSite,
    cluster: aws.eks.Cluster,
    versions: Mapping[str, str],
    *,
    before_nodes: bool,
    after: Sequence[pulumi.Resource] = (),
) -> list[pulumi.Resource]:
    """The add-ons that nodes wait for, or those that wait for nodes."""
    chosen = {name: one for name, one in eks_services().addons.items() if one.before_nodes is before_nodes}
    return [_addon(site, cluster, name, one, versions.get(name), after) for name, one in chosen.items()]


def _addon(
    site: EksSite,
    cluster: aws.eks.Cluster,
    name: str,
    entry: EksAddon,
    version: str | None,
    after: Sequence[pulumi.Resource],
) -> aws.eks.Addon:
    return aws.eks.Addon(
        f"{site.name}-{name}",
        cluster_name=cluster.name,
        addon_name=name,
        addon_version=version or entry.pin,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        region=site.region,
        tags=site.tagged(),
        **_configured(entry),
        **_identity(site, name, entry, after),
    )


def _configured(entry: EksAddon) -> dict[str, Any]:
    if not entry.configuration:
        return {}
    return {"configuration_values": pulumi.Output.json_dumps(dict(entry.configuration), sort_keys=True)}


def _identity(site: EksSite, name: str, entry: EksAddon, after: Sequence[pulumi.Resource]) -> dict[str, Any]:
    """Role of the account that acts in AWS, and options: an add-on waits for its role's rights."""
    if entry.service_account is None or entry.policy is None:
        return {"opts": site.child(depends_on=list(after))}
    role = service_role(site, f"{name}-role", POD_IDENTITY, policies=[entry.policy])
    association = aws.eks.AddonPodIdentityAssociationArgs(
        role_arn=role.arn, service_account=entry.service_account
    )
    return {
        "pod_identity_associations": [association],
        "opts": site.child(depends_on=[*after, *role.rights]),
    }
