"""The pack holds what is pulled against the lock of a bundle, where the stack names one."""

import json
from pathlib import Path

import pytest

from corral.controls.portability.off_02 import parse_lock
from corral.policy.configured import OWN
from corral.policy.constraints import constraints_of
from corral.stacks.reports.bundle.lock import Artifact, Bundle

DIGEST = f"sha256:{'a' * 64}"
MIRROR = "registry.example.eu/mirror"


def lock() -> str:
    """A lock as `corral bundle` writes it."""
    images = (
        Artifact("docker.io/a/b:v1", DIGEST, f"{MIRROR}/a/b:v1"),
        Artifact("docker.io/a/c:v1", "unresolved", f"{MIRROR}/a/c:v1"),
    )
    charts = (
        Artifact("oci://ghcr.io/x/charts/kyverno:3.9.0", f"sha256:{'c' * 64}", None),
        Artifact("oci://ghcr.io/x/charts/kueue:0.19.2", "unresolved", None),
    )
    return Bundle("onprem", "air-gapped", MIRROR, images, charts, (), (), ()).text()


def test_what_a_bundle_has_resolved_is_locked_and_the_rest_is_not() -> None:
    assert parse_lock(lock()) == {DIGEST, f"sha256:{'c' * 64}", "chart kyverno 3.9.0"}


@pytest.mark.parametrize("key", ["corral:lock", OWN])
def test_the_stack_or_the_configuration_of_the_pack_names_the_lock(key: str, tmp_path: Path) -> None:
    file = tmp_path / "lock.yaml"
    file.write_text(lock())
    value = json.dumps({"lock": str(file)}) if key == OWN else str(file)
    locked = constraints_of({key: value}).locked
    assert locked is not None and DIGEST in locked
    assert constraints_of({}).locked is None


@pytest.mark.parametrize("text", ["a: [", "profile: open\n", "- x\n"])
def test_a_file_that_is_no_lock_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "lock.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"corral:lock: .*lock\.yaml: no "):
        constraints_of({"corral:lock": str(file)})


def test_a_lock_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"corral:lock: .*absent"):
        constraints_of({"corral:lock": str(tmp_path / "absent.yaml")})
