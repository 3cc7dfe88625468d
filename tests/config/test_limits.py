"""Values that a stack file may have and that Kubernetes, or what is deployed, has no room for."""

from typing import Any

import pytest
from tests.stacks.stack_files import parsed, planned, pool, problems

GATEWAY = {"host": "models.example.eu"}
FACTS: dict[str, Any] = {
    "task": "chat",
    "license": "MIT",
    "dtype": "bf16",
    "layers": 80,
    "hidden": 8192,
    "intermediate": 28672,
    "vocabulary": 128256,
    "context": 8192,
    "attention": {"kind": "gqa", "heads": 64, "kv-heads": 8, "head-dim": 128},
}
EXPERTS = {"count": 4, "active": 8, "intermediate": 128}
ENCODER = {"kind": "encoder", "heads": 16}
JWT = {"network": "10.20.0.0/24", "audiences": ["models"]}
ISSUER = "https://id.example.eu/"


def jwt(**changes: Any) -> dict[str, Any]:
    own = {"jwt": {**JWT, "issuer": ISSUER, "jwks": f"{ISSUER}certs", **changes}}
    return {**GATEWAY, "tenants": {"models": own}}


def custom(**facts: Any) -> dict[str, Any]:
    stated = {**FACTS, **{key.replace("_", "-"): value for key, value in facts.items()}}
    return {"custom_models": {"ours": stated}, "models": []}


def adapted(*modules: str) -> dict[str, Any]:
    adapter = {"name": "sql", "source": "s3://models/sql", "rank": 8, "target-modules": list(modules)}
    return {"models": [{"name": "chat", "model": "llama-3.1-8b", "adapters": [adapter]}]}


def test_no_number_is_greater_than_kubernetes_has_room_for():
    gateway = {**GATEWAY, "replicas": 10**10, "requests-per-minute": 2**32}
    assert problems(gateway=gateway, vector_db={"engine": "qdrant", "replicas": 10**6}) == [
        "gateway.replicas: 10000000000: use 5000 at most",
        "gateway.requests-per-minute: 4294967296: use 2147483647 at most",
        "vector-db.replicas: 1000000: use 5000 at most",
    ]


def test_no_span_of_time_is_longer_than_its_reader_counts():
    assert problems(observability={"retention-days": 10**6}, fair_sharing={"ready-within": 10**9}) == [
        "fair-sharing.ready-within: 1000000000: use 525600 at most",
        "observability.retention-days: 1000000: use 36500 at most",
    ]


@pytest.mark.parametrize("price", [1e300, 1e-300, 10**13])
def test_an_amount_is_one_that_can_be_computed_with(price: float):
    (line,) = problems(gpu_pools=[pool(price_per_hour=price)], models=[])
    assert line.endswith("use a number from 1E-9 to 1,000,000,000,000")


@pytest.mark.parametrize("price", [0.000001, 10**12])
def test_a_small_and_a_large_amount_are_amounts(price: float):
    assert planned(gpu_pools=[pool(price_per_hour=price)]).pools


@pytest.mark.parametrize("port", [19000, 19001, 19002, 19003])
def test_the_endpoint_has_no_port_that_its_proxies_have(port: int):
    (line,) = problems(gateway={**GATEWAY, "port": port})
    assert line.startswith(f"gateway.port: {port}: the proxies use 19000, 19001, 19002, 19003 themselves")


def test_a_part_of_a_host_has_63_characters_at_most():
    assert parsed(gateway={"host": f"{'a' * 63}.example.eu"}).gateway
    (line,) = problems(gateway={"host": f"{'a' * 64}.example.eu"})
    assert line.startswith("gateway.host: ") and "at most 63 between two ." in line


@pytest.mark.parametrize("key", ["a..b/c", ".a/b", "a./b", f"{'a.' * 130}b/c"])
def test_what_stands_before_the_name_of_a_label_is_a_dns_name(key: str):
    (line,) = problems(gateway={**GATEWAY, "load-balancer": {key: "x"}})
    assert "use a label: [PREFIX/]NAME" in line


@pytest.mark.parametrize("key", ["service.beta.kubernetes.io/aws-load-balancer-scheme", "a/b", "name"])
def test_a_label_with_a_prefix_and_one_without_are_labels(key: str):
    assert parsed(gateway={**GATEWAY, "load-balancer": {key: "internal"}}).gateway


def test_urls_of_a_provider_are_as_long_as_envoy_gateway_takes_them():
    room = 253 - len(ISSUER)
    assert parsed(gateway=jwt(issuer=ISSUER + "a" * room)).gateway
    (line,) = problems(gateway=jwt(issuer=ISSUER + "a" * (room + 1)))
    assert line.endswith("use https://host[:port][/path], at most 253 characters")


def test_a_list_that_is_too_short_is_said_in_the_words_of_the_file():
    assert problems(gateway=jwt(audiences=[])) == [
        "gateway.tenants.models.jwt.audiences: []: use 1 or more",
    ]


@pytest.mark.parametrize("name", ["q_proj; rm", "x y", "a..b", "q_proj\n"])
def test_a_module_of_an_adapter_has_a_name_and_one_line_says_so(name: str):
    (line,) = problems(**adapted(name))
    assert line.startswith("models[0].adapters[0].target-modules[0]: ")
    assert line.endswith("use the name of a module, such as q_proj")


def test_a_module_may_be_named_with_its_path():
    assert parsed(**adapted("model.layers.0.self_attn.q_proj", "w1")).models[0].adapters


def test_an_adapter_is_not_its_model():
    line = "models[0].adapters[0].source: s3://models/sql/: the source of chat itself: name the adapter's own"
    adapter = {"name": "sql", "source": "s3://models/sql/", "rank": 8}
    one = {"name": "chat", "model": "llama-3.1-8b", "source": "s3://models/sql", "adapters": [adapter]}
    assert line in problems(models=[one])


@pytest.mark.parametrize("weight", [{"weights_gib": 0.001}, {"parameters": 0.7}, {"weights_bytes": 10**6}])
def test_stated_weights_that_the_stated_layers_exceed_are_refused(weight: dict[str, Any]):
    (line,) = problems(**custom(**weight))
    assert line.startswith("custom-models.ours: weights of ")
    assert line.endswith("bytes at least: correct either")


@pytest.mark.parametrize(
    "weight", [{"weights_gib": 131.42}, {"parameters": 70.55}, {"dtype": "int4", "weights_gib": 37}]
)
def test_stated_weights_of_what_is_published_are_taken(weight: dict[str, Any]):
    assert problems(**custom(**weight)) == []


def test_a_file_of_llama_cpp_has_tables_in_four_bits():
    """A model that is nearly all vocabulary."""
    small = {"layers": 1, "hidden": 1024, "intermediate": 1024, "vocabulary": 10**6}
    small |= {"attention": {"kind": "gqa", "heads": 8, "kv-heads": 8, "head-dim": 128}, "tied": True}
    stated = {"weights-gib": 0.62, "dtype": "Q4_1", "engine": "llama.cpp"}
    assert problems(custom_models={"ours": {**FACTS, **small, **stated}}, models=[]) == []
    (line,) = problems(custom_models={"ours": {**FACTS, **small, "weights-gib": 0.62}}, models=[])
    assert "bytes at least: correct either" in line


def test_no_more_experts_are_active_than_there_are():
    (line,) = problems(**custom(weights_gib=131.42, experts=EXPERTS))
    assert line.endswith("active is at most count, 4")


@pytest.mark.parametrize("task", ["chat", "embedding"])
def test_an_encoder_generates_nothing(task: str):
    told = problems(**custom(weights_gib=131.42, attention=ENCODER, task=task))
    assert ([line.rpartition(": ")[2] for line in told] == ["use task embedding or rerank"]) is (
        task == "chat"
    )
