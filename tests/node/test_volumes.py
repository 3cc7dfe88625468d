"""Volumes as folders: content, modes, refresh in one step, and what is refused."""

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from corral.embedded.node.mounts import mounts, user
from corral.embedded.node.program_spec import Refused
from corral.embedded.node.sources import Missing, Sources
from corral.embedded.node.volumes import File, Owner, claimed, empty, of_node, payload, token_keys, write

POD = {
    "metadata": {"name": "p", "namespace": "llm", "uid": "u", "labels": {"app": "x"}},
    "spec": {"containers": []},
}
ME = Owner(os.geteuid(), os.getegid(), None)
DISKS = Path("/nowhere")


def sources(**collections) -> Sources:
    secret = {"data": {k: base64.b64encode(v.encode()).decode() for k, v in {"a": "1", "b": "2"}.items()}}
    return Sources(
        {("llm", "s"): secret},
        {("llm", "m"): {"data": {"c": "3"}, "binaryData": {"d": base64.b64encode(b"\x00").decode()}}},
        collections.get("claims", {}),
        collections.get("volumes", {}),
        {},
        {},
    )


def files(volume: dict, tokens=None) -> dict[str, tuple[bytes, int]]:
    result = payload(POD, {"name": "v", **volume}, sources(), {}, tokens or {})
    return {path: (file.content, file.mode) for path, file in result.items()}


def test_a_secret_has_its_items_at_their_paths_and_modes():
    items = [{"key": "a", "path": "x/y", "mode": 0o400}, {"key": "b", "path": "z"}]
    result = files({"secret": {"secretName": "s", "defaultMode": 0o440, "items": items}})
    assert result == {"x/y": (b"1", 0o400), "z": (b"2", 0o440)}


def test_a_config_map_holds_text_and_binary_data():
    assert files({"configMap": {"name": "m"}}) == {"c": (b"3", 0o644), "d": (b"\x00", 0o644)}


def test_a_projected_volume_gathers_its_sources():
    token = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 900}}
    labels = {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}
    volume = {
        "projected": {
            "sources": [token, {"configMap": {"name": "m", "items": [{"key": "c", "path": "c"}]}}, labels]
        }
    }
    result = files(volume, {("vault", 900): "t"})
    assert {path: content for path, (content, _mode) in result.items()} == {
        "token": b"t",
        "c": b"3",
        "labels": b'app="x"',
    }
    assert token_keys({"spec": {"volumes": [{"name": "v", **volume}]}}) == {("vault", 900)}


def test_what_is_missing_is_waited_for_unless_it_is_optional():
    with pytest.raises(Missing, match='secret "absent" not found'):
        files({"secret": {"secretName": "absent"}})
    assert files({"secret": {"secretName": "absent", "optional": True}}) == {}
    with pytest.raises(Missing, match="non-existent key: q"):
        files({"configMap": {"name": "m", "items": [{"key": "q", "path": "q"}]}})


@pytest.mark.parametrize("kind", ["nfs", "csi", "image"])
def test_other_kinds_are_refused_by_name(kind):
    with pytest.raises(Refused, match=f"{kind} is not given here"):
        files({kind: {}})


def test_files_are_replaced_in_one_step_and_stale_ones_go(tmp_path: Path):
    assert write(tmp_path, {"a": File(b"1", 0o640), "d/b": File(b"2", 0o600)}, ME)
    before = (tmp_path / "..data").resolve()
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "d" / "b").read_bytes() == b"2"
    assert not write(tmp_path, {"a": File(b"1", 0o640), "d/b": File(b"2", 0o600)}, ME)
    assert write(tmp_path, {"a": File(b"3", 0o640)}, ME)
    assert (tmp_path / "a").read_bytes() == b"3"
    assert not before.exists()
    assert not (tmp_path / "d").is_symlink()


def test_modes_are_as_stated_for_root_and_the_owners_part_of_them_otherwise(tmp_path: Path):
    write(tmp_path, {"a": File(b"", 0o640), "b": File(b"", 0o400)}, ME)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"]
    assert modes == ([0o640, 0o400] if os.geteuid() == 0 else [0o600, 0o400])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_gives_files_to_the_pods_user_or_to_its_group(tmp_path: Path):
    write(tmp_path / "own", {"a": File(b"", 0o600)}, Owner(1234, 1234, None))
    write(tmp_path / "group", {"a": File(b"", 0o400)}, Owner(1234, 1234, 77))
    own, group = ((tmp_path / name / "a").stat() for name in ("own", "group"))
    assert (own.st_uid, stat.S_IMODE(own.st_mode)) == (1234, 0o600)
    assert (group.st_uid, group.st_gid, stat.S_IMODE(group.st_mode)) == (0, 77, 0o440)


def test_every_user_of_the_pod_may_write_an_empty_dir(tmp_path: Path):
    assert stat.S_IMODE(empty(tmp_path / "e", ME).stat().st_mode) == 0o777


def claim_of(volume: dict | None, phase: str = "Bound"):
    claims = {("llm", "c"): {"spec": {"volumeName": "pv"}, "status": {"phase": phase}}}
    volumes = {("", "pv"): {"metadata": {"name": "pv"}, "spec": volume}} if volume is not None else {}
    stated = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    return claimed(POD, stated, sources(claims=claims, volumes=volumes), ME, DISKS)


def test_a_bound_claim_is_the_folder_of_its_volume(tmp_path: Path):
    assert claim_of({"hostPath": {"path": str(tmp_path)}}) == tmp_path


def test_folders_of_a_node_are_on_its_own_disk(tmp_path: Path):
    def of(name: str, path: str, kind: str = "DirectoryOrCreate") -> Path:
        volume = {"name": "v", "hostPath": {"path": path, "type": kind}}
        return of_node({"spec": {"nodeName": name}}, volume, tmp_path)

    assert of("a", "/models") == tmp_path / "a" / "models"
    assert of("b", "/models") != of("a", "/models") and of("a", "/models", "").is_dir()
    with pytest.raises(Missing, match="/other of volume 'v' is not on the node's disk"):
        of("a", "/other", "Directory")
    for path in ("/", "/../b/models", "/models/../.."):
        with pytest.raises(Refused, match="no folder of the node's disk"):
            of("a", path)
    with pytest.raises(Refused, match="hostPath of type Socket"):
        of("a", "/run/x", "Socket")


def test_a_claim_of_a_local_volume_is_the_folder_of_the_pods_node(tmp_path: Path):
    (tmp_path / "a" / "models").mkdir(parents=True)
    pod = {**POD, "spec": {**POD["spec"], "nodeName": "a"}}
    claims = {("llm", "c"): {"spec": {"volumeName": "pv"}, "status": {"phase": "Bound"}}}
    volumes = {("", "pv"): {"metadata": {"name": "pv"}, "spec": {"local": {"path": "/models"}}}}
    stated = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    read = sources(claims=claims, volumes=volumes)
    assert claimed(pod, stated, read, ME, tmp_path) == tmp_path / "a" / "models"
    with pytest.raises(Missing, match="'pv' is not on the node's disk"):
        claimed({**pod, "spec": {**pod["spec"], "nodeName": "b"}}, stated, read, ME, tmp_path)


def test_an_unbound_claim_is_waited_for(tmp_path: Path):
    with pytest.raises(Missing, match="not bound"):
        claim_of({"hostPath": {"path": str(tmp_path)}}, phase="Pending")


def test_a_volume_that_is_no_folder_here_is_refused():
    with pytest.raises(Refused, match="no folder of this machine"):
        claim_of({"nfs": {"server": "example.eu"}})


def test_sub_paths_are_made_in_writable_volumes_and_may_not_leave_them(tmp_path: Path):
    volumes = {"v": {"name": "v", "emptyDir": {}}}
    stated = {"name": "v", "mountPath": "/data/", "subPathExpr": "$(N)/x"}
    [mount] = mounts({"volumeMounts": [stated]}, volumes, {"v": tmp_path}, {"N": "n"})
    assert (mount.target, mount.source, mount.readonly) == ("/data", tmp_path / "n" / "x", False)
    assert mount.source.is_dir()
    with pytest.raises(ValueError, match="leaves the volume"):
        mounts({"volumeMounts": [{**stated, "subPathExpr": "../x"}]}, volumes, {"v": tmp_path}, {})


def test_configuration_is_mounted_read_only(tmp_path: Path):
    volumes = {"v": {"name": "v", "configMap": {"name": "m"}}}
    [mount] = mounts({"volumeMounts": [{"name": "v", "mountPath": "/etc/x"}]}, volumes, {"v": tmp_path}, {})
    assert mount.readonly


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user stays who they are")
@pytest.mark.parametrize(
    ("pod", "container", "uid"),
    [
        ({}, {}, 65534),
        ({"runAsUser": 1000}, {}, 1000),
        ({"runAsUser": 1000}, {"runAsUser": 2000}, 2000),
        ({"runAsUser": 0}, {}, 65534),
    ],
)
def test_root_runs_programs_as_run_as_user_or_nobody(pod, container, uid):
    result = user({"spec": {"securityContext": pod}}, {"securityContext": container}, real_paths=True)
    assert result.uid == uid


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user stays who they are")
def test_root_of_a_user_namespace_that_has_nobody_else_runs_programs_itself():
    program = (
        "import json; from corral.embedded.node.mounts import user; "
        "print([user(json.loads(one), {}, True).uid for one in __import__('sys').argv[1:]])"
    )
    pods = ['{"spec": {"securityContext": {"runAsUser": 1000}}}', '{"spec": {}}']
    command = ["unshare", "--map-root-user", sys.executable, "-c", program, *pods]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr}")
    assert done.stdout == "[0, 0]\n", done.stderr
