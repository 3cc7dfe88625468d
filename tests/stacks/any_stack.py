"""Stack files over the whole schema: every key that the types have, with likely values and with wild ones.

The keys come from the JSON Schema of `StackConfig`, so that a new one is covered the day it is written.
`LIKELY` only makes some values meet: names that other sections refer to, sizes and words that plans accept.
"""

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings

from corral.catalogue.gpus import gpus, served
from corral.catalogue.instances import instances
from corral.catalogue.models import models
from corral.catalogue.vocabulary import Cloud, Profile
from corral.controls.exceptions import today
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS
from corral.stacks.config.stack_config import StackConfig

LARGE = int(os.environ.get("CORRAL_EXAMPLES", "0"))
"""Inputs per property in a run by hand, drawn at random; 0: the few and fixed ones of the plain tests."""


def bounded(few: int) -> settings:
    """`few` fixed inputs, or as many random ones as CORRAL_EXAMPLES says."""
    return settings(
        max_examples=LARGE or max(1, few),
        derandomize=not LARGE,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


Schema = Mapping[str, Any]
NAMES = ("slices", "whole", "chat", "embed", "team-a")
POOLS, MODELS, TENANTS = NAMES[:2], NAMES[2:4], ("team-a", "assistants")
OWN = "ours"
FACTS: dict[str, Any] = {
    "task": "chat",
    "license": "MIT",
    "dtype": "bf16",
    "weights-gib": 2.4,
    "layers": 16,
    "hidden": 2048,
    "intermediate": 8192,
    "vocabulary": 128256,
    "context": 131072,
    "attention": {"kind": "gqa", "heads": 32, "kv-heads": 8, "head-dim": 64},
}
JWT: dict[str, Any] = {
    "issuer": "https://id.example.eu/realms/one",
    "jwks": "https://id.example.eu/realms/one/certs",
    "network": "10.20.0.0/24",
    "audiences": ["models"],
    "refresh": 60,
}
SMALL = ("smollm2-135m", "qwen3-0.6b", "qwen3-8b", "llama-3.1-8b", "bge-m3", "gpt-oss-20b", OWN)
SOURCES = ("s3://intake/one", "s3://models/one", "hf://Qwen/Qwen3-8B", "oci://registry.example.eu/m:1")
NODES = ("gpu-1", "gpu-2", "rack1-n1", "node.example.eu")
REGIONS = sorted({region for one in PROFILES.values() for region in one.regions or ()} | {"embedded", "dc-1"})
CONTROL_IDS = sorted(one.id for one in CONTROLS)
SLICES = sorted({name for key in served() for name in gpus()[key].profiles})

LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "Sovereignty.profile": st.sampled_from(["open"] * 6 + [one.value for one in Profile]),
    "Sovereignty.region": st.sampled_from([*REGIONS, {"country": "DE", "site": "fra-1"}]),
    "Sovereignty.controls": st.dictionaries(
        st.sampled_from(CONTROL_IDS), st.sampled_from(["mandatory", "advisory"]), max_size=2
    ),
    "ExceptionSection.control": st.sampled_from(CONTROL_IDS),
    "ExceptionSection.reason": st.just("no digests before release 4"),
    "ExceptionSection.approver": st.just("jane"),
    "ExceptionSection.expires": st.integers(0, 90).map(lambda days: str(today() + datetime.timedelta(days))),
    "ExceptionSection.resources": st.just(["shop/web*"]),
    "Sovereignty.registry": st.sampled_from(["registry.example.eu/mirror", "localhost:5000"]),
    "Cluster.kind": st.sampled_from(["existing"] * 5 + ["embedded", "eks", "gke"]),
    "Cluster.kubernetes": st.sampled_from(["1.33", "1.34.2", "1.36.0"]),
    "GpuPool.name": st.sampled_from(POOLS),
    "GpuPool.gpu": st.sampled_from(["H100-80GB", "A100-40GB", "A100-80GB", "L40S", "A30"]),
    "GpuPool.nodes": st.lists(st.sampled_from(NODES), min_size=1, max_size=2, unique=True).map(
        lambda names: {"names": names}
    ),
    "GpuPool.sharing": st.one_of(
        st.just("whole"),
        st.sampled_from([{"mig": "auto"}, {"mig": "all-balanced"}, {"mig": "dynamic"}]),
        st.sampled_from([{"time-slicing": 4}, {"mps": 2}]),
        st.sampled_from([{"mig": [{"3g.40gb": 2}]}, {"mig": [{"1g.10gb": 7}]}, {"mig": [{"1g.5gb": 7}]}]),
    ),
    "GpuPool.instance": st.sampled_from(sorted(instances())),
    "GpuPool.driver": st.sampled_from(["580.95.05", "550", "525.60"]),
    "ModelSection.name": st.sampled_from(MODELS),
    "ModelSection.model": st.one_of(st.sampled_from(SMALL), st.sampled_from([*models(), OWN])),
    "ModelSection.source": st.sampled_from(SOURCES),
    "ModelSection.weights": st.sampled_from(["simulated"] * 3 + ["real"]),
    "ModelSection.pool": st.sampled_from(POOLS),
    "ModelSection.tenant": st.sampled_from(TENANTS),
    "ModelSection.context": st.sampled_from([1, 512, 4096, 8192, 32768]),
    "ModelSection.max-num-seqs": st.sampled_from([1, 4, 32, 64, 256]),
    "ModelSection.full-sequences": st.integers(1, 4),
    "ModelSection.tensor-parallel": st.sampled_from([1, 2, 4]),
    "ModelSection.max-num-batched-tokens": st.sampled_from([512, 2048, 8192]),
    "ModelSection.replicas": st.one_of(
        st.integers(1, 3),
        st.tuples(st.integers(1, 2), st.integers(2, 3)).map(lambda pair: {"min": pair[0], "max": pair[1]}),
    ),
    "ModelSource.name": st.sampled_from(["intake", "hub"]),
    "ModelSource.url": st.sampled_from(["s3://intake", "hf://", "oci://registry.example.eu", "gs://intake"]),
    "ModelSource.endpoint": st.just("https://s3.example.eu"),
    "BatchSection.name": st.sampled_from(["nightly", "weekly"]),
    "BatchSection.model": st.sampled_from([*MODELS, *(f"{one}-canary" for one in MODELS)]),
    "BatchSection.schedule": st.sampled_from(["30 2 * * *", "*/15 * * * MON-FRI", "@daily"]),
    "BatchSection.time-zone": st.sampled_from(["Etc/UTC", "Europe/Berlin"]),
    "BatchSection.input": st.sampled_from(["in", "reports/2026"]),
    "BatchSection.output": st.sampled_from(["out", "reports/2026/out"]),
    "BatchSection.concurrency": st.integers(1, 8),
    "BatchSection.deadline": st.sampled_from([60, 3600]),
    "TenantSection.name": st.sampled_from(TENANTS),
    "TenantSection.gpus": st.dictionaries(
        st.sampled_from(POOLS),
        st.one_of(st.integers(1, 4), st.dictionaries(st.sampled_from(SLICES), st.integers(1, 3), min_size=1)),
        min_size=1,
    ),
    "Gateway.host": st.just("models.example.eu"),
    "Gateway.tenants": st.dictionaries(
        st.sampled_from(TENANTS),
        st.sampled_from([{}, {"requests-per-minute": 5}, {"jwt": JWT}]),
        max_size=1,
    ),
    "Gateway.load-balancer": st.sampled_from([{}, {"networking.gke.io/load-balancer-type": "Internal"}]),
    "TenantSection.callers": st.just(["shop"]),
    "ModelStorage": st.one_of(
        st.fixed_dictionaries({}, optional={"size": st.sampled_from(["500Gi", "2Ti"])}),
        st.just({"kind": "existing", "endpoint": "https://minio.example:9000"}),
    ),
    "VectorDb.replicas": st.integers(1, 3),
    "VectorDb.dimensions": st.sampled_from([384, 1024, 3072]),
    "VectorDb.size": st.sampled_from(["100Gi", "1Ti"]),
    "StackConfig.custom-models": st.just({OWN: FACTS}),
}
"""Values that plans are likely to accept, by section and key."""
WEIGHT = 6
"""Likely values beside each one that the schema alone allows."""


@cache
def stack_files() -> st.SearchStrategy[dict[str, Any]]:
    """Objects `corral:platform` that satisfy the schema, most of them nearly a plan."""
    schema = StackConfig.model_json_schema(by_alias=True)
    return _object(schema, schema["$defs"], "StackConfig")


def eks_files() -> st.SearchStrategy[dict[str, Any]]:
    """Objects `corral:platform` of `stack_files`, on a cluster that the stack makes on EKS."""
    return st.builds(_on_eks, stack_files(), st.sampled_from([False, False, False, True]), st.integers(1, 2))


EKS = {
    "zones": ["eu-central-1a", "eu-central-1b"],
    "admins": {"platform": "arn:aws:iam::111122223333:role/platform"},
    "system-nodes": {"instance": "m7i.xlarge"},
    "network": {"egress": "nat"},
}


def gke_files() -> st.SearchStrategy[dict[str, Any]]:
    """Objects `corral:platform` of `stack_files`, on a cluster that the stack makes on GKE."""
    return st.builds(_on_gke, stack_files(), st.sampled_from(["none", "nat", "nat"]), st.integers(1, 2))


GKE = {
    "project": "acme-models",
    "system-nodes": {"machine": "n2d-standard-8"},
    "keys": {"project": "acme-keys"},
}


def _on_gke(content: dict[str, Any], egress: str, nodes: int) -> dict[str, Any]:
    """`content` with what a cluster on GKE needs, where its pools are of GPUs that Google rents out."""
    network = {"egress": egress}
    closed = {"registry": "europe-west4-docker.pkg.dev/acme/mirror"} if egress == "none" else {}
    driver = {"precompiled-driver": 580} if closed else {}
    return {
        **content,
        "sovereignty": {**content["sovereignty"], "region": "europe-west4", **closed},
        "cluster": {"kind": "gke", "kubernetes": "1.35", "gke": {**GKE, "network": network}, **driver},
        "gpu-pools": [{**pool, "zone": "europe-west4-a"} for pool in _rented(content, Cloud.GCP, nodes)],
    }


def _rented(content: dict[str, Any], cloud: Cloud, nodes: int) -> list[dict[str, Any]]:
    """Pools of `content`, on machines of `cloud`, where it rents out their GPUs."""
    machines = {one.gpu: name for name, one in instances().items() if one.cloud is cloud}
    other = ("owned", "purchase", "driver", "zone")
    return [
        {
            **{key: value for key, value in pool.items() if key not in other},
            "instance": machines[pool["gpu"]],
            "gpus-per-node": instances()[machines[pool["gpu"]]].gpus,
            "nodes": {"min": nodes, "max": nodes},
        }
        for pool in content.get("gpu-pools", ())
        if pool["gpu"] in machines
    ]


def _on_eks(content: dict[str, Any], gates: bool, nodes: int) -> dict[str, Any]:
    """`content` with what a cluster on EKS needs, where its pools are of GPUs that AWS rents out."""
    kubernetes = "1.36" if gates else "1.35"
    return {
        **content,
        "sovereignty": {**content["sovereignty"], "region": "eu-central-1"},
        "cluster": {"kind": "eks", "kubernetes": kubernetes, "eks": EKS},
        "gpu-pools": _rented(content, Cloud.AWS, nodes),
    }


def _value(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[Any]:
    """Values that `schema` allows, and those of `LIKELY` for `path` more often."""
    plain = _plain(schema, definitions, path)
    likely = LIKELY.get(path)
    return plain if likely is None else st.sampled_from([likely] * WEIGHT + [plain]).flatmap(lambda one: one)


def _plain(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _value(definitions[name], definitions, name)
    if "anyOf" in schema:
        options = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return st.one_of(*(_plain(one, definitions, path) for one in options))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "type" not in schema:
        return st.one_of(
            st.just(FACTS.get(path.rpartition(".")[2], 4)), st.integers(1, 9), st.text(max_size=4)
        )
    return KINDS[schema["type"]](schema, definitions, path)


def _object(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        inner = schema.get("additionalProperties", {})
        names = schema.get("propertyNames", {"type": "string"})
        values = _plain(inner, definitions, f"{path}.*") if inner else st.integers()
        keys = _plain(names, definitions, f"{path}.key")
        return st.dictionaries(keys, values, min_size=schema.get("minProperties", 0), max_size=3)
    properties = schema["properties"]
    needed = list(schema.get("required", ()))
    often = [key for key in OFTEN.get(path, ()) if key in properties]
    optional = [key for key in properties if key not in needed and key not in often]

    def some(chosen: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
        keys = dict.fromkeys((*needed, *often, *chosen))
        return st.fixed_dictionaries(
            {key: _value(properties[key], definitions, f"{path}.{key}") for key in keys}
        )

    most = schema.get("maxProperties", 3)
    least = schema.get("minProperties", 0)
    if not optional:
        return some(())
    return st.lists(st.sampled_from(optional), unique=True, min_size=least, max_size=most).flatmap(some)


def _list(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[list[Any]]:
    items = _plain(schema.get("items", {"type": "string"}), definitions, f"{path}[]")
    return st.lists(
        items, max_size=2, unique_by=lambda one: str(one.get("name")) if isinstance(one, dict) else str(one)
    )


def _text(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=st.characters(max_codepoint=126))
    return st.one_of(st.sampled_from(NAMES), st.text(max_size=12))


def _whole(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[int]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 10**7)
    return st.one_of(st.integers(least, min(most, least + 8)), st.integers(least, most))


def _number(schema: Schema, definitions: Schema, path: str) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 10**6)
    return st.floats(least, most, exclude_min="exclusiveMinimum" in schema, allow_nan=False)


KINDS: Mapping[str, Callable[[Schema, Schema, str], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _list,
    "string": _text,
    "integer": _whole,
    "number": _number,
    "boolean": lambda schema, definitions, path: st.booleans(),
}
OFTEN: Mapping[str, Sequence[str]] = {
    "StackConfig": ("gpu-pools", "models", "tenants", "custom-models"),
    "ModelSection": ("weights",),
}
"""Keys that nearly every file has, beside the needed ones."""

WILD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            "",
            " ",
            "{{ .Values.region }}",
            "${REGION}",
            "é\u2028x\ny",
            "-",
            "../..",
            "a" * 300,
            "1e999",
            [],
            {},
            [[]],
            [None],
            {"": None},
            {1: 2},
            {None: {}},
            {(1, 2): 3},
            {"secure": "v1:x"},
            datetime.date(2026, 11, 27),
            datetime.datetime(2026, 11, 27, 9, 0),
            b"bytes",
            {"a", "b"},
            float("nan"),
            float("inf"),
            -1,
            0,
            0.5,
            10**30,
            1 << 53,
        ]
    ),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
)
"""What no key takes, or few do."""


@st.composite
def wild_files(draw: st.DrawFn) -> Any:
    """Stack files with one to three values replaced by wild ones, keys added or taken away."""
    content: Any = draw(stack_files())
    for _ in range(draw(st.integers(1, 3))):
        content = _changed(draw, content)
    return content


def _changed(draw: st.DrawFn, content: Any) -> Any:
    """`content` with a change somewhere inside."""
    if not isinstance(content, dict | list) or not content or draw(st.integers(0, 5)) == 0:
        return draw(WILD)
    if isinstance(content, list):
        place = draw(st.integers(0, len(content) - 1))
        return [_changed(draw, one) if index == place else one for index, one in enumerate(content)]
    key = draw(st.sampled_from(list(content)))
    match draw(st.integers(0, 7)):
        case 0:
            return {name: value for name, value in content.items() if name != key}
        case 1:
            return {**content, draw(st.one_of(st.text(max_size=8), st.integers(), st.none())): draw(WILD)}
        case _:
            return {name: _changed(draw, one) if name == key else one for name, one in content.items()}
