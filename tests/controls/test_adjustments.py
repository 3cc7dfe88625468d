"""A stack adjusts its profile: tightening is free, loosening is named, reasoned, approved and ends."""

from datetime import date, datetime
from typing import Any

import pytest

from corral.controls.adjustments import adjusted
from corral.controls.control import ObjectRule
from corral.controls.enforcement import demanded, stops
from corral.controls.exceptions import ControlException, parse_day
from corral.controls.profiles import ALL_COUNTRIES, PROFILES, profile
from corral.controls.register import CONTROLS, control

TODAY = date(2026, 11, 27)
RESIDENT = PROFILES["eu-resident"]
ENTRY = {
    "control": "SOV-SUP-02",
    "reason": "no digests before release 4",
    "approver": "jane",
    "expires": "2026-12-31",
}


def excepted(**changes: Any) -> dict[str, Any]:
    return {"exceptions": [{**ENTRY, **changes}]}


def test_an_exception_is_in_force_to_its_last_day() -> None:
    for day in (TODAY, date(2026, 12, 31)):
        (one,) = adjusted(RESIDENT, excepted(), day).exceptions
        assert one.note == "excepted until 2026-12-31 by jane: no digests before release 4"
    with pytest.raises(ValueError, match=r"exceptions\[0\]\.expires: 2026-12-31: expired yesterday"):
        adjusted(RESIDENT, excepted(), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"expires": "2027-02-26"}, "exceptions[0].expires: 2027-02-26: 91 days ahead: use a date within 90"),
        ({"expires": "soon"}, "exceptions[0].expires: soon: use a date as YYYY-MM-DD"),
        ({"expires": "2026-02-31"}, "exceptions[0].expires: 2026-02-31: use a date"),
        ({"control": "SOV-SUP-99"}, "exceptions[0].control: SOV-SUP-99: no such control"),
        ({"control": "SOV-RES-01"}, "exceptions[0].control: SOV-RES-01: profile eu-resident stands by it"),
        ({"control": "SOV-KEY-02"}, "exceptions[0].control: SOV-KEY-02: profile eu-resident only reports it"),
        ({"control": "SOV-OFF-01"}, "exceptions[0].control: SOV-OFF-01: profile eu-resident does not demand"),
        ({"reason": "because"}, "exceptions[0].reason: because: use a reason of 10 characters or more"),
        ({"approver": " "}, "exceptions[0].approver:  : name who approved it"),
        ({"approver": None}, "exceptions[0].approver: None: use text"),
        ({"until": "2027-01-01"}, "exceptions[0].until: unknown key: use one of control"),
        ({"resources": ["a/b/c"]}, "exceptions[0].resources[0]: a/b/c: use NAMESPACE/NAME or NAME"),
        ({"resources": "a/b"}, "exceptions[0].resources: use a list of names"),
        (
            {"control": "SOV-KEY-03", "resources": ["shop/models"]},
            "exceptions[0].resources[0]: shop/models: SOV-KEY-03 is about cloud resources",
        ),
    ],
)
def test_what_is_wrong_with_an_exception_is_said_in_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError) as refused:
        adjusted(RESIDENT, excepted(**changes), TODAY)
    assert str(refused.value).startswith(f"sovereignty.{line}"), refused.value


def test_ninety_days_ahead_is_the_most() -> None:
    (one,) = adjusted(RESIDENT, excepted(expires="2027-02-25"), TODAY).exceptions
    assert one.days_left(TODAY) == 90 and not one.ends_soon(TODAY)
    assert one.ends_soon(date(2027, 2, 11)) and not one.ends_soon(date(2027, 2, 10))


def test_a_control_is_made_harder_without_a_reason_and_never_looser() -> None:
    hard = adjusted(RESIDENT, {"controls": {"SOV-KEY-02": "mandatory", "SOV-OFF-01": "advisory"}}, TODAY)
    assert stops(control("SOV-KEY-02"), hard) and not stops(control("SOV-KEY-02"), RESIDENT)
    assert demanded(control("SOV-OFF-01"), hard) and not stops(control("SOV-OFF-01"), hard)
    for word in ("advisory", "disabled"):
        with pytest.raises(ValueError, match=rf"controls\.SOV-SUP-02: {word}: looser .*exceptions"):
            adjusted(RESIDENT, {"controls": {"SOV-SUP-02": word}}, TODAY)
    with pytest.raises(ValueError, match=r"controls\.SOV-SUP-02: off: use one of mandatory"):
        adjusted(RESIDENT, {"controls": {"SOV-SUP-02": "off"}}, TODAY)
    with pytest.raises(ValueError, match=r"controls\.SOV-SUP-99: mandatory: no such control"):
        adjusted(RESIDENT, {"controls": {"SOV-SUP-99": "mandatory"}}, TODAY)


def test_what_a_stack_makes_mandatory_it_can_except() -> None:
    section = {"controls": {"SOV-KEY-02": "mandatory"}, **excepted(control="SOV-KEY-02")}
    assert adjusted(RESIDENT, section, TODAY).exceptions[0].control == "SOV-KEY-02"


@pytest.mark.parametrize(
    ("pattern", "name", "whether"),
    [
        ("shop/web", "shop/web", True),
        ("shop/web", "shop/web-1", False),
        ("shop/web*", "shop/web-1", True),
        ("shop/*", "shop/web", True),
        ("shop/*", "shopping/web", False),
        ("*/web", "shop/web", True),
        ("shop*", "shop/web", False),
        ("s.op/web", "shop/web", False),
        ("shop/web", "shop/web\n", False),
    ],
)
def test_a_star_stands_for_a_part_of_a_name_and_for_no_more(pattern: str, name: str, whether: bool) -> None:
    assert ControlException("SOV-SUP-02", "r", "a", TODAY, (pattern,)).covers(name) is whether


def test_a_date_is_read_as_yaml_and_as_pulumi_have_it() -> None:
    text = ("2026-12-31", "2026-12-31T00:00:00Z", "2026-12-31 00:00:00 +0000 UTC")
    same = (*text, date(2026, 12, 31), datetime(2026, 12, 31))
    assert {parse_day(one) for one in same} == {date(2026, 12, 31)}
    for wrong in ("31.12.2026", "2026-12-31T10:00:00Z", datetime(2026, 12, 31, 9), 20261231, None, True):
        assert parse_day(wrong) is None, wrong


def test_what_cannot_be_excepted_is_mandatory_in_its_profile_and_there_are_controls_that_can() -> None:
    known = {one.id: one for one in CONTROLS}
    for name, found in PROFILES.items():
        assert found.unexceptable <= set(known), name
        assert all(stops(known[one], found) for one in found.unexceptable), name
        free = [one for one in CONTROLS if stops(one, found) and one.id not in found.unexceptable]
        assert any(isinstance(one.rule, ObjectRule) for one in free), name


def test_a_site_is_in_a_country_of_the_profile() -> None:
    for name, country in (("eu-resident", "NO"), ("eu-resident", "DE"), ("air-gapped", "DE"), ("open", "US")):
        profile(name, region="fra-1", country=country)
    for name, country in (
        ("eu-resident", "CH"),
        ("eu-resident", "GB"),
        ("eu-sovereign", "NO"),
        ("open", "XX"),
        ("eu-resident", "EL"),
    ):
        with pytest.raises(ValueError, match=f"country '{country}' lies outside profile {name}"):
            profile(name, region="fra-1", country=country)
    assert all(found.countries is None or found.countries < ALL_COUNTRIES for found in PROFILES.values())


def test_at_a_site_no_region_of_a_cloud_is_in_the_profile() -> None:
    at_site = profile("eu-resident", region="fra-1", country="DE")
    assert at_site.holds("fra-1") and not at_site.holds("eu-central-1") and not at_site.holds("eu")
    assert profile("open", region="lab", country="US").holds("us-east-1"), "profile open holds anything"
