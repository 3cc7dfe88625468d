"""Which pods run here, and where their logs are."""

import json
from pathlib import Path

import pytest

from corral.embedded.home import PlaneHome
from corral.embedded.node import logs
from corral.embedded.node.addresses import Addresses
from corral.embedded.node.classify import classify, unsupported
from corral.embedded.node.program_spec import Omitted, ProgramSpec, fits

ROW, SKIP = ProgramSpec("r", "a/row", lambda _context: None, ""), Omitted("a/skip", "why")


def find(image: str):
    return next((entry for entry in (ROW, SKIP) if fits(entry.image, image)), None)


def decision(*images: str, hook: bool = False):
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    return classify({"spec": {"containers": containers}}, find, hook)


@pytest.mark.parametrize(
    "image",
    [
        "a/row",
        "a/row:v1",
        "a/row@sha256:ab",
        "localhost/a/row",
        "registry.example.eu:5000/mirror/a/row:v1@sha256:ab",
    ],
)
def test_every_way_to_write_an_image_finds_its_row(image):
    assert decision(image, "a/skip").classification == "process"


def test_without_any_program_a_pod_is_simulated():
    assert decision("b/other", "a/skip").classification == "simulated"


def test_a_container_beside_a_row_that_is_neither_known_nor_omitted_is_refused_by_name():
    refusal = decision("a/row", "b/other")
    assert refusal.classification == "refused"
    assert "c1 (b/other)" in refusal.message


def test_a_chart_hook_without_a_row_fails():
    refusal = decision("b/other", hook=True)
    assert (refusal.classification, refusal.reason, refusal.failed) == ("refused", "CorralNoProgram", True)
    assert decision("a/row", hook=True).classification == "process"


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"hostPID": True}, "hostPID"),
        ({"containers": [{"name": "c", "securityContext": {"privileged": True}}]}, "c: privileged"),
        ({"containers": [{"name": "c", "lifecycle": {"preStop": {"tcpSocket": {}}}}]}, "preStop"),
    ],
)
def test_unsupported_features_are_named(spec, word):
    assert word in (unsupported({"spec": {"containers": [], **spec}}) or "")


def test_addresses_are_unique_survive_a_restart_and_come_back_after_release(tmp_path: Path):
    first = Addresses(tmp_path, 97)
    taken = [first.take(uid, tmp_path / uid, {}) for uid in ("a", "b")]
    assert len(set(taken)) == 2
    again = Addresses(tmp_path, 97)
    assert [again.take(uid, tmp_path / uid, {}) for uid in ("a", "b")] == taken
    assert again.take("c", tmp_path / "c", {}) not in taken
    assert all(address.startswith("10.97.") and address != "10.97.0.1" for address in taken)


def home_with_logs(tmp_path: Path) -> PlaneHome:
    home = PlaneHome(tmp_path / "lab")
    for container, runs in (("main", 2), ("side", 1)):
        (home.pods / "u" / container).mkdir(parents=True)
        for run in range(runs):
            (home.pods / "u" / container / f"{run}.log").write_text(f"{container} {run}")
    record = {"namespace": "llm", "name": "p", "containers": ["main", "side"], "ip": ""}
    (home.pods / "u" / "pod.json").write_text(json.dumps(record))
    return home


@pytest.mark.parametrize("deleted", [False, True])
def test_logs_are_found_by_name_while_the_pod_lives_and_after(tmp_path: Path, deleted):
    home = home_with_logs(tmp_path)
    if deleted:
        logs.keep(home, "u")
        assert not (home.pods / "u").exists()
    assert logs.find(home, "llm", "p").read_text() == "main 1"
    assert logs.find(home, "llm", "p", previous=True).read_text() == "main 0"
    assert logs.find(home, "llm", "p", "side").read_text() == "side 0"
    with pytest.raises(LookupError, match="no container 'x'; it has main, side"):
        logs.find(home, "llm", "p", "x")
    with pytest.raises(LookupError, match="no previous run"):
        logs.find(home, "llm", "p", "side", previous=True)
    with pytest.raises(LookupError, match="no pod llm/q"):
        logs.find(home, "llm", "q")
