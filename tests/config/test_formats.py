"""Names and addresses in a stack file: what is none is refused with what would be."""

from pathlib import Path

import pytest
from tests.stacks.stack_files import pool, problems, stack

from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.loader import parse, read


def one(**changes: object) -> str:
    (line,) = problems(**changes)
    return line


@pytest.mark.parametrize(
    "registry",
    [
        *("https://registry.example.eu/mirror", "${REGISTRY}", "host/m:latest", "", "host/", "host:port/x"),
        *("a b", "host:0", "host:99999", "ho..st", "host/..", "[::1]:5000", "Host.example"),
    ],
)
def test_a_registry_is_a_host_and_perhaps_port_and_path(registry: str):
    line = one(sovereignty={"profile": "open", "region": "embedded", "registry": registry})
    assert line.startswith(f"sovereignty.registry: {registry or ''}")
    assert line.endswith("use host[:port][/path] without scheme or tag")


@pytest.mark.parametrize(
    "registry", ["registry.example.eu", "registry.example.eu/mirror", "10.0.0.1:5000/a/b"]
)
def test_a_registry_with_port_and_path_is_taken_as_it_is(registry: str):
    sovereignty = {"profile": "open", "region": "embedded", "registry": registry}
    assert parse(stack(sovereignty=sovereignty)).sovereignty.registry == registry


@pytest.mark.parametrize("name", ["GPU_Node1", "gpu 2", "", "node/a", "-a", "a..b", "x" * 254])
def test_a_node_has_a_name_that_kubernetes_gives(name: str):
    line = one(gpu_pools=[pool(nodes={"names": ["gpu-1.rack.example", name]})], models=[])
    assert line.startswith("gpu-pools[0].nodes.names[1]: ") and "use a DNS name" in line


@pytest.mark.parametrize(
    "endpoint",
    [
        *("minio.example:9000", "https://minio.example/path", "s3://bucket", "https://", "http://a b"),
        *("https://minio:99999", "https://minio:port", "https://-", "https://...", "http://[::1"),
    ],
)
def test_the_endpoint_of_a_store_is_a_url_without_a_path(endpoint: str):
    line = one(model_storage={"kind": "existing", "endpoint": endpoint}, models=[])
    assert line.startswith(f"model-storage.endpoint: {endpoint}")
    assert line.endswith("use http(s)://host[:port] without a path")


@pytest.mark.parametrize(
    "endpoint", ["https://MinIO.example:65535/", "http://[fd00::1]:9000", "http://10.0.0.1"]
)
def test_a_url_with_capitals_or_an_address_is_taken_as_it_is(endpoint: str):
    parsed = parse(stack(model_storage={"kind": "existing", "endpoint": endpoint}, models=[]))
    assert parsed.model_storage.endpoint == endpoint


@pytest.mark.parametrize(
    "size", ["\u0665\u0660Gi", "\uff15\uff10Gi", "05Gi", "0.5Gi", "1e3Gi", "-5Gi", "9999999999Ti"]
)
def test_a_size_has_the_digits_that_kubernetes_reads(size: str):
    line = one(model_storage={"kind": "seaweedfs", "size": size}, models=[])
    assert line.startswith(f"model-storage.size: {size}: use ") and "Gi" in line


@pytest.mark.parametrize("number", [True, "\u0665M", "5m", "1.5M", "99999999999999G"])
def test_a_number_with_a_letter_is_a_number(number: object):
    database = {"engine": "qdrant", "vectors": number, "dimensions": 8, "replicas": 1}
    line = one(vector_db=database, models=[])
    assert line.startswith("vector-db.vectors: ") and "such as 5M" in line


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigErrors) as error:
        read(path)
    assert "\n" not in str(error.value)
    return str(error.value)


HEAD = "config:\n  corral:platform:\n    cluster: {kind: existing}\n"


def test_a_template_that_was_left_in_is_named_with_its_line(tmp_path: Path):
    line = refused(tmp_path, HEAD + "    sovereignty: {profile: open, region: {{ .Values.region }}}\n")
    assert line.startswith("Pulumi.mine.yaml:4: a key that is no text, such as a template that was left in")


def test_a_file_that_is_nested_too_deeply_is_one_line(tmp_path: Path):
    assert "nested too deeply" in refused(tmp_path, f"a: {'[' * 3000}{']' * 3000}")


def test_merge_keys_and_exponents_are_read_as_pulumi_reads_them(tmp_path: Path):
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_text(
        HEAD
        + "    sovereignty: {profile: open, region: embedded}\n"
        + "    gpu-pools:\n"
        + "      - &pool {name: a, gpu: H100-80GB, nodes: {names: [gpu-1]}, gpus-per-node: 8}\n"
        + "      - {<<: *pool, name: b, nodes: {names: [gpu-2]}}\n"
        + "    vector-db: {engine: qdrant, vectors: 5e+06, dimensions: 1024.0}\n"
    )
    config = read(path)
    assert [(one.name, one.gpu, one.nodes.names) for one in config.gpu_pools] == [
        ("a", "H100-80GB", ("gpu-1",)),
        ("b", "H100-80GB", ("gpu-2",)),
    ]
    assert config.vector_db is not None
    assert (config.vector_db.vectors, config.vector_db.dimensions) == (5_000_000, 1024)


@pytest.mark.parametrize("mig", [[{"1g.5gb": 0}], [{}], 7, {"1g.5gb": 1}, [["1g.5gb"]], [{"1g.5gb": True}]])
def test_a_layout_that_is_none_is_answered_in_the_words_of_the_file(mig: object):
    line = one(gpu_pools=[pool(sharing={"mig": mig})], models=[])
    assert line.startswith("gpu-pools[0].sharing.mig: ")
    assert line.endswith("use auto, dynamic, NAME, or a list of {PROFILE: COUNT} with counts of 1 or more")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{HEAD}    budget: {{monthly: {'9' * 5000}}}\n", "Pulumi.mine.yaml:4: a number of too many digits"),
        (f"{HEAD}    5: a\n", "corral:platform: key 5: use text as a key"),
        (
            "config:\n  corral:platform: {secure: AAAB}\n",
            "config.corral:platform: encrypted: only secrets are",
        ),
        (f"{HEAD}    gpu-pools: !!set {{a, b}}\n", "gpu-pools: {"),
    ],
    ids=["digits", "key", "encrypted", "set"],
)
def test_what_yaml_takes_and_a_stack_file_does_not_is_one_line(tmp_path: Path, text: str, line: str):
    path = tmp_path / "Pulumi.mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigErrors) as error:
        read(path)
    assert any(str(problem).startswith(line) for problem in error.value.problems), str(error.value)


@pytest.mark.parametrize("version", ["\u0661.\u0663\u0665", "1..35", "1.35-rc", "v1.35", ""])
def test_a_version_has_the_digits_of_ascii(version: str):
    line = one(cluster={"kind": "existing", "kubernetes": version}, models=[])
    assert line.startswith("cluster.kubernetes: ") and "use numbers and points" in line
