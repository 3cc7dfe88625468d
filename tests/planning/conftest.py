import pytest

from corral.catalogue.clusters import capabilities, clusters
from corral.catalogue.vocabulary import ClusterKind


@pytest.fixture
def mode_on(monkeypatch):
    """Somebody has switched MIG mode on wherever that takes a reset."""
    known = capabilities(ClusterKind.EMBEDDED)
    switched = known.model_copy(update={"mig_mode_switchable": True})
    monkeypatch.setitem(clusters(), ClusterKind.EMBEDDED, switched)
