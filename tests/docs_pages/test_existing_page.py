"""The page about existing clusters: its stack is read, its links lead somewhere, its sources are listed."""

import re
from pathlib import Path

import yaml

from corral.catalogue.vocabulary import ClusterKind
from corral.stacks.config.loader import parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "existing.md"
TEXT = PAGE.read_text()


def test_the_stack_of_the_page_is_one_that_corral_reads():
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    config = parse(yaml.safe_load(block)["config"]["corral:platform"])
    assert config.cluster.kind is ClusterKind.EXISTING and config.cluster.storage_class == "encrypted"


def test_every_link_of_the_page_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 4 and [one for one in links if not (PAGE.parent / one).exists()] == []


def test_every_source_is_cited_and_every_citation_has_a_source():
    body, _, sources = TEXT.partition("## Sources")
    listed = {int(one) for one in re.findall(r"(?:^|\s)(\d+)\. ", sources)}
    assert {int(one) for one in re.findall(r"\[(\d+)\]", body)} == listed == set(range(1, len(listed) + 1))
