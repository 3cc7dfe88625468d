"""Section `gateway`: what becomes of it, what is shown of it, and what is refused."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, planned, problems

from corral.catalogue.vocabulary import TokenUnit
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

TENANTS = [{"name": "blue", "callers": ["shop"]}, {"name": "red", "namespace": "red-1"}]
MODELS = [model(tenant="blue"), model(name="code", tenant="red")]
JWT = {
    "issuer": "https://id.example.eu/realms/red",
    "jwks": "https://id.example.eu/realms/red/certs",
    "network": "10.20.0.0/24",
    "audiences": ["red-models"],
}
POOL = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]
EU = {"sovereignty": {"profile": "eu-resident", "region": {"country": "DE", "site": "fra-1"}}}
OWN_CLUSTER = {"cluster": {"kind": "existing"}}
AIR_GAPPED = {
    "sovereignty": {
        "profile": "air-gapped",
        "region": {"country": "DE", "site": "fra-1"},
        "registry": "registry.example.eu",
    }
}


def stack(gateway: Any, **more: Any) -> dict[str, Any]:
    return {"tenants": TENANTS, "models": MODELS, "gpu_pools": POOL, "gateway": gateway, **more}


def section(**more: Any) -> dict[str, Any]:
    return {"host": "models.example.eu", **more}


def lines(gateway: Any, **more: Any) -> list[str]:
    found = problems(**stack(gateway, **more))
    return [one for one in found if "gateway" in one or "callers" in one]


def test_each_tenant_has_its_models_and_its_own_or_the_common_limit():
    tenants = {"red": {"requests-per-minute": 7, "jwt": JWT}}
    made = planned(**stack(section(**{"requests-per-minute": 90, "port": 8443, "tenants": tenants}))).gateway
    assert made is not None
    limits = {one.tenant: (one.models, one.requests_per_minute) for one in made.tenants}
    assert limits == {"blue": (("chat",), 90), "red": (("code",), 7)}
    assert [one.tokens is None for one in made.tenants] == [True, False]
    assert made.base_url("red") == "https://models.example.eu:8443/red/v1"
    assert made.route("red", "code") == "https://models.example.eu:8443/red/code/v1"
    assert planned(**stack(section())).gateway.base_url("red") == "https://models.example.eu/red/v1"


def test_ceilings_of_answers_are_of_their_tenants_routes_and_shown():
    models = [model(tenant="blue", max_tokens=512), model(name="code", tenant="red")]
    made = planned(**stack(section(), models=models))
    assert made.gateway is not None
    assert {one.tenant: one.max_tokens for one in made.gateway.tenants} == {
        "blue": (("chat", 512),),
        "red": (),
    }
    text = StringIO()
    render(made, Console(file=text, width=240))
    assert "an answer of chat has at most 512 tokens" in text.getvalue()


def test_without_the_section_there_is_neither_endpoint_nor_addon():
    made = planned()
    assert made.gateway is None
    states = {one.addon.value: one.state.value for one in made.addons}
    assert states["envoy-gateway"] == "off"


def test_routes_limits_and_callers_are_on_the_terminal_and_on_the_page():
    made = planned(**stack(section(**{"tenants": {"red": {"jwt": JWT}}})))
    text = StringIO()
    render(made, Console(file=text, width=240))
    for shown in (text.getvalue(), page(made)):
        for words in (
            "https://models.example.eu/blue/v1",
            "tokens of https://id.example.eu/realms/red for red-models",
            "API keys",
            "600",
            "models of blue are also called from shop",
        ):
            assert words in shown, words
    assert "No application outside the cluster calls a model" in page(planned())


def test_an_addon_of_the_gateway_brings_its_charts_and_images_into_the_plan():
    made = planned(**stack(section()))
    charts = {
        one.name for addon in made.addons if addon.addon.value == "envoy-gateway" for one in addon.charts
    }
    assert charts == {"gateway-helm", "gateway-crds-helm"}
    assert "docker.io/envoyproxy/envoy" in made.policy.repositories
    without = planned(**stack(section(), addons={"gateway-api": "existing"}))
    assert "chart gateway-crds-helm" in without.digests.unresolved, "a mirror needs it all the same"


@pytest.mark.parametrize(
    ("gateway", "line"),
    [
        ({}, "gateway.host"),
        (section(host="10.20.0.7"), "gateway.host: 10.20.0.7: use a DNS name"),
        (section(tenants={"green": {}}), "gateway.tenants.green: green"),
        (section(tenants={"red": {"jwt": {**JWT, "issuer": "http://id.example.eu"}}}), "jwt.issuer"),
        (section(tenants={"red": {"jwt": {**JWT, "audiences": []}}}), "jwt.audiences"),
        (section(tenants={"red": {"jwt": {**JWT, "network": "10.20.0.1/24"}}}), "jwt.network: 10.20.0.1/24"),
        (
            section(tenants={"red": {"jwt": {**JWT, "jwks": "https://10.20.0.7/certs"}}}),
            "jwt.jwks: https://10",
        ),
        (
            section(tenants={"red": {"jwt": {**JWT, "jwks": "https://id/certs"}}}),
            "jwt.jwks: https://id/certs",
        ),
        (section(tenants={"red": {"jwt": {**JWT, "ca": "no certificate"}}}), "certificates in PEM"),
        (section(tenants={"red": {"jwt": {**JWT, "refresh": 9}}}), "jwt.refresh: 9"),
        (section(**{"max-body": "2Gi"}), "gateway.max-body: 2Gi"),
        (section(**{"requests-per-minute": 0}), "gateway.requests-per-minute: 0"),
        (section(**{"tokens-per-minute": 9}), "gateway.tokens-per-minute"),
        (section(port=70000), "gateway.port: 70000"),
        (section(timeout=0), "gateway.timeout: 0"),
        (section(availability=100), "gateway.availability: 100"),
        (section(availability=0.999), "gateway.availability: 0.999"),
    ],
)
def test_a_wrong_value_is_answered_with_its_path(gateway: Any, line: str):
    (found,) = lines(gateway)
    assert line in found


@pytest.mark.parametrize(
    ("second", "model_of_it"), [("blue--a", "b"), ("blue--a--b", "chat")], ids=["a model's", "a tenant's"]
)
def test_two_models_on_one_route_are_refused_with_the_way_out(second: str, model_of_it: str):
    tenants = [{"name": "blue"}, {"name": second}]
    models = [model(tenant="blue", name="a--b"), model(tenant=second, name=model_of_it)]
    found = [one for one in problems(**stack(section(), tenants=tenants, models=models)) if "route" in one]
    (line,) = found
    assert "blue--a--b" in line and line.endswith("use another name, without --"), line
    apart = [model(tenant="blue", name="a-b"), models[1]]
    assert not [one for one in problems(**stack(section(), tenants=tenants, models=apart)) if "route" in one]


def test_tokens_of_one_audience_never_open_the_models_of_two_tenants():
    both = section(tenants={"blue": {"jwt": JWT}, "red": {"jwt": JWT}})
    (found,) = lines(both)
    assert "gateway.tenants.red.jwt.audiences[0]: red-models" in found and "tenant blue" in found
    apart = {**JWT, "audiences": ["blue-models"]}
    assert lines(section(tenants={"blue": {"jwt": apart}, "red": {"jwt": JWT}})) == []


@pytest.mark.parametrize(
    ("network", "profile", "refused"),
    [
        ("8.8.8.0/24", AIR_GAPPED, True),
        ("10.20.0.0/16", AIR_GAPPED, False),
        ("8.8.0.0/16", EU, True),
        ("8.8.8.0/24", EU, False),
        ("8.8.0.0/16", {}, False),
    ],
)
def test_a_profile_says_where_a_providers_keys_may_be(network: str, profile: Any, refused: bool):
    section_of = section(tenants={"red": {"jwt": {**JWT, "network": network}}})
    found = lines(section_of, **profile, **(OWN_CLUSTER if profile else {}))
    assert bool(found) is refused
    assert all(one.startswith(f"gateway.tenants.red.jwt.network: {network}") for one in found)


def test_a_load_balancer_is_internal_but_in_profile_open():
    internal = {"networking.gke.io/load-balancer-type": "Internal"}
    assert lines(section(**{"load-balancer": {}})) == []
    (found,) = lines(section(**{"load-balancer": {"a": "b"}}), **EU, **OWN_CLUSTER)
    assert found.startswith("gateway.load-balancer: a")
    assert lines(section(**{"load-balancer": internal}), **EU, **OWN_CLUSTER) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"addons": {"envoy-gateway": "off"}}, "addons.envoy-gateway: off"),
        ({"addons": {"gateway-api": "off"}}, "addons.gateway-api: off: envoy-gateway needs it"),
        ({"gateway": None, "addons": {"envoy-gateway": "existing"}}, "the section gateway is missing"),
        ({"tenants": [{"name": "blue", "callers": ["blue"]}, TENANTS[1]]}, "tenants[0].callers[0]: blue"),
        ({"addons": {"tenancy": "existing"}}, "tenants[0].callers: shop"),
    ],
)
def test_what_contradicts_the_endpoint_is_refused(changes: Any, line: str):
    found = lines(changes.pop("gateway", section()), **changes)
    assert any(line in one for one in found), found


def token_lines(limits: Any, **more: Any) -> list[str]:
    return [one for one in problems(**stack(section(), token_limits=limits, **more)) if "token-limits" in one]


def test_each_tenant_has_its_own_or_the_common_limits_of_tokens_the_longest_window_first():
    limits = {"tokens-per-day": 5000, "tenants": {"red": {"tokens-per-minute": 70, "tokens-per-day": 900}}}
    made = planned(**stack(section(), token_limits=limits))
    assert made.gateway is not None
    tenants = made.gateway.tenants
    stated = {one.tenant: [(each.tokens, each.unit) for each in one.token_limits] for one in tenants}
    assert stated == {
        "blue": [(5000, TokenUnit.DAY)],
        "red": [(900, TokenUnit.DAY), (70, TokenUnit.MINUTE)],
    }
    assert "token-limits-password" in made.secrets_needed
    assert {"image ratelimit", "image valkey"} <= {*made.digests.unresolved}
    text = StringIO()
    render(made, Console(file=text, width=300))
    for shown in (text.getvalue(), page(made)):
        assert "70 a minute, 900 a day" in shown and "while the store of counts does not answer" in shown
    without = planned(**stack(section()))
    assert without.gateway is not None and not any(one.token_limits for one in without.gateway.tenants)
    assert "token-limits-password" not in without.secrets_needed


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ({}, "token-limits: {}: no tenant has a limit"),
        ({"tokens-per-day": 0}, "token-limits.tokens-per-day: 0"),
        ({"tokens-per-day": 2**32}, "token-limits.tokens-per-day: 4294967296: use 4294967295 at most"),
        ({"tokens-per-minute": 9, "tokens-per-day": 9}, "token-limits.tokens-per-day: 9: must be greater"),
        (
            {"tokens-per-minute": 9, "tenants": {"red": {"tokens-per-month": 8}}},
            "token-limits.tenants.red.tokens-per-month: 8: must be greater than tokens-per-minute",
        ),
        (
            {"tokens-per-day": 9, "tenants": {"green": {}}},
            "token-limits.tenants.green: green: use one of blue, red",
        ),
    ],
)
def test_wrong_limits_of_tokens_are_refused_with_their_path(limits: Any, line: str):
    (found,) = token_lines(limits)
    assert line in found


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"gateway": None}, "the section gateway is missing"),
        ({"addons": {"token-limits": "off"}}, "addons.token-limits: off"),
        ({"addons": {"token-limits": "existing"}}, "addons.token-limits: existing"),
        ({"addons": {"envoy-gateway": "existing"}}, "addons.envoy-gateway: existing: token-limits changes"),
    ],
)
def test_limits_of_tokens_that_nothing_would_hold_are_refused(more: Any, line: str):
    found = problems(**{**stack(section(), token_limits={"tokens-per-day": 9}), **more})
    assert any(line in one for one in found), found
