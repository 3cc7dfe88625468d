import pytest


@pytest.fixture
def mode_on(monkeypatch):
    """Somebody has switched MIG mode on wherever that takes a reset."""
    monkeypatch.setattr("corral.stacks.planning.validation.dynamic_mig.MODE_IS_OFF", ())
