"""Exceptions from controls and sites of one's own in a stack file: refused, or shown wherever the plan is."""

import datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import parsed, pool, problems

from corral.controls.exceptions import today
from corral.stacks.config.errors import StackErrors
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

TODAY = datetime.date(2026, 11, 27)
OPEN = {"profile": "open", "region": "embedded"}
ENTRY = {
    "control": "SOV-SUP-01",
    "reason": "the vendor has no mirror before release 4",
    "approver": "jane.doe@example.eu",
    "expires": "2026-12-31",
    "resources": ["shop/web*"],
}
EXISTING = {"kind": "existing"}
SITE = {"country": "DE", "site": "fra-1"}


def planned(day: datetime.date = TODAY, **sovereignty: Any) -> Plan:
    return plan(parsed(sovereignty={**OPEN, **sovereignty}), "test", day=day)


def printed(made: Plan) -> str:
    text = StringIO()
    render(made, Console(file=text, width=200))
    return text.getvalue()


def refused(day: datetime.date = TODAY, **changes: Any) -> list[str]:
    with pytest.raises(StackErrors) as found:
        planned(day, exceptions=[{**ENTRY, **changes}])
    return [str(one) for one in found.value.problems]


def test_an_exception_is_on_the_terminal_and_on_the_page_with_its_last_day_and_approver() -> None:
    made = planned(exceptions=[ENTRY])
    (one,) = made.policy.exceptions
    assert (one.days_left, one.ends_soon) == (34, False)
    until = "excepted until 2026-12-31 by jane.doe@example.eu: the vendor has no mirror before release 4"
    assert f"\nSOV-SUP-01 for shop/web*: {until}\n" in printed(made)
    shown = page(made)
    for text in ("No control is excepted", "34 days left", "jane.doe@example.eu", "for shop/web*"):
        assert (text in shown) is (text != "No control is excepted"), text
    assert "No control is excepted" in page(planned())
    assert "excepted until" not in printed(planned())


def test_an_exception_that_ends_soon_is_a_warning() -> None:
    soon = planned(datetime.date(2026, 12, 21), exceptions=[ENTRY])
    assert "\nwarning, 10 days left: SOV-SUP-01 for shop/web*" in printed(soon)
    last = planned(datetime.date(2026, 12, 31), exceptions=[{**ENTRY, "resources": []}])
    assert "\nwarning, its last day: SOV-SUP-01 for everything" in printed(last)
    assert "warning" not in printed(planned(datetime.date(2026, 12, 16), exceptions=[ENTRY]))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"expires": "2026-11-26"}, "sovereignty.exceptions[0].expires: 2026-11-26: expired yesterday"),
        ({"expires": "2027-03-01"}, "sovereignty.exceptions[0].expires: 2027-03-01: 94 days ahead"),
        ({"control": "SOV-ABC-01"}, "sovereignty.exceptions[0].control: SOV-ABC-01: no such control"),
        ({"control": "SOV-SUP-02"}, "sovereignty.exceptions[0].control: SOV-SUP-02: profile open only rep"),
        ({"approver": ""}, "sovereignty.exceptions[0].approver: empty text: name who approved it"),
        ({"reason": "TODO"}, "sovereignty.exceptions[0].reason: TODO: use a reason of 10 characters"),
    ],
)
def test_a_stack_with_a_wrong_exception_does_not_plan(changes: dict[str, Any], line: str) -> None:
    (found,) = refused(**changes)
    assert found.startswith(line)


def test_by_default_the_day_is_todays() -> None:
    yesterday = str(today() - datetime.timedelta(1))
    (found,) = problems(sovereignty={**OPEN, "exceptions": [{**ENTRY, "expires": yesterday}]})
    assert "expired yesterday" in found


def test_what_a_stack_tightens_is_shown_and_counted() -> None:
    tight = planned(controls={"SOV-SUP-02": "mandatory"})
    assert "\nSOV-SUP-02: mandatory in this stack\n" in printed(tight)
    assert page(tight).count("verdict stops") == page(planned()).count("verdict stops") + 1
    (found,) = problems(sovereignty={**OPEN, "controls": {"SOV-SUP-01": "disabled"}})
    assert found.startswith("sovereignty.controls.SOV-SUP-01: disabled: looser than profile open")


def strict(region: Any, **changes: Any) -> list[str]:
    base = {"cluster": EXISTING, "models": [], **changes}
    found = problems(sovereignty={"profile": "eu-resident", "region": region}, **base)
    return [one for one in found if not one.startswith("sovereignty.profile: eu-resident: needs digests")]


def test_a_site_of_ones_own_is_a_place_with_a_country() -> None:
    made = planned(region=SITE)
    assert (made.region, made.country, made.storage.region) == ("fra-1", "DE", "fra-1")
    assert "region fra-1 (DE)" in printed(made) and "fra-1 (DE)" in page(made)
    assert strict(SITE) == []


@pytest.mark.parametrize(
    ("region", "line"),
    [
        ({**SITE, "country": "CH"}, "sovereignty.region.country: CH: profile eu-resident allows AT, BE, BG"),
        ({**SITE, "country": "XX"}, "sovereignty.region.country: XX: profile eu-resident allows AT, BE, BG"),
        ({**SITE, "country": "de"}, "sovereignty.region.country: de: use a country by its code of ISO 3166"),
        ({**SITE, "site": "Fra_1"}, "sovereignty.region.site: Fra_1: use a DNS label"),
        ({**SITE, "site": "eu-central-1"}, "sovereignty.region.site: eu-central-1: the name of a cloud's"),
        ({"country": "DE"}, "sovereignty.region.site: missing: this key of sovereignty.region is needed"),
        ({**SITE, "zone": "a"}, "sovereignty.region.zone: unknown key: use one of country, site"),
        (7, "sovereignty.region: 7: use text"),
        ("fra-1", "sovereignty.region: fra-1: profile eu-resident allows eu-central-1, eu-north-1"),
    ],
)
def test_a_place_that_is_none_is_refused_in_one_line(region: Any, line: str) -> None:
    (found,) = strict(region)
    assert found.startswith(line)


def test_a_region_of_a_cloud_is_taken_of_a_cluster_whose_nodes_are_there() -> None:
    (found,) = strict("eu-central-1")
    assert found.startswith("sovereignty.region: eu-central-1: a region of a cloud, and nothing says that")
    assert "{country: DE, site: NAME}" in found
    assert strict("eu-central-1", cluster={**EXISTING, "platform": "eks-al2023"}) == []
    rented = pool(gpu="H100-80GB", instance="p5.48xlarge", gpus_per_node=8, sharing="whole")
    assert strict("eu-north-1", gpu_pools=[rented]) == []
    (found,) = strict(SITE, cluster={**EXISTING, "platform": "eks-al2023"})
    assert found.startswith("sovereignty.region.site: fra-1: nodes of platform eks-al2023 are in a region of")
