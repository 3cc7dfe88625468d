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


@pytest.mark.exhaustive
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


SETTINGS: dict[str, Any] = {
    "clusters": {"server": "https://k.example.eu"},
    "users": {"token": "canary-token"},
}


def one_context(folder: Path, **changes: dict[str, Any]) -> list[str]:
    """The kubeconfig of one context, with other settings of its cluster or user."""
    content: dict[str, Any] = {
        key: [{"name": "one", key.removesuffix("s"): {**usual, **changes.get(key, {})}}]
        for key, usual in SETTINGS.items()
    }
    contexts = [{"name": "one", "context": {"cluster": "one", "user": "one"}}]
    return [written(folder / "one", {**content, "contexts": contexts, "current-context": "one"})]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"users": {"client-key-data": "canary@@"}}, "user one: client-key-data is no base64"),
        ({"clusters": {"certificate-authority-data": "canary"}}, "certificate-authority-data is no base64"),
        ({"users": {"tokenFile": "absent"}}, "user one: tokenFile: absent: no such file"),
        (
            {"users": {"client-certificate": "../absent.crt"}},
            "client-certificate: ../absent.crt: no such file",
        ),
        ({"clusters": {"server": "https://me:canary@k.example.eu"}}, "k.example.eu: use https://host[:port]"),
        ({"clusters": {"server": "https://k.example.eu:99999"}}, "eu:99999: use https://host[:port]"),
    ],
)
def test_what_kubectl_could_not_use_is_refused_without_a_secret(
    tmp_path: Path, changes: dict[str, Any], line: str
):
    with pytest.raises(KubeconfigError) as error:
        target("KUBECONFIG", one_context(tmp_path, **changes), None)
    assert line in str(error.value) and "canary" not in str(error.value)


def test_files_of_credentials_lie_beside_the_kubeconfig(tmp_path: Path):
    (tmp_path / "token").write_text("canary")
    paths = one_context(tmp_path, users={"tokenFile": "token", "client-key-data": "Y2Fu\nYXJ5\n"})
    assert target("KUBECONFIG", paths, None).server == "https://k.example.eu"


@pytest.mark.parametrize("tag", ["!!bool", "!!timestamp", "!!int"])
def test_a_tag_that_does_not_hold_is_one_line(tmp_path: Path, tag: str):
    path = written(tmp_path / "one", f"contexts: {tag} abc\n".encode())
    with pytest.raises(KubeconfigError, match="no YAML"):
        target("KUBECONFIG", [path], None)


def test_a_path_that_is_none_is_skipped_in_a_list_and_named_alone(tmp_path: Path):
    good = one_context(tmp_path)
    for odd in ("~nobody-has-this-name/config", "a\0b", "a" * 400):
        assert target("KUBECONFIG", [odd, *good], None).path == good[0]
        with pytest.raises(KubeconfigError) as error:
            target("KUBECONFIG", [odd], None)
        told([str(error.value)])
