"""The account's own trail is whole."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import Table, limited, needed, required, true

_TRAIL = "aws:cloudtrail/trail:Trail"
_TABLE: Table = {
    _TRAIL: (
        needed("enableLogFileValidation", true, "is not true, so a changed file goes unseen"),
        needed("isMultiRegionTrail", true, "is not true, so other regions go unseen"),
        limited("includeGlobalServiceEvents", true, "is false, so changes of identities go unseen"),
        limited("enableLogging", true, "is false"),
    ),
}


_GOOD = {"enableLogFileValidation": True, "isMultiRegionTrail": True}

CONTROL = Control(
    id="SOV-AUD-04",
    title="The account's trail is validated and covers every region",
    severity=Severity.HIGH,
    sources=("SOV-7", "CIS AWS 3.1", "CIS AWS 3.2"),
    remedy="Set `enableLogFileValidation` and `isMultiRegionTrail`.",
    rule=required(_TABLE),
    cases=(
        Case("whole", Verdict.GOOD, Resource(_TRAIL, "t", _GOOD)),
        Case("of one region", Verdict.BAD, Resource(_TRAIL, "t", {**_GOOD, "isMultiRegionTrail": False})),
        Case("not validated", Verdict.BAD, Resource(_TRAIL, "t", {"isMultiRegionTrail": True})),
        Case("switched off", Verdict.BAD, Resource(_TRAIL, "t", {**_GOOD, "enableLogging": False})),
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            Resource(_TRAIL, "t", {**_GOOD, "isMultiRegionTrail": UNKNOWN}),
        ),
    ),
)
