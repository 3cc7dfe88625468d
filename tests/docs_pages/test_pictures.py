"""The pictures of README and docs: small, described, of what there is now, and of no one's machine."""

import re
from pathlib import Path

import pytest
from ci.pictures import FOLDER, PictureError, drawn, end_of
from tests.reports.browser import png
from tests.stacks.stack_files import ROOT

from corral.stacks.config.loader import read
from corral.stacks.planning.planner import plan

PAGES = (ROOT / "README.md", ROOT / "docs" / "index.md")
SHOWN = [
    (page, description, page.parent / target)
    for page in PAGES
    for description, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text())
]
END = "took\nAddons\naddon\nkyverno  upstream's chart\n\nPods: 1\n  one at {}\n\nModels: memory\nlast"


def text_of(picture: Path) -> str:
    """What an SVG says, a line for each line of the terminal."""
    lines = re.findall(r"<text[^>]*>([^<]*)</text>", picture.read_text())
    return "\n".join(lines).replace("&#160;", " ")


def test_the_readme_shows_the_plan_page_and_the_end_of_up():
    assert {file.name for page, _, file in SHOWN if page.name == "README.md"} == {"plan.png", "up.svg"}
    assert {file.resolve() for _, _, file in SHOWN} == set(FOLDER.iterdir())


@pytest.mark.parametrize(("page", "description", "file"), SHOWN, ids=lambda one: getattr(one, "name", ""))
def test_a_picture_is_small_and_described(page, description, file):
    assert file.stat().st_size <= 200_000
    assert len(description) > 60


def test_the_plan_page_is_a_picture_of_a_page():
    picture = png((FOLDER / "plan.png").read_bytes())
    assert (picture.width, picture.height) >= (1000, 800) and len(picture.colours()) > 20


def test_the_end_of_up_has_every_addon_and_model_of_stack_dev():
    text, dev = text_of(FOLDER / "up.svg"), plan(read(ROOT / "Pulumi.dev.yaml"), "dev")
    assert [one.addon.value for one in dev.addons if one.addon.value not in text] == []
    assert [one.name for one in dev.models if f"{one.name}-predictor-" not in text] == []
    assert re.search(r"Pods.*\d+ (?:simulated|process), \d+ (?:process|simulated)", text.replace("\n", ""))


def test_the_end_of_up_names_no_folder_of_a_machine_and_loads_nothing():
    picture = (FOLDER / "up.svg").read_text()
    assert re.findall(r"/(?:home|root|tmp|work|Users)\b", text_of(FOLDER / "up.svg")) == []
    assert set(re.findall(r"url\((.)|href|@import|@font-face", picture)) == {"#"}


def test_what_is_drawn_are_addons_and_pods_of_the_output_and_nothing_of_it_twice(monkeypatch, tmp_path):
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path))
    end = end_of(END.format(f"{tmp_path}/dev")).plain
    assert end.splitlines()[0] == "Addons" and "Models" not in end and "last" not in end
    assert "one at ~/.cache/corral/dev" in end


def test_an_output_without_an_end_or_with_a_folder_of_this_machine_is_refused():
    with pytest.raises(PictureError, match="no Addons"):
        end_of("corral: pulumi stopped with exit code 255\n")
    for folder in (ROOT, Path.home()):
        with pytest.raises(PictureError, match=f"names {folder}"):
            end_of(END.format(folder / "x"))


def test_colours_of_the_terminal_are_colours_of_the_drawing():
    plain, red = (drawn(end_of(END.format(word))) for word in ("one", "\x1b[31mone\x1b[0m"))
    assert len(set(re.findall(r"fill: (#\w+)", red))) == len(set(re.findall(r"fill: (#\w+)", plain))) + 1
