"""Requirements of frameworks that controls name as their source, by framework and reference.

A mapping says that a control answers to a requirement, not that the requirement is met.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from corral.controls.control import Control

EU_CSF = "EU Cloud Sovereignty Framework"
_FRAMEWORKS = (
    (EU_CSF, re.compile(r"(SOV-\d)$")),
    ("AI Act", re.compile(r"AI Act (.+)")),
    ("BSI C5", re.compile(r"C5(?::2026)? ?(.*)")),
    ("CIS AWS", re.compile(r"CIS AWS (.+)")),
    ("CIS EKS", re.compile(r"CIS EKS (.+)")),
    ("CIS GKE", re.compile(r"CIS GKE (.+)")),
    ("DORA", re.compile(r"DORA (.+)")),
    ("Data Act", re.compile(r"Data Act (.+)")),
    ("GDPR", re.compile(r"GDPR (.+)")),
    ("NIS2", re.compile(r"NIS2 (.+)")),
    ("SecNumCloud", re.compile(r"SecNumCloud (.+)")),
)


def frameworks(controls: Iterable[Control]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Framework -> reference in it -> IDs of the controls that name it, all sorted."""
    references: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for control in controls:
        for source in control.sources:
            for name, pattern in _FRAMEWORKS:
                if match := pattern.fullmatch(source):
                    references[name][match[1] or "whole"].append(control.id)
    return {
        name: {key: tuple(sorted(ids)) for key, ids in sorted(references[name].items())}
        for name in sorted(references)
    }
