"""Functions of the provider, as terraform-provider-aws has them."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.providers.aws.account import NUMBER, Account
from tests.providers.aws.cluster import SETTINGS

from corral.catalogue.aws import partitions

SUFFIX = "amazonaws.com"
"""Of principals of services, in both partitions (internal/service/meta/service_principal_data_source.go,
2121ce7)."""


def _identity(account: Account, args: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": NUMBER,
        "accountId": NUMBER,
        "arn": f"arn:{account.partition}:iam::{NUMBER}:user/test",
        "userId": "AIDATEST",
    }


def _principal(account: Account, args: Mapping[str, Any]) -> dict[str, Any]:
    service = args["serviceName"]
    return {
        "id": f"{service}.{account.region}.{SUFFIX}",
        "name": f"{service}.{SUFFIX}",
        "suffix": SUFFIX,
        "serviceName": service,
        "region": account.region,
    }


def _partition(account: Account, args: Mapping[str, Any]) -> dict[str, Any]:
    names = partitions()[account.partition]
    return {
        "id": account.partition,
        "partition": account.partition,
        "dnsSuffix": names.dns_suffix,
        "reverseDnsPrefix": names.reverse_suffix,
    }


def _cluster(account: Account, args: Mapping[str, Any]) -> dict[str, Any]:
    one = account.eks.describe_cluster(name=args["name"])["cluster"]
    config = {**one["resourcesVpcConfig"]}
    settings = account.simulated[SETTINGS, args["name"]]
    config |= {"clusterSecurityGroupId": settings["group"], "vpcId": settings["vpc"]}
    return {
        "id": one["name"],
        "name": one["name"],
        "arn": one["arn"],
        "endpoint": settings["endpoint"],
        "version": one["version"],
        "vpcConfig": config,
    }


def _prefixes(account: Account, args: Mapping[str, Any]) -> dict[str, Any]:
    lists = account.ec2.describe_managed_prefix_lists()["PrefixLists"]
    (identity,) = [one["PrefixListId"] for one in lists if one["PrefixListName"] == args["name"]]
    entries = account.ec2.get_managed_prefix_list_entries(PrefixListId=identity)["Entries"]
    cidrs = [one["Cidr"] for one in entries]
    return {"id": identity, "prefixListId": identity, "name": args["name"], "cidrBlocks": cidrs}


FUNCTIONS: Mapping[str, Callable[[Account, Mapping[str, Any]], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _identity,
    "aws:index/getServicePrincipal:getServicePrincipal": _principal,
    "aws:index/getPartition:getPartition": _partition,
    "aws:eks/getCluster:getCluster": _cluster,
    "aws:ec2/getPrefixList:getPrefixList": _prefixes,
}
