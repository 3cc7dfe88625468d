"""Generated pages: written by one command, checked by another."""

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def stale(page: Path, text: str) -> bool:
    """Whether `page` differs from `text`."""
    return not page.exists() or page.read_text(encoding="utf-8") != text


def refresh(program: str, page: Path, text: str, arguments: list[str]) -> int:
    """Write or check `page`, as the `arguments` of `program` say; its exit code."""
    parser = argparse.ArgumentParser(prog=program)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="exit with 1 where the page is stale")
    choice.add_argument("--write", action="store_true", help="write the page")
    chosen = parser.parse_args(arguments)
    old = stale(page, text)
    if old:
        print(f"{page.parent.name}/{page.name}: {'written' if chosen.write else 'stale'}")
    if old and chosen.write:
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return 1 if old and chosen.check else 0
