"""EKS: clusters and node groups by moto; what it has no calls for, by named simulations."""

from typing import Any

from tests.providers.aws.account import Account, found, some
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced
from tests.providers.faults import error
from tests.providers.schema import UNKNOWN

SETTINGS = "cluster"
"""Simulation of what moto's clusters do not keep: version after an upgrade, protection, their own group."""


def _logging(inputs: Inputs) -> dict[str, Any]:
    return {"clusterLogging": [{"types": inputs.get("enabledClusterLogTypes", []), "enabled": True}]}


def _cluster(account: Account, inputs: Inputs) -> Made:
    name = inputs["name"]
    account.eks.create_cluster(
        name=name,
        version=inputs["version"],
        roleArn=inputs["roleArn"],
        resourcesVpcConfig=inputs["vpcConfig"],
        accessConfig=inputs["accessConfig"],
        encryptionConfig=[inputs["encryptionConfig"]],
        logging=_logging(inputs),
        bootstrapSelfManagedAddons=inputs["bootstrapSelfManagedAddons"],
        deletionProtection=inputs["deletionProtection"],
        tags=inputs["tags"],
    )
    cluster = account.eks.describe_cluster(name=name)["cluster"]
    subnets = account.ec2.describe_subnets(SubnetIds=inputs["vpcConfig"]["subnetIds"])["Subnets"]
    vpc = subnets[0]["VpcId"]
    group = account.ec2.create_security_group(
        GroupName=f"eks-cluster-sg-{name}", Description="EKS created security group", VpcId=vpc
    )["GroupId"]
    reached = _reached(account, cluster)
    settings = {"group": group, "vpc": vpc, "deletionProtection": inputs["deletionProtection"], **reached}
    account.simulate(SETTINGS, name, settings)
    made = {"clusterSecurityGroupId": group, "vpcId": vpc}
    return name, {
        "arn": cluster["arn"],
        "endpoint": reached["endpoint"],
        "certificateAuthority": {"data": reached["authority"]},
        "status": cluster["status"],
        "vpcConfig": {**inputs["vpcConfig"], **made},
    }


def _reached(account: Account, cluster: Inputs) -> dict[str, str]:
    """Where the API answers, and its authority: moto's, where nothing does, without a plane."""
    if account.plane is not None:
        return {"endpoint": account.plane.endpoint, "authority": account.plane.authority}
    return {"endpoint": cluster["endpoint"], "authority": cluster["certificateAuthority"]["data"]}


def _cluster_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    answer = found(account.eks.describe_cluster, name=name)
    if answer is None:
        return None
    one = answer["cluster"]
    config = one["resourcesVpcConfig"]
    logged = [kind for each in one["logging"]["clusterLogging"] if each["enabled"] for kind in each["types"]]
    encrypted = [
        {"resources": each["resources"], "provider": {"keyArn": each["provider"]["keyArn"]}}
        for each in one.get("encryptionConfig") or ()
    ]
    return {
        "name": name,
        "roleArn": one["roleArn"],
        **({"encryptionConfig": encrypted[0]} if encrypted else {}),
        "version": account.simulated[SETTINGS, name].get("version", one["version"]),
        "deletionProtection": account.simulated[SETTINGS, name]["deletionProtection"],
        "enabledClusterLogTypes": logged,
        "vpcConfig": {
            "subnetIds": config["subnetIds"],
            "endpointPrivateAccess": config["endpointPrivateAccess"],
            "endpointPublicAccess": config["endpointPublicAccess"],
        },
        "tags": one["tags"],
    }


def _cluster_changed(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    settings = account.simulated[SETTINGS, name]
    account.eks.update_cluster_config(
        name=name,
        resourcesVpcConfig=new["vpcConfig"],
        logging=_logging(new),
        deletionProtection=new["deletionProtection"],
    )
    call = {"name": name, "version": new["version"]}
    account.valid(account.eks, "UpdateClusterVersion", call)
    account.simulated[SETTINGS, name] = {
        **settings,
        "version": new["version"],
        "deletionProtection": new["deletionProtection"],
    }
    _retagged(account, account.eks.describe_cluster(name=name)["cluster"]["arn"], old, new)
    return {}


def _retagged(account: Account, arn: str, old: Inputs, new: Inputs) -> None:
    if old.get("tags") == new.get("tags"):
        return
    gone = sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
    if gone:
        account.eks.untag_resource(resourceArn=arn, tagKeys=gone)
    account.eks.tag_resource(resourceArn=arn, tags=new.get("tags") or {})


def _no_cluster(account: Account, name: str, inputs: Inputs) -> None:
    if account.simulated[SETTINGS, name]["deletionProtection"]:
        message = f"Cluster {name} has deletion protection enabled"
        raise error("InvalidRequestException", message, "DeleteCluster")
    account.eks.delete_cluster(name=name)
    if account.plane is not None:
        account.plane.end()
    group = account.simulated.pop((SETTINGS, name))["group"]
    account.ec2.delete_security_group(GroupId=group)


def _sized(inputs: Inputs, operation: str) -> None:
    """Refuse sizes as AWS does, which moto takes (terraform-aws-modules/terraform-aws-eks, issue 2508)."""
    size = inputs["scalingConfig"]
    if size["minSize"] > size["desiredSize"]:
        message = (
            f"Minimum capacity {size['minSize']} can't be greater than desired size {size['desiredSize']}"
        )
        raise error("InvalidParameterException", message, operation)


def _nodes(account: Account, inputs: Inputs) -> Made:
    cluster, name = inputs["clusterName"], inputs["nodeGroupName"]
    _sized(inputs, "CreateNodegroup")
    made = account.eks.create_nodegroup(
        **some(
            clusterName=cluster,
            nodegroupName=name,
            version=inputs.get("version"),
            releaseVersion=inputs.get("releaseVersion"),
            nodeRole=inputs["nodeRoleArn"],
            subnets=inputs["subnetIds"],
            amiType=inputs.get("amiType"),
            capacityType=inputs.get("capacityType"),
            scalingConfig=inputs["scalingConfig"],
            updateConfig=inputs.get("updateConfig"),
            labels=inputs.get("labels"),
            taints=inputs.get("taints"),
            launchTemplate=inputs.get("launchTemplate"),
            tags=inputs.get("tags"),
        )
    )["nodegroup"]
    groups = [{"name": one["name"]} for one in made["resources"]["autoScalingGroups"]]
    if account.plane is not None:
        account.plane.nodes(account, inputs)
    return f"{cluster}:{name}", {
        "arn": made["nodegroupArn"],
        "status": made["status"],
        "resources": [{"autoscalingGroups": groups}],
    }


def _nodes_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    cluster, _, name = identity.partition(":")
    answer = found(account.eks.describe_nodegroup, clusterName=cluster, nodegroupName=name)
    if answer is None:
        return None
    one = answer["nodegroup"]
    return {key: one.get(key) for key in ("scalingConfig", "labels", "taints", "tags")}


def _nodes_changed(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    cluster, _, name = identity.partition(":")
    which = {"clusterName": cluster, "nodegroupName": name}
    _sized(new, "UpdateNodegroupConfig")
    labels = new.get("labels", {})
    taken = [one for one in old.get("taints", []) if one not in new.get("taints", [])]
    account.eks.update_nodegroup_config(
        **which,
        scalingConfig=new["scalingConfig"],
        **some(updateConfig=new.get("updateConfig")),
        labels={
            "addOrUpdateLabels": labels,
            "removeLabels": sorted(set(old.get("labels", {})) - set(labels)),
        },
        taints={"addOrUpdateTaints": new.get("taints", []), "removeTaints": taken},
    )
    # moto has no call for the update of nodes' version or template.
    version = some(version=new.get("version"), launchTemplate=new.get("launchTemplate"))
    account.valid(account.eks, "UpdateNodegroupVersion", {**which, **version})
    _retagged(account, account.eks.describe_nodegroup(**which)["nodegroup"]["nodegroupArn"], old, new)
    if account.plane is not None:
        account.plane.nodes(account, new)
    return {}


def _no_nodes(account: Account, identity: str, inputs: Inputs) -> None:
    cluster, _, name = identity.partition(":")
    account.eks.delete_nodegroup(clusterName=cluster, nodegroupName=name)
    if account.plane is not None:
        account.plane.no_nodes(name)


def _simulated(operation: str, keys: tuple[str, ...], identity: tuple[str, ...], **renamed: str) -> Kind:
    """What moto has no calls for: botocore's model of the call refuses what AWS would not take.

    Args:
        keys: inputs that are sent; `renamed` those that AWS calls otherwise.
        identity: inputs that make up the id, and that cannot be changed.
    """

    def sent(inputs: Inputs) -> dict[str, Any]:
        return some(**{renamed.get(key, key): inputs.get(key) for key in keys})

    def create(account: Account, inputs: Inputs) -> Made:
        account.valid(account.eks, operation, sent(inputs))
        if found(account.eks.describe_cluster, name=inputs["clusterName"]) is None:
            message = f"No cluster found for name: {inputs['clusterName']}."
            raise error("ResourceNotFoundException", message, operation)
        name = ":".join(inputs[key] for key in identity)
        account.simulate(operation, name, {key: inputs[key] for key in (*keys, "tags") if key in inputs})
        if account.plane is not None:
            account.plane.made(account, operation, inputs)
        return name, {"arn": account.arn("eks", f"{operation.lower()}/{name}")}

    def read(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
        return account.simulated.get((operation, name))

    def update(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
        account.valid(account.eks, operation, sent(new))
        account.simulated[operation, name] = {key: new[key] for key in (*keys, "tags") if key in new}
        return {}

    def delete(account: Account, name: str, inputs: Inputs) -> None:
        account.simulated.pop((operation, name), None)
        if account.plane is not None:
            account.plane.removed(operation, inputs)

    return Kind(create, read, delete, update, replaced(*identity))


def _tag(account: Account, inputs: Inputs) -> Made:
    """Of a scaling group that EKS made, of which moto knows the name alone."""
    group, tag = inputs["autoscalingGroupName"], inputs["tag"]
    whole = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": tag["key"]}
    more = {"Value": tag["value"], "PropagateAtLaunch": tag["propagateAtLaunch"]}
    account.valid(account.autoscaling, "CreateOrUpdateTags", {"Tags": [{**whole, **more}]})
    name = f"{group},{tag['key']}"
    account.simulated["scaling-tag", name] = {"tag": tag}
    return name, {}


def _tag_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    return account.simulated.get(("scaling-tag", name))


def _tag_changed(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    _tag(account, new)
    return {}


def _no_tag(account: Account, name: str, inputs: Inputs) -> None:
    account.simulated.pop(("scaling-tag", name), None)


KINDS = {
    "aws:eks/cluster:Cluster": Kind(
        _cluster,
        _cluster_now,
        _no_cluster,
        _cluster_changed,
        replaced("name", "roleArn", "bootstrapSelfManagedAddons"),
        "name",
        100,
        computed={"vpcConfig": {"clusterSecurityGroupId": UNKNOWN, "vpcId": UNKNOWN}},
    ),
    "aws:eks/nodeGroup:NodeGroup": Kind(
        _nodes,
        _nodes_now,
        _no_nodes,
        _nodes_changed,
        replaced(
            "amiType",
            "capacityType",
            "clusterName",
            "diskSize",
            "instanceTypes",
            "nodeGroupName",
            "nodeRoleArn",
            "subnetIds",
        ),
        "nodeGroupName",
        63,
    ),
    "aws:eks/addon:Addon": _simulated(
        "CreateAddon",
        (
            "clusterName",
            "addonName",
            "addonVersion",
            "configurationValues",
            "podIdentityAssociations",
            "resolveConflictsOnCreate",
        ),
        ("clusterName", "addonName"),
        resolveConflictsOnCreate="resolveConflicts",
    ),
    "aws:eks/accessEntry:AccessEntry": _simulated(
        "CreateAccessEntry",
        ("clusterName", "principalArn", "kubernetesGroups", "type", "userName"),
        ("clusterName", "principalArn"),
        userName="username",
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _simulated(
        "AssociateAccessPolicy",
        ("clusterName", "principalArn", "policyArn", "accessScope"),
        ("clusterName", "principalArn", "policyArn"),
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _simulated(
        "CreatePodIdentityAssociation",
        ("clusterName", "namespace", "serviceAccount", "roleArn"),
        ("clusterName", "namespace", "serviceAccount"),
    ),
    "aws:autoscaling/tag:Tag": Kind(_tag, _tag_now, _no_tag, _tag_changed, replaced("autoscalingGroupName")),
}
