"""Files that are written whole, and pages that are generated."""

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class GeneratedFiles:
    """Files below `root` that `python -m <module>` writes, each with what makes its text."""

    module: str
    root: Path
    texts: Mapping[Path, Callable[[], str]]

    def stale(self) -> list[Path]:
        """Files that are missing or differ from what makes them."""
        return list(self._stale())

    def _stale(self) -> Iterator[Path]:
        return (
            path
            for path, text in self.texts.items()
            if not path.is_file() or path.read_bytes() != text().encode()
        )

    def main(self, arguments: Sequence[str]) -> int:
        """What the module does with `--check` or `--write`; its exit code."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}")
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--check", action="store_true", help="exit with 1 where one is stale")
        choice.add_argument("--write", action="store_true", help="write the generated files")
        chosen = parser.parse_args(arguments)
        count = 0
        # One after the other: a text may need a file before it.
        for path in self._stale():
            count += 1
            print(f"{path.relative_to(self.root)}: {'written' if chosen.write else 'stale'}")
            if chosen.write:
                path.parent.mkdir(exist_ok=True)
                replace(path, self.texts[path]())
        return 1 if count and chosen.check else 0
