"""GKE's machine families fit the instance types and GPUs of the catalogue."""

import pytest

from corral.catalogue.gke import families, family
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
