"""The stamp that a run of the policy pack leaves on a ConfigMap of the program, and versions of the rules.

A backend of one's own cannot demand a policy pack. So the program makes a ConfigMap that says that no pack
ran, and a remediating policy of the pack puts its version and what it found in that place.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from corral.controls.control import Control

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
LABEL, STAMPED = "corral.dev/evidence", "policy"
"""Label of the ConfigMap, and its value."""
NOT_RUN = "not run"
PASSED, VIOLATED, LOOSENED = "passed", "violated", "loosened"
"""Verdicts: nothing that stops; something does; the run switched off what the profile demands."""
_POLICY = "policy"
_ROOT = Path(__file__).resolve().parents[1]
_RULES = (("controls", (".py", ".yaml")), ("policy", (".py",)))
"""Folders whose files of these kinds are the rules."""


@dataclass(frozen=True)
class Stamp:
    """What a run of the pack says of itself."""

    pack: str
    version: str
    rules: str
    """`sha256:…` of all rules."""
    profile: str
    verdict: str
    reported: Mapping[str, int]
    """Control -> violations that do not stop."""
    excepted: Mapping[str, int]
    """Control -> violations that an exception lets pass."""
    undecided: Mapping[str, int]
    """Control -> what could not be decided."""
    loosened: tuple[str, ...] = ()
    """Policies that the configuration of the run enforces less than the profile does."""

    @property
    def run(self) -> str:
        """Name and version of the pack."""
        return f"{self.pack} {self.version}"

    @property
    def data(self) -> dict[str, str]:
        """Data of the ConfigMap."""
        return {
            _POLICY: self.run,
            "pack": self.pack,
            "version": self.version,
            "rules": self.rules,
            "profile": self.profile,
            "verdict": self.verdict,
            "reported": _text(self.reported),
            "excepted": _text(self.excepted),
            "undecided": _text(self.undecided),
            "loosened": ",".join(self.loosened),
        }


def _text(counts: Mapping[str, int]) -> str:
    return json.dumps(dict(sorted(counts.items())), separators=(",", ":"))


def unstamped() -> dict[str, str]:
    """Data of the ConfigMap as the program makes it."""
    return {_POLICY: NOT_RUN, "verdict": NOT_RUN}


def has_stamp(token: str, props: Mapping[str, Any]) -> bool:
    """Whether a resource is the ConfigMap that the pack stamps."""
    metadata = props.get("metadata") if token == CONFIG_MAP else None
    labels: Any = cast(Mapping[str, Any], metadata).get("labels") if isinstance(metadata, Mapping) else None
    return isinstance(labels, Mapping) and cast(Mapping[str, Any], labels).get(LABEL) == STAMPED


def parse_stamp(data: Mapping[str, Any]) -> Stamp | None:
    """The stamp in the data of the ConfigMap; None: no pack ran, or what is there is no stamp."""
    try:
        if data[_POLICY] == NOT_RUN:
            return None
        return Stamp(
            pack=str(data["pack"]),
            version=str(data["version"]),
            rules=str(data["rules"]),
            profile=str(data["profile"]),
            verdict=str(data["verdict"]),
            reported=_counts(str(data["reported"])),
            excepted=_counts(str(data["excepted"])),
            undecided=_counts(str(data["undecided"])),
            loosened=tuple(one for one in str(data["loosened"]).split(",") if one),
        )
    except (KeyError, ValueError, TypeError):
        return None


def _counts(text: str) -> Mapping[str, int]:
    content: Any = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("use a mapping of control to number")
    return {str(key): int(value) for key, value in cast("dict[Any, Any]", content).items()}


@cache
def rules_digest() -> str:
    """`sha256:…` of every file of the controls and of the pack."""
    whole = hashlib.sha256()
    for folder, kinds in _RULES:
        for path in sorted((_ROOT / folder).rglob("*")):
            if path.suffix in kinds and path.is_file():
                name = path.relative_to(_ROOT).as_posix()
                whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"sha256:{whole.hexdigest()}"


@cache
def _of_module(name: str) -> str:
    source = sys.modules[name].__file__
    return hashlib.sha256(Path(source).read_bytes()).hexdigest() if source else ""


def rule_digest(control: Control) -> str:
    """`sha256:…` of the file of `control`; what it shares with others is in `rules_digest` alone."""
    family, number = control.id.removeprefix("SOV-").lower().split("-")
    stem = f"{family}_{number}"
    module = next(name for name in sys.modules if name.startswith("corral.controls.") and name.endswith(stem))
    return f"sha256:{_of_module(module)}"
