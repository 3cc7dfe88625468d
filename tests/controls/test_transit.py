"""Encryption between pods is a fact of the cluster that profiles look at, each as it demands."""

import pytest

from corral.catalogue.vocabulary import PodEncryption
from corral.controls.levels import Level
from corral.controls.profiles import PROFILES
from corral.controls.transit import TRANSIT, transit_findings

UNENCRYPTED = [None, PodEncryption.NONE]


@pytest.mark.parametrize("stated", UNENCRYPTED)
@pytest.mark.parametrize(
    ("profile", "levels"),
    [
        ("open", []),
        ("eu-resident", []),
        ("eu-controlled", [Level.ADVISORY]),
        ("eu-sovereign", [Level.MANDATORY]),
        ("air-gapped", [Level.MANDATORY]),
    ],
)
def test_a_cluster_without_is_a_finding_with_the_way_out(profile, levels, stated):
    found = list(transit_findings(stated, PROFILES[profile]))
    assert [one.level for one in found] == levels
    for one in found:
        assert (one.control, one.path) == (TRANSIT, "cluster.pod-encryption")
        assert "wireguard" in one.reason


@pytest.mark.parametrize("stated", [one for one in PodEncryption if one is not PodEncryption.NONE])
def test_whatever_encrypts_will_do_in_every_profile(stated):
    assert [one for limits in PROFILES.values() for one in transit_findings(stated, limits)] == []
