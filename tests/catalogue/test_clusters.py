"""Cluster kinds: what each can do stands in the catalogue, and nobody else asks which kind a cluster is."""

from pathlib import Path

import pytest

from corral.catalogue import clusters
from corral.catalogue._read import read_file
from corral.catalogue.vocabulary import ClusterKind

ROOT = Path(__file__).parents[2]
ROOMS = ("catalogue", "controls", "stacks", "components", "policy", "tools", "embedded", "cli")


def test_no_module_compares_cluster_kinds():
    compares = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "ClusterKind." in path.read_text()
    ]
    assert compares == []


def test_each_word_for_a_kind_has_its_capabilities(tmp_path):
    assert set(clusters.clusters()) == set(ClusterKind)
    shorter = (ROOT / "catalogue" / "clusters.yaml").read_text().partition("  gke:")[0]
    (tmp_path / "clusters.yaml").write_text(shorter)
    with pytest.raises(ValueError, match="no entry for gke"):
        read_file(tmp_path / "clusters.yaml", clusters._Clusters)
