"""Partitions and EKS services of the catalogue, against AWS's own client."""

import json
from pathlib import Path

import botocore
import pytest

from corral.catalogue.aws import partition_of, partitions
from corral.catalogue.eks import eks_services
from corral.controls.profiles import PROFILES, profile


@pytest.fixture(scope="module")
def botocore_s():
    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    return {one["id"]: one for one in data["partitions"]}


def test_a_partition_has_the_regions_and_the_suffix_that_aws_s_client_has(botocore_s):
    for name, one in partitions().items():
        assert one.regions == botocore_s[name]["regionRegex"]
        assert one.dns_suffix == botocore_s[name]["outputs"]["dnsSuffix"]


def test_a_region_of_a_profile_is_in_the_profile_s_partition():
    regions = [one for one in PROFILES["eu-resident"].regions or () if "-" in one and one[:6] != "europe"]
    assert {"eu-central-1", "eusc-de-east-1"} <= set(regions)
    for region in regions:
        assert partition_of(region) == profile("eu-resident", region=region).partition


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "us-iso-east-1", "mars", ""])
def test_a_region_of_no_partition_that_is_known_has_none(region):
    assert partition_of(region) is None


def test_an_add_on_that_acts_in_aws_has_a_policy_and_the_network_s_enforces_policies():
    addons = eks_services().addons
    assert all((one.service_account is None) == (one.policy is None) for one in addons.values())
    assert addons["vpc-cni"].configuration["enableNetworkPolicy"] == "true"
    assert addons["vpc-cni"].pin is None and addons["vpc-cni"].version == "unresolved"
