"""Any file, or list of files, that is named as kubeconfig leads to a cluster or is answered with one line."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.stacks.any_stack import WILD, bounded
from tests.stacks.lines import told

from corral.stacks.deploy.clusters.kubeconfig import KubeconfigError, target

NAMES = st.sampled_from(["one", "two", "three"])
SERVERS = st.sampled_from(["https://127.0.0.1:6443", "https://k.example.eu", "https://[::1]:6443"])
USERS: st.SearchStrategy[Any] = st.one_of(
    st.just({"token": "canary-token"}),
    st.just({"client-certificate-data": "Y2FuYXJ5", "client-key-data": "Y2FuYXJ5"}),
    st.fixed_dictionaries(
        {
            "exec": st.fixed_dictionaries(
                {"apiVersion": st.just("client.authentication.k8s.io/v1"), "command": st.just("aws")},
                optional={
                    "args": st.lists(st.text(max_size=4), max_size=2),
                    "env": st.none(),
                    "interactiveMode": st.sampled_from(["Never", "IfAvailable"]),
                    "provideClusterInfo": st.booleans(),
                },
            )
        }
    ),
    st.just({"auth-provider": {"name": "oidc", "config": {"id-token": "canary-token"}}}),
    st.none(),
)


def entries(key: str, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.fixed_dictionaries({"name": NAMES, key: inner}), max_size=3)


FILES = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        "kind": st.just("Config"),
        "clusters": entries("cluster", st.fixed_dictionaries({"server": SERVERS})),
        "contexts": entries("context", st.fixed_dictionaries({"cluster": NAMES, "user": NAMES})),
        "users": entries("user", USERS),
    },
    optional={
        "current-context": st.one_of(NAMES, st.just("")),
        "preferences": st.just({}),
        "extensions": st.none(),
    },
)


@st.composite
def wild_files(draw: st.DrawFn) -> Any:
    """A kubeconfig with something else in the place of one of its values."""
    content: Any = draw(FILES)
    if draw(st.booleans()):
        return content
    key = draw(st.sampled_from(sorted(content)))
    if isinstance(content[key], list) and content[key] and draw(st.booleans()):
        entry = dict(content[key][0])
        entry[draw(st.sampled_from([*entry, "name"]))] = draw(WILD)
        return {**content, key: [entry, *content[key][1:]]}
    return {**content, key: draw(WILD)}


def written(path: Path, content: Any) -> str:
    path.write_bytes(content if isinstance(content, bytes) else yaml.dump(content).encode())
    return str(path)


CONTENTS = st.one_of(
    wild_files(),
    wild_files(),
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubeconfigs")


@bounded(150)
@given(
    contents=st.lists(CONTENTS, min_size=1, max_size=3),
    context=st.one_of(st.none(), NAMES),
    gone=st.booleans(),
)
def test_any_list_of_kubeconfigs_leads_to_a_cluster_or_is_refused_in_one_line(
    folder: Path, contents: list[Any], context: str | None, gone: bool
):
    paths = [written(folder / f"{index}", content) for index, content in enumerate(contents)]
    paths += [str(folder / "absent")] if gone else []
    try:
        found = target("KUBECONFIG", paths, context)
    except KubeconfigError as error:
        told([str(error)])
        assert "canary" not in str(error)
        return
    assert found.path in paths and found.server
    assert context in (None, found.context)
    named = [
        one
        for one in yaml.safe_load(Path(found.path).read_text())["contexts"]
        if one["name"] == found.context
    ]
    assert named, "the file that names the context is the one that is chosen"


@bounded(60)
@given(contents=st.lists(FILES, min_size=2, max_size=3))
def test_an_earlier_file_wins_as_it_does_for_kubectl(folder: Path, contents: list[Any]):
    paths = [written(folder / f"{index}", content) for index, content in enumerate(contents)]
    current = [one["current-context"] for one in contents if one.get("current-context")]
    try:
        found = target("KUBECONFIG", paths, None)
    except KubeconfigError:
        return
    assert found.context == current[0]
    first = next(
        path
        for path, content in zip(paths, contents, strict=True)
        if any(one["name"] == found.context for one in content["contexts"])
    )
    assert found.path == first and os.fspath(first)
