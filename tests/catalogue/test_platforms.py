"""Platforms: each has a row with sources that contradicts neither itself nor the pools of the clouds."""

import copy
import datetime
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from tests.components.gpu_node_pool.clouds import PLUGIN, eks_args, gke_args

from corral.catalogue import _read
from corral.catalogue.platforms import _Platforms, platform, platforms, sources
from corral.catalogue.vocabulary import DriverSource, Platform
from corral.components._kit import ArgsError
from corral.components.gpu_node_pool.eks import eks_pool
from corral.components.gpu_node_pool.eks_nodes import EksImage
from corral.components.gpu_node_pool.gke import gke_pool
from corral.components.gpu_node_pool.gke_nodes import IMAGE_TYPE, NO_PLUGIN_LABEL, node_labels

PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"
RAW = yaml.safe_load((_read.FOLDER / "platforms.yaml").read_text())


def test_every_platform_has_a_row_with_dated_sources():
    assert list(platforms()) == list(Platform)
    for name in Platform:
        assert sources(name)
        assert all(one.name and one.date <= datetime.date.today() for one in sources(name))


def test_every_source_is_one_that_a_row_or_the_list_of_kernels_names():
    named = {key for row in RAW["platforms"].values() for key in row["sources"]}
    assert set(RAW["sources"]) == named | {RAW["precompiled"]["source"]}


@pytest.mark.parametrize("name", Platform, ids=lambda one: one.value)
def test_a_driver_lies_where_the_one_who_brings_it_puts_it(name):
    row = platform(name)
    if row.driver is DriverSource.OPERATOR:
        assert row.driver_root == "/run/nvidia/driver"
    else:
        assert row.driver_root == (row.install_dir or "/")


@pytest.mark.parametrize("name", Platform, ids=lambda one: one.value)
def test_whoever_brings_the_device_plugin_brings_the_rest_too(name):
    row = platform(name)
    if row.own_devices:
        assert {row.driver, row.toolkit, row.mig_manager} == {DriverSource.NODE_IMAGE}
    assert row.critical_quota is name.value.startswith("gke"), "GKE alone admits by quota"


def broken(**changes):
    content = copy.deepcopy(RAW)
    content["platforms"]["eks-ubuntu"].update(changes)
    return content


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (broken(kernel=None), "eks-ubuntu: a kernel is named exactly where the operator"),
        (broken(driver="node-image"), "eks-ubuntu: a kernel is named exactly where the operator"),
        (broken(sources=[]), "eks-ubuntu: no source at all"),
        (broken(sources=["hearsay"]), "eks-ubuntu: no source hearsay"),
        (broken(driver="somebody"), "eks-ubuntu.driver"),
        ({**RAW, "platforms": {"bare-metal": RAW["platforms"]["bare-metal"]}}, "no row for preinstalled"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(content, line):
    with pytest.raises(ValidationError, match=line):
        _Platforms.model_validate(content)


ON_EKS = {EksImage.AL2023: Platform.EKS_AL2023, EksImage.BOTTLEROCKET: Platform.EKS_BOTTLEROCKET}


def taken(**more):
    """Whether a pool of EKS may be like this."""
    try:
        eks_pool(eks_args(**more), "chat")
    except ArgsError:
        return False
    return True


@pytest.mark.parametrize("image", EksImage, ids=lambda one: one.value)
def test_a_pool_of_eks_allows_with_each_image_what_the_table_says_of_it(image):
    row = platform(ON_EKS[image])
    assert eks_pool(eks_args(image=image.value, devices=PLUGIN), "chat").driver is row.driver
    assert taken(image=image.value) is not row.own_devices, "the DRA driver beside the image's plugin"
    cut = taken(image=image.value, devices={**PLUGIN, "mig_config": "all-1g.10gb"})
    assert cut is (row.mig_manager is DriverSource.OPERATOR)
    assert not taken(image=image.value, devices={**PLUGIN, "driver": "operator"})


def test_a_pool_of_eks_with_an_image_of_ones_own_is_the_platform_with_ubuntu():
    own = {"custom_image": {"id": "ami-1", "user_data": "#!/bin/sh"}}
    found = eks_pool(eks_args(devices={"driver": "operator"}, **own), "chat")
    assert found.driver is platform(Platform.EKS_UBUNTU).driver


def test_a_pool_of_gke_under_the_operator_is_ubuntu_with_the_labels_that_the_table_asks_for():
    found = gke_pool(gke_args(secure_boot=False), "chat")
    row = platform(Platform.GKE_UBUNTU)
    assert found.driver is row.driver
    assert IMAGE_TYPE[found.driver] == "UBUNTU_CONTAINERD"
    assert row.node_labels == NO_PLUGIN_LABEL
    assert row.node_labels.items() <= node_labels(found).items()


def test_googles_own_system_has_the_driver_of_no_operator_in_pool_and_table():
    row = platform(Platform.GKE_COS)
    assert IMAGE_TYPE[row.driver] == "COS_CONTAINERD"
    assert row.node_labels == NO_PLUGIN_LABEL, "without it GKE's device plugin hands the GPUs out as well"


def test_the_page_about_platforms_says_what_the_table_says():
    words = {DriverSource.OPERATOR: "operator", DriverSource.NODE_IMAGE: "node"}
    text = PAGE.read_text()
    for name, row in platforms().items():
        four = (row.driver, row.toolkit, row.device_plugin, row.mig_manager)
        cells = " | ".join([f"`{name.value}`", *(words[one] for one in four), f"`{row.driver_root}`"])
        assert f"| {cells} |" in text, name
