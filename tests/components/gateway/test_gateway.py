"""The gateway: who may call what, and what holds when nobody has said anything."""

import base64
import json
import re
from typing import Any

import pytest
from tests.components.harness import Graph, build

from corral.catalogue.addons import definition
from corral.catalogue.gateway import NO_CALLER, NO_KEY
from corral.catalogue.vocabulary import Addon
from corral.components._kit import ArgsError
from corral.components.envoy_gateway import rate_limits
from corral.components.gateway import Gateway, RoutedTenant
from corral.components.gateway.script import METADATA, RESET, USED
from corral.components.model.ending import UNROUTED

BLUE: RoutedTenant = {
    "name": "blue",
    "namespace": "blue",
    "models": ["chat", "code"],
    "requests_per_minute": 9,
}
TOKENS = {
    "issuer": "https://id.example.eu",
    "jwks": "https://id.example.eu/keys",
    "network": "10.20.0.0/24",
    "audiences": ["models"],
}
RED: Any = {
    "name": "red",
    "namespace": "red-1",
    "models": ["chat"],
    "requests_per_minute": 5,
    "tokens": TOKENS,
}
ARGS: Any = {"host": "models.example.eu", "supply": {}}
KEPT_BY_SERVERS = 5
"""Seconds after which servers of models close a connection on which nothing was asked."""
THERE = {"controller": "envoy-gateway-system", "cert_manager": "cert-manager"}


def made(*tenants: Any, **more: Any) -> Graph:
    args: Any = {**ARGS, "tenants": list(tenants or (BLUE, RED)), **THERE, **more}
    return build(lambda: Gateway("gateway", args))


def named(graph: Graph, kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in graph.of(kind) if one.custom and one.inputs["metadata"]["name"] == name]
    return found.inputs


def rules(graph: Graph, route: str) -> list[dict[str, Any]]:
    return named(graph, "HTTPRoute", route)["spec"]["rules"]


def test_every_route_has_a_policy_of_its_tenant_about_who_calls():
    graph = made()
    selected = {
        one.inputs["spec"]["targetSelectors"][0]["matchLabels"]["corral.dev/tenant"]: one.inputs["spec"]
        for one in graph.of("SecurityPolicy")
        if "targetSelectors" in one.inputs["spec"]
    }
    owners = {
        one.inputs["metadata"]["name"]: one.inputs["metadata"]["labels"]["corral.dev/tenant"]
        for one in graph.of("HTTPRoute")
    }
    assert owners == {
        "blue": "blue",
        "blue--chat": "blue",
        "blue--code": "blue",
        "red": "red",
        "red--chat": "red",
    }
    assert selected["blue"]["apiKeyAuth"]["credentialRefs"] == [{"kind": "Secret", "name": "keys-blue"}]
    assert selected["red"]["jwt"]["providers"][0]["audiences"] == ["models"]
    assert "jwt" not in selected["blue"] and "apiKeyAuth" not in selected["red"]


def test_a_route_without_a_policy_of_its_own_lets_nobody_in():
    refused = named(made(), "SecurityPolicy", "corral")["spec"]
    assert refused["authorization"] == {"defaultAction": "Deny"}
    assert refused["targetRefs"][0]["kind"] == "Gateway"


def test_a_provider_is_known_by_the_name_of_its_host_and_by_its_authorities():
    system = named(made(), "Backend", "red-provider")["spec"]
    assert system["endpoints"] == [{"fqdn": {"hostname": "id.example.eu", "port": 443}}]
    assert system["tls"] == {"wellKnownCACertificates": "System", "sni": "id.example.eu"}
    own = {**TOKENS, "jwks": "https://ID.example.eu:8443/keys", "ca": "PEM", "refresh_seconds": 20}
    graph = made({**RED, "tokens": own})
    backend = named(graph, "Backend", "red-provider")["spec"]
    assert backend["endpoints"] == [{"fqdn": {"hostname": "id.example.eu", "port": 8443}}]
    (reference,) = backend["tls"]["caCertificateRefs"]
    (authorities,) = [
        one for one in graph.of("ConfigMap") if one.inputs["metadata"]["name"] == reference["name"]
    ]
    assert authorities.inputs["data"] == {"ca.crt": "PEM"} and backend["tls"]["sni"] == "id.example.eu"
    (provider,) = named(graph, "SecurityPolicy", "red")["spec"]["jwt"]["providers"]
    assert provider["remoteJWKS"]["cacheDuration"] == "20s"
    assert [one["name"] for one in provider["remoteJWKS"]["backendRefs"]] == ["red-provider"]


def test_policies_are_there_before_the_routes_that_they_guard():
    graph = made()
    for one in graph.of("HTTPRoute"):
        owner = one.inputs["metadata"]["labels"]["corral.dev/tenant"]
        before = {urn.rpartition("::")[2] for urn in graph.before(one)}
        assert {f"gateway-{owner}-callers", f"gateway-{owner}-limits", "gateway-refused"} <= before


def test_routes_come_from_the_gateways_namespace_alone():
    graph = made()
    listener = named(graph, "Gateway", "corral")["spec"]["listeners"][0]
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    assert {one.inputs["metadata"]["namespace"] for one in graph.of("HTTPRoute")} == {"envoy-gateway-system"}
    grants = {one.inputs["metadata"]["namespace"]: one.inputs["spec"] for one in graph.of("ReferenceGrant")}
    assert grants.keys() == {"blue", "red-1"}
    assert grants["blue"]["from"][0]["namespace"] == "envoy-gateway-system"


def test_a_model_gets_neither_key_nor_token():
    graph = made()
    assert named(graph, "SecurityPolicy", "blue")["spec"]["apiKeyAuth"]["sanitize"] is True
    for route in ("blue--chat", "red--chat"):
        (rule,) = rules(graph, route)
        removed = [one for one in rule["filters"] if one["type"] == "RequestHeaderModifier"]
        assert removed[0]["requestHeaderModifier"] == {"remove": ["Authorization"]}


def test_nobody_but_the_gateway_says_who_calls():
    clients = named(made(), "ClientTrafficPolicy", "corral")["spec"]
    header = named(made(), "SecurityPolicy", "blue")["spec"]["apiKeyAuth"]["forwardClientIDHeader"]
    assert clients["headers"]["earlyRequestHeaders"]["remove"] == [header]


def test_the_program_owns_one_entry_of_a_list_of_keys_which_is_never_empty():
    (keys,) = made().of("Secret")
    assert keys.inputs["metadata"]["name"] == "keys-blue"
    assert keys.ignored == (), "SOV-OPS-07"
    content = keys.inputs.get("stringData") or {
        key: base64.b64decode(value).decode() for key, value in keys.inputs["data"].items()
    }
    assert content == {NO_CALLER: NO_KEY}
    assert "\n" in NO_KEY, "no header can carry it"


def test_a_model_is_reached_by_its_service_with_the_path_that_it_knows():
    (rule,) = rules(made(timeout_seconds=90), "red--chat")
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/red/chat/v1"}}]
    assert rule["backendRefs"] == [{"name": "chat-predictor", "namespace": "red-1", "port": 80}]
    rewrite = rule["filters"][0]["urlRewrite"]["path"]
    assert rewrite == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}
    assert rule["timeouts"] == {"request": "90s"}


def test_models_of_a_tenant_are_listed_as_openai_does():
    graph = made()
    listing = rules(graph, "blue")[0]
    assert listing["matches"] == [{"path": {"type": "Exact", "value": "/blue/v1/models"}, "method": "GET"}]
    answer = named(graph, "HTTPRouteFilter", listing["filters"][0]["extensionRef"]["name"])["spec"]
    body = json.loads(answer["directResponse"]["body"]["inline"])
    assert [one["id"] for one in body["data"]] == ["chat", "code"]


def test_a_limit_is_the_tenants_and_answered_in_openais_form_with_a_time():
    limits = named(made(max_body_mib=3), "BackendTrafficPolicy", "blue")["spec"]
    assert limits["rateLimit"]["local"]["rules"] == [{"limit": {"requests": 9, "unit": "Minute"}}]
    assert limits["requestBuffer"] == {"limit": "3Mi"}
    answers = {one["match"]["statusCodes"][0]["value"]: one["response"] for one in limits["responseOverride"]}
    assert answers.keys() == {401, 403, 413, 429, 502, 503, 504}
    assert answers[429]["header"]["set"] == [{"name": "retry-after", "value": "60"}]
    for one in answers.values():
        assert json.loads(one["body"]["inline"])["error"]["message"]


def test_the_endpoint_is_private_until_a_load_balancer_is_named():
    def service(**more: Any) -> dict[str, Any]:
        spec = named(made(**more), "EnvoyProxy", "corral")["spec"]
        return spec["provider"]["kubernetes"]["envoyService"]

    assert service() == {"name": "corral-gateway", "type": "ClusterIP"}
    public = service(load_balancer={"networking.gke.io/load-balancer-type": "Internal"})
    assert public["type"] == "LoadBalancer"
    assert public["annotations"] == {"networking.gke.io/load-balancer-type": "Internal"}


def test_a_certificate_comes_from_the_named_issuer_or_from_one_of_its_own():
    own = made()
    assert named(own, "Certificate", "corral-gateway")["spec"]["issuerRef"]["kind"] == "Issuer"
    assert own.of("Issuer")
    signed = made(issuer="letsencrypt")
    reference = named(signed, "Certificate", "corral-gateway")["spec"]["issuerRef"]
    assert reference == {"name": "letsencrypt", "kind": "ClusterIssuer"} and not signed.of("Issuer")


@pytest.mark.parametrize(("port", "inside"), [(443, 10443), (8443, 8443)])
def test_proxies_reach_models_their_controller_and_named_providers_alone(port: int, inside: int):
    spec = named(made(port=port), "NetworkPolicy", "corral-gateway")["spec"]
    assert spec["ingress"][0] == {"ports": [{"protocol": "TCP", "port": inside}]}
    peers = [peer for rule in spec["egress"] for peer in rule["to"]]
    assert {"ipBlock": {"cidr": "10.20.0.0/24"}} in peers
    spaces = [
        one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for one in peers
        if "namespaceSelector" in one
    ]
    assert sorted(spaces) == ["blue", "kube-system", "red-1"]


def test_tokens_that_open_the_models_of_two_tenants_are_refused():
    other = {**RED, "name": "green", "namespace": "green"}
    with pytest.raises(ArgsError, match=r"audience 'models' .* red and green; use one audience for each"):
        made(RED, other)


@pytest.mark.parametrize("availability", [100, 89, 995])
def test_an_objective_that_is_none_is_refused(availability: float):
    with pytest.raises(
        ArgsError, match=rf"availability: {availability} is not allowed; use 90 or more, below 100"
    ):
        made(availability=availability)


@pytest.mark.parametrize(("stated", "allowed"), [({}, 0.005), ({"availability": 99.9}, 0.001)])
def test_errors_are_held_to_what_the_objective_allows_over_windows(stated: Any, allowed: float):
    rules = made(**stated).one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    (burn,) = [one["expr"] for one in rules if one.get("alert") == "GatewayErrorBudgetBurn"]
    assert burn.count(f"> {14.4 * allowed:g} ") == 1 and burn.count(f"> {14.4 * allowed:g})") == 1
    assert [window in burn for window in ("[1h]", "[5m]", "[6h]", "[30m]")] == [True] * 4


def test_a_model_that_is_listed_twice_is_refused():
    with pytest.raises(ArgsError, match="/blue/chat/v1 leads to two models"):
        made({**BLUE, "models": ["chat", "chat"]})


def test_the_calls_of_a_model_are_divided_between_it_and_its_canary_by_weight():
    canary = {"model": "chat", "name": "chat-canary", "weight": 10}
    (rule,) = rules(made({**BLUE, "canaries": [canary]}), "blue--chat")
    weights = {one["name"]: (one["namespace"], one["weight"]) for one in rule["backendRefs"]}
    assert weights == {"chat-predictor": ("blue", 90), "chat-canary-predictor": ("blue", 10)}
    (other,) = rules(made({**BLUE, "canaries": [canary]}), "blue--code")
    assert [one["name"] for one in other["backendRefs"]] == ["code-predictor"]


@pytest.mark.parametrize("weight", [0, 100])
def test_who_has_no_part_of_the_calls_stays_in_the_route(weight: int):
    canary = {"model": "chat", "name": "chat-canary", "weight": weight}
    (rule,) = rules(made({**BLUE, "canaries": [canary]}), "blue--chat")
    assert [one["weight"] for one in rule["backendRefs"]] == [100 - weight, weight]


def test_a_call_whose_server_ends_before_it_answers_goes_to_another():
    limits = named(made(), "BackendTrafficPolicy", "blue")["spec"]
    assert {"connect-failure", "reset"} <= set(limits["retry"]["retryOn"]["triggers"])
    assert limits["retry"]["numRetries"] > 0
    assert limits["retry"]["retryOn"]["httpStatusCodes"] == [502], "of an interceptor whose server ended"


def seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s)", duration).groups()
    return int(number) / (1000 if unit == "ms" else 1)


def test_retries_outlast_the_time_in_which_a_service_leads_to_a_dead_replica():
    retry = named(made(), "BackendTrafficPolicy", "blue")["spec"]["retry"]
    first, most = (seconds(retry["perRetry"]["backOff"][key]) for key in ("baseInterval", "maxInterval"))
    # Envoy draws each pause evenly, from none to a greatest that doubles and one more time the first.
    pauses = [min(most, first * (2 ** (n + 1) - 1)) / 2 for n in range(retry["numRetries"])]
    assert sum(pauses) > 2


def test_no_call_is_sent_on_a_connection_that_its_server_may_be_closing():
    timeouts = named(made(), "BackendTrafficPolicy", "blue")["spec"]["timeout"]["http"]
    used = seconds(timeouts["maxConnectionDuration"])
    assert used < KEPT_BY_SERVERS
    assert used < UNROUTED - 1, "and of its Service's endpoints its node hears within a second"


@pytest.mark.parametrize(
    ("canary", "line"),
    [
        ({"model": "other"}, "canary 'next' of blue: 'other' is none of its models, chat, code"),
        ({"weight": 101}, r"canaries\[0\]\.weight: .*101"),
        ({"weight": -1}, r"canaries\[0\]\.weight: .*-1"),
        ({"name": "Not A Label"}, r"canaries\[0\]\.name"),
    ],
)
def test_a_canary_that_nothing_can_lead_to_is_refused(canary: Any, line: str):
    one = {"model": "chat", "name": "next", "weight": 1, **canary}
    with pytest.raises(ArgsError, match=line):
        made({**BLUE, "canaries": [one]})


def test_two_paths_that_would_have_one_route_are_refused():
    args: Any = [{**BLUE, "models": ["chat", "a--b"]}, {**RED, "name": "blue--a", "models": ["b"]}]
    with pytest.raises(ArgsError, match="paths /blue/a--b/v1 and /blue--a/b/v1 have one route"):
        made(*args)


def test_names_of_routes_have_no_dot_at_which_envoys_statistics_would_cut_them():
    found = made(BLUE, RED).of("HTTPRoute")
    assert len(found) > 3 and not [one.object_name for one in found if "." in one.object_name]


def test_a_model_has_one_canary():
    both = [{"model": "chat", "name": name, "weight": 1} for name in ("next", "later")]
    with pytest.raises(ArgsError, match="'later' of blue: model 'chat' has one already"):
        made({**BLUE, "canaries": both})


LIMITED: Any = {**BLUE, "token_limits": [{"tokens": 900, "unit": "Day"}, {"tokens": 50, "unit": "Minute"}]}


def test_tokens_are_limited_for_all_models_of_a_tenant_by_what_answers_have_used():
    limits = named(made(LIMITED, RED), "BackendTrafficPolicy", "blue")["spec"]["rateLimit"]
    stated = [(one["limit"], one["shared"]) for one in limits["global"]["rules"]]
    assert stated == [
        ({"requests": 900, "unit": "Day"}, True),
        ({"requests": 50, "unit": "Minute"}, True),
    ]
    for one in limits["global"]["rules"]:
        assert one["cost"]["request"] == {"from": "Number", "number": 0}, "letting a call in costs nothing"
        used = one["cost"]["response"]["metadata"]
        assert used == {"namespace": METADATA, "key": USED}
    assert limits["local"]["rules"][0]["limit"]["requests"] == 9, "requests are limited as before"
    assert "global" not in named(made(), "BackendTrafficPolicy", "blue")["spec"]["rateLimit"]


def test_spent_tokens_are_told_apart_by_their_limit_before_any_other_refusal():
    answered = named(made(LIMITED), "BackendTrafficPolicy", "blue")["spec"]["responseOverride"]
    refusals = [one for one in answered if one["match"]["statusCodes"][0]["value"] == 429]
    told = [
        (
            one["match"].get("responseHeaders", [{}])[0].get("value", {}).get("value"),
            json.loads(one["response"]["body"]["inline"])["error"]["code"],
            one["response"]["header"]["set"][0]["value"],
        )
        for one in refusals
    ]
    again = f"%DYNAMIC_METADATA({METADATA}:{RESET})%"
    assert told == [
        ("900,", "insufficient_quota", again),
        ("50,", "rate_limit_exceeded", again),
        (None, "rate_limit_exceeded", "60"),
    ]


def scripts(graph: Graph, text: str) -> dict[str, Any]:
    """Specs, by name, of the policies with a script that has this text."""
    return {
        one.inputs["metadata"]["name"]: one.inputs["spec"]
        for one in graph.of("EnvoyExtensionPolicy")
        if text in one.inputs["spec"]["lua"][0]["inline"]
    }


def test_tokens_are_counted_on_every_path_of_a_tenant_with_limits_and_on_no_other():
    graph = made(LIMITED, RED)
    counting = scripts(graph, "count(handle)\n")
    assert counting.keys() == {"blue", "blue.answers"}
    labels = counting["blue.answers"]["targetSelectors"][0]["matchLabels"]
    selected = {
        one.inputs["metadata"]["name"]
        for one in graph.of("HTTPRoute")
        if labels.items() <= one.inputs["metadata"]["labels"].items()
    }
    assert selected == {"blue--chat", "blue--code"}
    assert counting["blue"]["targetRefs"][0]["name"] == "blue"


def test_a_ceiling_of_answers_is_in_the_scripts_of_its_tenant_alone():
    graph = made({**BLUE, "max_tokens": {"chat": 512}}, RED)
    assert scripts(graph, '["chat"] = 512').keys() == {"blue", "blue.answers"}
    assert scripts(made(), "max_tokens").keys() == set()


def test_a_gateway_of_somebody_elses_needs_lua_on_no_path_of_a_model():
    there = {
        name: {"spec": {"versions": [{"name": version, "served": True}]}}
        for name, version in map(definition, (Addon.ENVOY_GATEWAY, Addon.CERT_MANAGER))
    }
    args: Any = {**ARGS, "tenants": [BLUE, RED]}
    own, other = made(), build(lambda: Gateway("gateway", args), found=there)
    assert {"blue.answers", "red.answers"} <= scripts(own, "context_length_exceeded").keys()
    assert scripts(other, "").keys() == {"blue", "red"}
    for spec in scripts(other, "").values():
        (target,) = spec["targetRefs"]
        assert target["name"] in ("blue", "red"), "the routes by the name of a model alone"


def test_proxies_reach_the_rate_limit_service_where_something_is_limited():
    def peers(*tenants: Any) -> list[Any]:
        spec = named(made(*tenants), "NetworkPolicy", "corral-gateway")["spec"]
        return [peer for rule in spec["egress"] for peer in rule["to"]]

    service = {"podSelector": {"matchLabels": rate_limits.PODS}}
    assert service in peers(LIMITED, RED) and service not in peers(BLUE, RED)


def test_calls_of_a_scaled_model_go_by_way_of_what_holds_them_and_carry_its_name():
    graph = made({**BLUE, "scaled": ["chat"]}, keda="keda")
    (rule,) = rules(graph, "blue--chat")
    assert [one["name"] for one in rule["backendRefs"]] == ["keda-add-ons-http-interceptor-proxy"]
    assert rule["backendRefs"][0]["namespace"] == "keda" and rule["backendRefs"][0]["port"] == 8080
    (rewritten,) = [one["urlRewrite"] for one in rule["filters"] if one["type"] == "URLRewrite"]
    assert rewritten["hostname"] == "chat.blue"
    (plain,) = rules(graph, "blue--code")
    assert [one["name"] for one in plain["backendRefs"]] == ["code-predictor"]
    grants = {one.inputs["metadata"]["namespace"] for one in graph.of("ReferenceGrant")}
    assert grants == {"blue", "keda"}
    assert "keda" in json.dumps(graph.one("NetworkPolicy").inputs["spec"]["egress"])


def test_a_canary_of_a_scaled_model_has_its_part_of_the_calls():
    canary = {"model": "chat", "name": "chat-canary", "weight": 10}
    graph = made({**BLUE, "scaled": ["chat"], "canaries": [canary]}, keda="keda")
    (rule,) = rules(graph, "blue--chat")
    assert {one["name"]: one["weight"] for one in rule["backendRefs"]} == {
        "keda-add-ons-http-interceptor-proxy": 90,
        "chat-canary-predictor": 10,
    }


def test_without_scaled_models_nothing_leads_to_keda():
    assert "keda" not in json.dumps([one.inputs for one in made() if one.custom], default=str)
