"""How a cluster is reached: kubeconfigs, and an adapter per kind."""

import importlib.util
import json
import os
from pathlib import Path

import pulumi
import pytest
import yaml
from tests.components.existing_cluster.clusters import DRA, WHOLE, listed, node, serving, unexamined
from tests.components.existing_cluster.clusters import kubeconfig as leading_to
from tests.components.harness import build
from tests.deploy.test_platform import SECRETS, content, plane, started  # noqa: F401
from tests.marks import first_of

from corral.catalogue.vocabulary import ClusterKind
from corral.components.existing_cluster import component
from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.json_schema import schema
from corral.stacks.config.loader import parse
from corral.stacks.deploy import clusters
from corral.stacks.deploy.load import setting
from corral.stacks.deploy.program import Platform
from corral.stacks.deploy.secrets import secret
from corral.stacks.planning.planner import plan

REAL = component.examined


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch):
    """The servers of these kubeconfigs are not there, and nobody looks for them."""
    unexamined(monkeypatch)


def kubeconfig(path: Path, *names: str, current: str | None = None, clusters: bool = True) -> str:
    """A kubeconfig with a context, a cluster and a user of each name."""
    written = {
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        "clusters": [{"name": n, "cluster": {"server": f"https://{n}:6443"}} for n in names if clusters],
        "users": [{"name": name, "user": {}} for name in names],
        **({} if current is None else {"current-context": current}),
    }
    path.write_text(yaml.safe_dump(written))
    return str(path)


def provider(**cluster: str) -> dict[str, str]:
    """Inputs of the provider of an existing cluster."""
    stack = content()
    stack["cluster"] = {"kind": "existing", **cluster}
    made = plan(parse(stack), "other")
    graph = build(lambda: clusters.connect(made), secret_config=SECRETS, stack="other")
    (found,) = graph.of("pulumi:providers:kubernetes")
    return {key: found.inputs[key] for key in ("kubeconfig", "context") if key in found.inputs}


@pytest.fixture
def several(tmp_path, monkeypatch):
    """Two kubeconfigs in KUBECONFIG, and one that is absent."""
    first = kubeconfig(tmp_path / "a", "dev", "test", current="dev")
    second = kubeconfig(tmp_path / "b", "prod", current="prod")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "absent"), first, second]))
    return first, second


def test_the_current_context_of_several_kubeconfigs_is_that_of_the_first(several):
    assert provider() == {"kubeconfig": several[0], "context": "dev"}


def test_a_context_is_looked_up_in_all_files_of_kubeconfig(several):
    assert provider(context="prod") == {"kubeconfig": several[1], "context": "prod"}


def test_a_context_that_no_file_has_is_refused_with_those_there_are(several):
    with pytest.raises(pulumi.RunError) as refused:
        provider(context="production")
    assert str(refused.value).startswith("KUBECONFIG: ")
    assert str(refused.value).endswith("has no context production: use one of dev, test, prod")


def test_a_context_apart_from_its_cluster_is_refused_with_the_way_out(tmp_path, monkeypatch):
    lone = kubeconfig(tmp_path / "contexts", "dev", current="dev", clusters=False)
    whole = kubeconfig(tmp_path / "clusters", "dev")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([lone, whole]))
    with pytest.raises(pulumi.RunError, match=r"without its cluster dev.*view --flatten"):
        provider()


def test_one_kubeconfig_goes_to_the_provider_as_it_was_named(tmp_path, monkeypatch):
    path = kubeconfig(tmp_path / "one", "dev", current="dev")
    assert provider(kubeconfig=path) == {"kubeconfig": path}
    monkeypatch.setenv("KUBECONFIG", path)
    assert provider() == {"kubeconfig": path}


def test_a_kubeconfig_by_content_is_left_to_the_provider(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "apiVersion: v1\nkind: Config\n")
    assert provider() == {"kubeconfig": "apiVersion: v1\nkind: Config\n"}


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("# Zürich\ncontexts: []".encode("latin-1"), "byte 3 is no UTF-8"),
        (b"contexts: [\n  {", "no YAML in line"),
        (b"\x00\x01", "no YAML"),
        (b"day: 2026-99-99", "no current context"),
        (b"just text", "no kubeconfig"),
        (b"", "no kubeconfig"),
        (b"contexts: {a: b}", "no kubeconfig at contexts"),
        (b"contexts: [{name: x}]", r"no kubeconfig at contexts\.0\.context: this key is needed"),
        (b"contexts:\nclusters:\n", "has no current context: name one in cluster.context: none"),
    ],
)
def test_a_kubeconfig_that_cannot_be_read_gives_one_clear_line(tmp_path, written, line):
    path = tmp_path / "config"
    path.write_bytes(written)
    with pytest.raises(pulumi.RunError, match=line) as refused:
        provider(kubeconfig=str(path))
    assert str(refused.value).startswith(f"cluster.kubeconfig: {path}")
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "server", ["", "{{ .server }}", "ftp://k", "https://a b", "https://k\nhttps://z", "https://k\x1b[31m"]
)
def test_a_server_that_is_no_address_is_refused_before_it_is_shown(tmp_path, server):
    path = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "x", "context": {"cluster": "c"}}
    path.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "x"}))
    with pytest.raises(pulumi.RunError, match="use https://host") as refused:
        provider(kubeconfig=str(path))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["5", "on", "2026-01-01", "12:30"])
def test_a_context_is_named_by_what_stands_there_as_kubectl_reads_it(tmp_path, name):
    path = tmp_path / "config"
    path.write_text(
        "clusters: [{name: c, cluster: {server: https://k/k8s/clusters/c-1}}]\n"
        f"contexts: [{{name: {name}, context: {{cluster: c}}}}]\ncurrent-context: {name}\n"
    )
    assert provider(kubeconfig=str(path)) == {"kubeconfig": str(path)}


def test_a_kubeconfig_that_is_absent_gives_one_clear_line(tmp_path):
    with pytest.raises(pulumi.RunError, match=r"cluster\.kubeconfig: .*No such file"):
        provider(kubeconfig=str(tmp_path / "absent"))


@pytest.mark.parametrize("kind", ClusterKind, ids=lambda kind: kind.value)
def test_every_kind_has_an_adapter(kind):
    assert importlib.util.find_spec(f"{clusters.__name__}.{kind.value}") is not None


@pytest.mark.parametrize("kind", first_of(("existing", "embedded")))
def test_every_key_that_is_read_is_in_the_schema(kind, plane, monkeypatch):  # noqa: F811
    read = set()
    full_key = pulumi.Config.full_key
    monkeypatch.setattr(
        pulumi.Config, "full_key", lambda self, key: read.add(full_key(self, key)) or full_key(self, key)
    )
    stack = content()
    stack["cluster"] = {"kind": kind}
    build(lambda: Platform(plan(parse(stack), "dev")), secret_config=SECRETS, stack="dev")
    assert read <= set(schema()["properties"]["config"]["properties"])
    assert "corral:storage-access-key" in read and ("corral:charts" in read) == (kind == "existing")


def test_a_key_that_no_schema_has_cannot_be_read():
    for reader in (setting, secret):
        with pytest.raises(ValueError, match="nonsense"):
            reader("nonsense")


def classes(value):
    """Every storage class that is named somewhere in `value`."""
    if isinstance(value, dict):
        own = {value[key] for key in ("storageClassName", "storage_class_name") if key in value}
        return own.union(*map(classes, value.values()))
    return set().union(*map(classes, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("named", first_of(("fast-ssd", None)))
def test_every_volume_is_of_the_storage_class_of_the_cluster(named):
    stack = content()
    stack["cluster"] = {"kind": "existing", **({"storage-class": named} if named else {})}
    graph = build(lambda: Platform(plan(parse(stack), "dev")), secret_config=SECRETS, stack="dev")
    found = {resource.name: classes(resource.inputs) for resource in graph}
    holders = {name for name, there in found.items() if there == {"fast-ssd"}}
    assert {there for names in found.values() for there in names} <= {named}
    if named is None:
        assert not holders
    else:
        assert {name.split("-")[0] for name in holders} == {"model", "observability", "vector"}


def test_a_plane_has_the_storage_class_that_it_brings():
    stack = content()
    stack["cluster"] = {"kind": "embedded", "storage-class": "fast-ssd"}
    with pytest.raises(ConfigErrors, match=r"cluster\.storage-class: fast-ssd: belongs to kind existing"):
        plan(parse(stack), "dev")


@pytest.fixture
def asked(monkeypatch):
    """What is logged while the cluster behind a kubeconfig is really examined."""
    monkeypatch.setattr(component, "examined", REAL)
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, *_: logged.append(line))
    return logged


def pool_nodes() -> list[str]:
    return [name for pool in content()["gpu-pools"] for name in pool["nodes"]["names"]]


def test_a_cluster_that_is_there_is_examined_and_what_is_less_than_it_should_be_is_logged(tmp_path, asked):
    path = tmp_path / "config"
    nodes = listed(*(node(name, **{"nvidia.com/gpu.present": "true"}) for name in pool_nodes()))
    without = {"/apis/apps/v1/daemonsets": listed(), "/api/v1/nodes": nodes}
    with serving({**WHOLE, **without}) as server:
        path.write_text(leading_to(server))
        assert provider(kubeconfig=str(path)) == {"kubeconfig": str(path)}
    assert [line for line in asked if line.startswith("cluster: network-policy: ")] == asked != []


def test_a_cluster_without_the_api_of_dra_is_refused_where_the_plan_has_its_driver(tmp_path, asked):
    path = tmp_path / "config"
    with serving({**WHOLE, DRA: None}) as server:
        path.write_text(leading_to(server))
        with pytest.raises(pulumi.RunError, match=r"^cluster: dra: resource\.k8s\.io serves nothing"):
            provider(kubeconfig=str(path))


def test_a_storage_class_and_nodes_of_the_plan_are_looked_up_in_the_cluster(tmp_path, asked):
    path, named = tmp_path / "config", pool_nodes()
    with serving({**WHOLE, "/api/v1/nodes": listed(*map(node, named[1:]))}) as server:
        path.write_text(leading_to(server))
        with pytest.raises(pulumi.RunError) as refused:
            provider(kubeconfig=str(path), **{"storage-class": "ceph"})
    first, second = str(refused.value).split("\n")
    assert first == "cluster: storage-class: there is no ceph; there are slow, fast"
    assert second.startswith(f"cluster: nodes: there is no node {named[0]}; there are ")


def test_a_kubeconfig_that_points_nowhere_gives_one_line_before_anything_is_made(tmp_path, asked):
    path = tmp_path / "config"
    path.write_text(leading_to("http://127.0.0.1:1"))
    with pytest.raises(pulumi.RunError, match=r"^cluster: http://127\.0\.0\.1:1 does not answer: [^\n]*$"):
        provider(kubeconfig=str(path))
