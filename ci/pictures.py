"""The pictures of README and docs, made anew of what the commands print: `make pictures`.

`docs/pictures/plan.png` is the page of `corral plan --html` for stack dev, as chromium shows it;
`docs/pictures/up.svg` addons and pods as `corral up` prints them at its end, with the terminal's colours.
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text
from tests.reports.browser import PROGRAM, picture

from corral.embedded.home import Home

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
CORRAL = Path(sys.executable).parent / "corral"
WIDTH, HEIGHT = 1280, 1072
"""Pixels: the page to the end of its pools."""
COLUMNS = 100
FIRST, NEXT = "Addons", "Models"
"""Headings of what `corral up` prints last: that of the first line shown, and that behind the last."""

DRAWING = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px monospace; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's drawing of a terminal, with fonts of whoever looks at it: its own loads one from another host."""


class PictureError(Exception):
    """A picture cannot be made."""


def plan_page() -> None:
    """Write the picture of stack dev's plan page.

    Raises:
        PictureError: there is no chromium.
    """
    if PROGRAM is None:
        raise PictureError("there is no chromium on PATH: `make browser` installs it")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "plan.html"
        subprocess.run(
            [CORRAL, "plan", "-s", "dev", "--html", str(page)],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        picture(page, WIDTH, HEIGHT)
        (FOLDER / "plan.png").write_bytes(page.with_suffix(".png").read_bytes())


def up_end() -> None:
    """Bring stack dev up, which takes seconds where it is, and write what that printed last.

    Raises:
        PictureError: its output has no such end, or names a folder of this machine.
    """
    colours = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    command = [CORRAL, "up", "-s", "dev"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | colours, stdout=subprocess.PIPE, text=True, check=True
    )
    (FOLDER / "up.svg").write_text(drawn(end_of(done.stdout)), encoding="utf-8")


def end_of(output: str) -> Text:
    """Addons and pods of what `corral up` printed, with `~/.cache/corral` for `$CORRAL_HOME`.

    Raises:
        PictureError: these are not there, or name a folder of this machine.
    """
    text = Text.from_ansi(output.replace(str(Home.find().root), "~/.cache/corral"))
    begin = text.plain.rfind(f"\n{FIRST}\n")
    end = text.plain.find(f"\n{NEXT}:", begin)
    if begin < 0 or end < 0:
        raise PictureError(f"`corral up` printed no {FIRST} before {NEXT}")
    shown = text[begin + 1 : end]
    shown.rstrip()
    for private in (ROOT, Path.home()):
        if str(private) in shown.plain:
            raise PictureError(f"the end of `corral up` names {private}")
    return shown


def drawn(text: Text) -> str:
    """The text as SVG, with fonts of whoever looks at it."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(text)
    return console.export_svg(title="make up", theme=DIMMED_MONOKAI, code_format=DRAWING, unique_id="up")


def main() -> int:
    """Both pictures."""
    FOLDER.mkdir(exist_ok=True)
    try:
        plan_page()
        up_end()
    except PictureError as error:
        print(f"corral: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
