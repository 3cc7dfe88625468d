"""Licences of what a stack serves: SOV-LCK-07.

No resource of the program shows the licence of a model, so the stack file is evaluated, before a deployment.
Licences of charts and images are not evaluated: the catalogue has none of them.
"""

from collections.abc import Iterable, Iterator

from corral.controls.levels import Level
from corral.controls.profiles import Profile
from corral.controls.workspace import Finding

LICENCES = "SOV-LCK-07"
OPEN_SOURCE = frozenset(
    {
        "AFL-3.0",
        "AGPL-3.0",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "EPL-2.0",
        "EUPL-1.2",
        "GPL-2.0",
        "GPL-3.0",
        "ISC",
        "LGPL-2.1",
        "LGPL-3.0",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "OSL-3.0",
        "UPL-1.0",
        "Zlib",
    }
)
"""Licences that the Open Source Initiative has approved, by their SPDX names."""
_PLAIN = {name.lower() for name in OPEN_SOURCE}


def is_open_source(licence: str) -> bool:
    """Whether `licence` is of the list, in either case and with SPDX's `-only` and `-or-later`."""
    return licence.strip().lower().removesuffix("-only").removesuffix("-or-later") in _PLAIN


def licence_findings(models: Iterable[tuple[str, str, str]], constraints: Profile) -> Iterator[Finding]:
    """What `constraints` have against the licences of `models`: path in the stack file, name, licence."""
    level = constraints.workspace[LICENCES]
    for path, name, licence in models:
        if level is not Level.DISABLED and not is_open_source(licence):
            reason = f"{LICENCES}: licence {licence} is not of the open-source list: serve another model"
            yield Finding(LICENCES, level, path, name, reason)
