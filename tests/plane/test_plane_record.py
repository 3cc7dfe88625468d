"""What a plane remembers."""

import dataclasses
import stat

import pytest

from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.record import NoPlane, PlaneRecord

RECORD = PlaneRecord(
    name="dev",
    api_port=20000,
    service_range="127.96.0.0/16",
    pod_octet=97,
    inventory="/x/inventory.yaml",
    egress_socket="/x/egress.sock",
    ports={"etcdPort": 20001},
)


@pytest.fixture
def plane(tmp_path):
    return Home(tmp_path).plane("dev")


def test_a_record_comes_back_as_it_was_saved(plane):
    RECORD.save(plane)
    assert PlaneRecord.load(plane) == RECORD


def test_a_record_is_readable_by_its_owner_alone(plane):
    RECORD.save(plane)
    assert stat.S_IMODE(plane.record.stat().st_mode) == 0o600
    assert stat.S_IMODE(plane.root.stat().st_mode) == 0o700


def test_saving_leaves_no_scratch_file(plane):
    RECORD.save(plane)
    dataclasses.replace(RECORD, api_port=20002).save(plane)
    assert [entry.name for entry in plane.root.iterdir()] == ["plane.json"]


def test_a_plane_never_started_is_said_with_the_command_that_starts_it(plane):
    with pytest.raises(NoPlane, match=r"never started.*corral up -s dev"):
        PlaneRecord.load(plane)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '{"name": "dev"}'])
def test_a_half_written_record_is_said_and_never_used(plane, text):
    plane.root.mkdir()
    plane.record.write_text(text)
    with pytest.raises(NoPlane, match="no plane's record"):
        PlaneRecord.load(plane)


def test_octet_and_server_come_from_the_record(tmp_path):
    assert (RECORD.service_octet, RECORD.server) == (96, "https://127.0.0.1:20000")
    assert PlaneHome(tmp_path / "dev").name == "dev"
