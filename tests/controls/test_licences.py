"""Models are under licences of the open-source list, as far as each profile demands it."""

import pytest

from corral.catalogue.models import models
from corral.controls.levels import Level
from corral.controls.licences import LICENCES, is_open_source, licence_findings
from corral.controls.profiles import PROFILES


def levels(profile: str, licence: str) -> list[Level]:
    found = licence_findings([("models[0].model", "m", licence)], PROFILES[profile])
    return [one.level for one in found if one.control == LICENCES and one.path == "models[0].model"]


@pytest.mark.parametrize("licence", ["Apache-2.0", "apache-2.0", "MIT", "AGPL-3.0-only", "GPL-3.0-or-later"])
def test_a_licence_of_the_list_passes_in_either_spelling(licence: str) -> None:
    assert is_open_source(licence) and levels("air-gapped", licence) == []


@pytest.mark.parametrize("licence", ["llama3.1", "gemma", "modified-MIT", "MIT-like", "mistral-research", ""])
def test_a_licence_that_only_sounds_like_one_is_a_finding(licence: str) -> None:
    assert levels("open", licence) == []
    assert levels("eu-controlled", licence) == [Level.ADVISORY]
    assert levels("eu-sovereign", licence) == [Level.MANDATORY]


def test_the_catalogue_has_models_of_both_kinds() -> None:
    assert {is_open_source(one.license) for one in models().values()} == {True, False}
