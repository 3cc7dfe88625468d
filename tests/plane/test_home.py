import stat

import pytest

from corral.embedded.home import Home, private_directory, write_private


def test_every_folder_on_the_way_is_its_owners_alone(tmp_path, umask_open):
    made = private_directory(tmp_path / "a" / "b" / "c")
    for folder in (made, made.parent, made.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_private_file_is_replaced_whole_and_readable_by_its_owner_alone(tmp_path):
    target = tmp_path / "folder" / "secret"
    write_private(target, "one")
    write_private(target, "two")
    assert target.read_text() == "two"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [entry.name for entry in target.parent.iterdir()] == ["secret"], "no scratch file stays"


@pytest.mark.parametrize("name", ["", "Dev", "a_b", "-a", "a" * 21, "toolchain", "../x"])
def test_a_plane_name_that_cannot_be_a_folder_of_its_own_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="plane name"):
        Home(tmp_path).plane(name)


@pytest.fixture
def umask_open():
    import os

    before = os.umask(0)
    yield
    os.umask(before)
