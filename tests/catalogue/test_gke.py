"""GKE's machine families fit the instance types and GPUs of the catalogue."""

import pytest

from corral.catalogue.formats import GCE_DISK_TYPE
from corral.catalogue.gke import every_series, families, family
from corral.catalogue.gpus import gpus
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Cloud

GOOGLE = {name: entry for name, entry in instances().items() if entry.cloud is Cloud.GCP}


@pytest.mark.parametrize("name", GOOGLE)
def test_a_machine_type_of_google_has_a_family_that_cuts_its_gpu_as_the_gpu_can_be_cut(name):
    assert set(family(name).partitions) <= set(gpus()[GOOGLE[name].gpu].profiles)


def test_a_family_has_machine_types_of_one_gpu():
    for name in families():
        kinds = {entry.gpu for machine, entry in GOOGLE.items() if machine.rpartition("-")[0] == name}
        assert len(kinds) == 1, f"{name}: {kinds}"


def test_a_family_that_nobody_knows_is_no_family():
    with pytest.raises(KeyError):
        family("n2-standard-8")


def test_each_way_to_encrypt_memory_in_use_is_one_that_gke_names():
    assert {one.encryption for one in every_series().values()} == {None, "SEV", "TDX"}


def test_a_series_takes_disks_that_a_stack_file_can_name():
    for name, one in every_series().items():
        assert one.boot_disks and all(map(GCE_DISK_TYPE.matches, one.boot_disks)), name
