"""Files that are written whole, and pages that are generated."""

import argparse
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def replace(path: Path, content: str) -> None:
    """Make `content` the text of `path` at once: a reader sees the old text or the new one.

    Raises:
        OSError: it cannot be written; nothing of it is left behind.
    """
    if path.is_file() and path.read_bytes() == content.encode():
        return
    scratch = path.parent / f".{path.name}.{os.getpid()}"
    try:
        scratch.write_text(content, encoding="utf-8")
        scratch.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise


def stale(pages: Mapping[Path, Callable[[], str]]) -> list[Path]:
    """Generated `pages` that are missing or differ from what generates them."""
    return [
        path for path, text in pages.items() if not path.is_file() or path.read_bytes() != text().encode()
    ]


def refresh(
    module: str, root: Path, pages: Mapping[Path, Callable[[], str]], arguments: Sequence[str]
) -> int:
    """What `python -m <module>` does with `--check` or `--write` for `pages` below `root`; its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="exit with 1 where a generated file is stale")
    choice.add_argument("--write", action="store_true", help="write the generated files")
    chosen = parser.parse_args(arguments)
    old = stale(pages)
    for path in old:
        print(f"{path.relative_to(root)}: {'written' if chosen.write else 'stale'}")
        if chosen.write:
            path.parent.mkdir(exist_ok=True)
            replace(path, pages[path]())
    return 1 if old and chosen.check else 0
