import pytest
from tests.components.harness import build
from tests.components.installs import installs, values_of

from corral.components._kit import ArgsError
from corral.components.crds import Crds


@pytest.mark.parametrize("which", ["gateway-api", "prometheus-crds"])
def test_resource_types_are_one_chart_each(which):
    graph = build(lambda: Crds("types", {"set": which, "supply": {}}))
    assert [entry.name for entry in installs(graph)] == ["types-chart"]


def test_the_gateway_types_are_asked_for_since_their_chart_installs_nothing_by_itself():
    values = values_of(build(lambda: Crds("types", {"set": "gateway-api", "supply": {}})), "types-chart")
    assert values["crds"]["gatewayAPI"] == {"enabled": True, "channel": "standard"}


def test_an_unknown_set_of_types_is_refused_with_the_known_ones():
    with pytest.raises(ArgsError, match="gateway-api, prometheus-crds"):
        build(lambda: Crds("types", {"set": "istio", "supply": {}}))
