"""What a message to a user must be: one line, with its place, in the words of what was read."""

import re
from collections.abc import Iterable

PYTHON = re.compile(
    r"\b(NoneType|Traceback|dict|tuple|frozenset|datetime|Decimal|bytearray|pydantic|KeyError|TypeError|"
    r"ValueError|AttributeError|IndexError|object at 0x|<class|is not iterable|Input should|isinstance|"
    r"has no attribute|unexpected keyword|valid (integer|string|number|dictionary|list|boolean|tuple))\b"
)
"""Words of the language and its libraries, which say nothing to who wrote a stack file."""


def told(lines: Iterable[str]) -> None:
    """Assert that there are `lines`, and that each is one for a user."""
    listed = list(lines)
    assert listed, "refused without a word"
    for line in listed:
        assert line.isprintable(), f"more than a line, or characters that a terminal acts on: {line!r}"
        place, _, rest = line.partition(": ")
        assert place.strip() and rest.strip(), f"no place: {line!r}"
        assert len(line) < 3000, f"{len(line)} characters: {line[:200]!r}"
        found = PYTHON.search(line)
        assert found is None, f"{found and found[0]!r} is Python's: {line!r}"
