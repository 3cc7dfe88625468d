"""A store's data and the key that it was written under."""

import pytest

from corral.tools.__main__ import main


@pytest.fixture
def check(tmp_path):
    """What the command ends with, for a key with this mark."""
    data = tmp_path / "data"
    data.mkdir()

    def run(mark: str) -> int:
        (tmp_path / "mark").write_text(mark)
        return main(["bucket", "key", "--mark", str(tmp_path / "mark"), "--data", str(data)])

    return run


def test_the_first_key_of_a_volume_is_kept_and_taken_again(check):
    assert [check("one"), check("one")] == [0, 0]


def test_another_key_is_refused_in_one_line_and_the_first_is_still_taken(check, capsys):
    check("one")
    assert check("two") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "put the former key back" in line and "two" not in line
    assert check("one") == 0


def test_a_mark_that_is_not_there_is_one_line(tmp_path, capsys):
    gone = tmp_path / "gone"
    assert main(["bucket", "key", "--mark", str(gone), "--data", str(tmp_path)]) == 1
    assert str(gone) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
