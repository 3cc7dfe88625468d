"""The page of evidence: what an auditor looks for is there, and nothing in it acts or loads."""

from dataclasses import replace

from tests.reports.evidence.made import evidence, stamp
from tests.reports.pages import HOSTILE, parsed

from corral.controls.register import CONTROLS
from corral.controls.verdicts import Finding, Outcome
from corral.stacks.reports.evidence.page import page

URN = "urn:pulumi:s::p::corral:index:Model$kubernetes:core/v1:Pod::web"


def text(run=None, **changes) -> str:
    return page(replace(evidence(run or stamp()), **changes), signed=False)


def test_every_control_its_verdict_and_every_thing_not_checked_is_on_the_page():
    whole = evidence(stamp())
    made = page(whole, signed=True)
    assert all(one.id in made and one.verdict.value in made for one in whole.controls)
    assert {one.id for one in CONTROLS} <= {one.id for one in whole.controls}
    assert made.count("its digest is unresolved") == len([*whole.images, *whole.charts])


def test_a_resource_with_a_finding_is_named_by_type_and_name():
    whole = evidence(stamp(), findings=[Finding("SOV-SUP-01", URN, Outcome.VIOLATED)])
    assert "violated: kubernetes:core/v1:Pod web" in page(whole, signed=False)


def test_the_page_says_whether_it_is_signed_and_that_it_is_no_certificate():
    assert "unsigned" in text()
    assert "unsigned" not in page(evidence(stamp()), signed=True)
    assert "it is no certificate" in text()


def test_a_deployment_without_the_pack_reads_not_run():
    assert "policy: not run" in page(evidence(None), signed=False)


def test_hostile_text_stays_text_and_the_page_loads_nothing():
    made = text(region=HOSTILE, not_checked=(HOSTILE,), other_findings=(HOSTILE,))
    assert HOSTILE not in made and "<script" not in made
    root = parsed(made)
    assert not list(root.all("script")) and not list(root.all("img")) and not list(root.all("link"))
    assert "default-src 'none'" in made.replace("&#x27;", "'")
