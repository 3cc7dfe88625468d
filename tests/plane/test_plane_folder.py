"""What `down` discards, where sockets go, which charts are linked."""

import json
import os
import shutil
from pathlib import Path

import pytest

from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane import charts, plane
from corral.embedded.plane.addresses import AddressesInUse, claim_any
from corral.embedded.plane.record import PlaneRecord


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def quiet(_line):
    """Nobody listens."""


def test_down_discards_a_folder_that_an_interrupted_up_left(home):
    folder = home.plane("dev").root
    (folder / "run").mkdir(parents=True)
    (folder / ".plane.json.123").touch()
    plane.down(home, "dev", quiet)
    assert not folder.exists()


def test_down_opens_read_only_folders(home):
    folder = home.plane("dev").root / "volumes" / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    folder.chmod(0o500)
    folder.parent.chmod(0o500)
    plane.down(home, "dev", quiet)
    assert not home.plane("dev").root.exists()


def test_down_discards_every_folder_that_a_plane_has(home):
    own = home.plane("dev")
    paths = [getattr(own, name) for name, kind in vars(PlaneHome).items() if isinstance(kind, property)]
    folders = [path for path in paths if isinstance(path, Path) and path not in (own.record, own.kubeconfig)]
    assert own.disks in folders
    for folder in folders:
        (folder / "below").mkdir(parents=True)
    plane.down(home, "dev", quiet)
    assert not own.root.exists()


def test_down_refuses_a_folder_with_anything_that_no_plane_writes(home):
    folder = home.plane("dev").root
    folder.mkdir()
    (folder / "thesis.tex").touch()
    with pytest.raises(plane.PlaneError, match=r"thesis\.tex.*nothing was discarded"):
        plane.down(home, "dev", quiet)
    assert (folder / "thesis.tex").exists()


def test_down_refuses_a_link_to_somewhere_else(home, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    home.plane("dev").root.symlink_to(other)
    with pytest.raises(plane.PlaneError, match="no plane's folder"):
        plane.down(home, "dev", quiet)
    assert other.is_dir()


def test_down_and_stop_of_no_plane_say_so(home):
    lines = []
    plane.stop(home, "dev", lines.append)
    plane.down(home, "dev", lines.append)
    assert lines == [f"there is no plane dev in {home.root}"] * 2


def test_the_egress_socket_is_in_the_planes_folder_when_its_path_is_short(tmp_path):
    short = Home(tmp_path / "x").plane("dev")
    if len(str(short.run / "egress.sock")) > plane.LONGEST_SOCKET:
        pytest.skip("the temporary folder itself is deep")
    assert plane._socket(short) == short.run / "egress.sock"


def test_a_long_path_moves_the_egress_socket_to_the_runtime_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    deep = Home(tmp_path / ("d" * 90)).plane("dev")
    socket = plane._socket(deep)
    assert socket.parent == tmp_path / "r" / "corral"
    assert socket != plane._socket(Home(tmp_path / ("e" * 90)).plane("dev"))


def test_a_runtime_folder_that_others_may_enter_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    open_folder = tmp_path / "r" / "corral"
    open_folder.mkdir(parents=True)
    open_folder.chmod(0o777)
    with pytest.raises(plane.PlaneError, match="nobody else may enter"):
        plane._socket(Home(tmp_path / ("d" * 90)).plane("dev"))


def test_a_full_disk_is_said_before_anything_starts(home, monkeypatch):
    usage = shutil.disk_usage(home.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=5 * 2**20))
    with pytest.raises(plane.PlaneError, match=r"5 MiB are free.*CORRAL_HOME"):
        plane.up(home, "dev", quiet)


def test_anything_but_linux_is_one_clear_message(home, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(plane.PlaneError, match="runs on Linux, this is darwin"):
        plane.up(home, "dev", quiet)


def test_addresses_of_a_plane_that_another_holds_are_refused_by_name(home):
    dev = home.plane("dev")
    ranges = claim_any(())
    try:
        PlaneRecord("dev", 20000, ranges.service_range, ranges.pod_octet, "", "", {}).save(dev)
        with pytest.raises(AddressesInUse, match=ranges.service_range):
            plane._record(home, dev)
    finally:
        ranges.lock.close()


def test_a_second_plane_gets_other_addresses_though_the_first_is_stopped(home):
    first, ranges = plane._record(home, home.plane("one"))
    ranges.lock.close()
    second, ranges = plane._record(home, home.plane("two"))
    ranges.lock.close()
    assert first.service_range != second.service_range
    assert not {first.api_port, *first.ports.values()} & {second.api_port, *second.ports.values()}


def test_what_programs_inherit_has_no_kubeconfig_and_no_credentials(home, monkeypatch):
    for name in ("KUBECONFIG", "AWS_SECRET_ACCESS_KEY", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "canary")
    assert "canary" not in plane._environment(home).values()
    assert os.environ["PATH"] == plane._environment(home)["PATH"]


def chart(folder, name, version):
    (folder / name).mkdir(parents=True)
    (folder / name / "Chart.yaml").write_text(f"name: {name}\nversion: {version}\n")
    return folder / name


def test_charts_link_to_the_real_one_first_and_say_what_they_are(tmp_path):
    real = {
        "kserve": chart(tmp_path / "real", "kserve", "v1"),
        "both": chart(tmp_path / "real", "both", "v2"),
    }
    for name in ("both", "qdrant"):
        chart(tmp_path / "own", name, "v0")
    folder = tmp_path / "charts"
    for _again in range(2):
        charts.link(folder, ["kserve", "both", "nowhere"], real.get, tmp_path / "own")
    assert (folder / "both").resolve() == real["both"]
    assert not (folder / "nowhere").exists()
    assert json.loads((folder / "charts.json").read_text()) == {
        "both": {"kind": "real", "version": "v2"},
        "kserve": {"kind": "real", "version": "v1"},
        "qdrant": {"kind": "stand-in", "version": "v0"},
    }


def test_a_chart_of_ours_around_upstreams_definitions_is_called_a_stand_in(tmp_path):
    definitions = {"gateway-api-crds": chart(tmp_path / "real", "gateway-api-crds", "1.6.1")}
    charts.link(tmp_path / "charts", ["gateway-crds-helm"], definitions.get, tmp_path / "own")
    listing = json.loads((tmp_path / "charts" / "charts.json").read_text())
    assert listing == {"gateway-crds-helm": {"kind": "stand-in", "version": "1.6.1"}}


def test_definitions_of_a_gateway_stand_in_for_the_plain_ones_where_they_are_set_up(tmp_path):
    plain = {"gateway-api-crds": chart(tmp_path / "real", "gateway-api-crds", "1.6.1")}
    more = plain | {"envoy-gateway-crds": chart(tmp_path / "real", "envoy-gateway-crds", "1.9.0")}
    for have, version in ((more, "1.9.0"), (plain, "1.6.1")):
        charts.link(tmp_path / "charts", ["gateway-crds-helm"], have.get, tmp_path / "own")
        listing = json.loads((tmp_path / "charts" / "charts.json").read_text())
        assert listing == {"gateway-crds-helm": {"kind": "stand-in", "version": version}}
