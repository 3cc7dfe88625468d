"""`corral bundle`: what a stack brings to a site without internet, each with its digest or with a reason."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml
from tests.deploy.test_platform import content

from corral.catalogue.images import image
from corral.cli import bundle as command
from corral.cli.main import main
from corral.stacks.planning.digests import Artifacts
from corral.stacks.reports.bundle import contents, mirrors, packages
from corral.stacks.reports.bundle.lock import Artifact, Bundle, ModelFiles, PythonPackage

ROOT = Path(__file__).parents[2]
MIRROR = "registry.example.eu/mirror"
DIGEST = f"sha256:{'a' * 64}"


def made(**changes) -> Bundle:
    """A small bundle with all that a script tells apart."""
    images = (
        Artifact("docker.io/vllm/vllm-openai:v1", DIGEST, f"{MIRROR}/vllm/vllm-openai:v1", ("Pod chat",)),
        Artifact("localhost/corral/tools:1", "unresolved", f"{MIRROR}/corral/tools:1", reason="built here"),
        Artifact(
            "nvcr.io/nvidia/driver:9",
            "unresolved",
            f"{MIRROR}/nvidia/driver:9",
            by_hand=True,
            reason="suffix",
        ),
    )
    charts = (
        Artifact("https://charts.example.com/kyverno:3.9.1", DIGEST, f"oci://{MIRROR}/charts/kyverno:3.9.1"),
        Artifact("oci://ghcr.io/kserve/charts/crd:v1", DIGEST, f"oci://{MIRROR}/kserve/charts/crd:v1"),
    )
    whole = {
        "stack": "site",
        "profile": "air-gapped",
        "mirror": MIRROR,
        "images": images,
        "charts": charts,
        "models": (ModelFiles("chat", "s3://intake/chat", (("a.gguf", "b" * 64, 5),)),),
        "programs": (Artifact("https://example.com/pulumi-1.tar.gz", DIGEST, None),),
        "packages": (PythonPackage("pulumi", "3.259.0", (DIGEST,)),),
    }
    return Bundle(**{**whole, **changes})


def manifest(**content) -> contents.Manifest:
    return contents.Manifest("Deployment web", content)


def artifacts(manifests, *names, tools=None) -> dict[str, Artifact]:
    used = Artifacts((), tuple(image(name) for name in names))
    return {one.source: one for one in contents.image_artifacts(used, manifests, MIRROR, tools)}


def test_an_image_names_what_runs_it_however_its_name_is_split():
    reference = f"{MIRROR}/kserve/agent:v0.20.0"
    whole = manifest(spec={"containers": [{"image": reference}]})
    argument = manifest(spec={"args": [f"--sidecar={reference}@{DIGEST}"]})
    text = manifest(data={"agent": json.dumps({"image": reference})})
    split = manifest(values={"registry": MIRROR, "repository": "kserve/agent", "tag": "x"})
    operand = manifest(spec={"agent": {"repository": f"{MIRROR}/kserve", "image": "agent", "version": "x"}})
    for one in (whole, argument, text, split, operand):
        assert artifacts([one], "kserve-agent")[image("kserve-agent").pinned].named_by == ("Deployment web",)
    other = manifest(spec={"containers": [{"image": f"{MIRROR}/kserve/agent-of-others:v1"}]})
    assert artifacts([other], "kserve-agent")[image("kserve-agent").pinned].named_by == ()


def test_what_an_operator_starts_is_there_though_no_manifest_names_it():
    toolkit = artifacts([], "container-toolkit")[image("container-toolkit").pinned]
    assert (toolkit.named_by, toolkit.brought_by) == ((), "gpu-operator")
    assert toolkit.target == f"{MIRROR}/nvidia/k8s/container-toolkit:{image('container-toolkit').tag}"


def test_an_image_that_the_catalogue_lacks_is_there_and_unresolved_without_a_digest():
    stranger = manifest(spec={"initContainers": [{"image": "busybox:1.37"}]})
    pinned = manifest(spec={"containers": [{"image": f"quay.io/a/b:1@{DIGEST}"}]})
    found = artifacts([stranger, pinned])
    assert found["docker.io/library/busybox:1.37"].target == f"{MIRROR}/library/busybox:1.37"
    assert found["quay.io/a/b:1"].digest == DIGEST
    whole = made(images=tuple(found.values()))
    assert [what for what, _ in whole.unresolved()] == ["image docker.io/library/busybox:1.37"]


def test_tools_of_the_sites_own_are_not_copied():
    own = f"registry.example.eu/ours/tools:1@{DIGEST}"
    found = artifacts([manifest(spec={"containers": [{"image": own}]})], "tools", tools=own)
    assert {one: (each.target, each.digest) for one, each in found.items()} == {own: (None, DIGEST)}


def test_what_is_not_locked_is_unresolved_and_what_a_site_copies_by_hand_is_not():
    assert dict(made().unresolved()) == {"image localhost/corral/tools:1": "built here"}
    assert dict(made().by_hand()) == {"nvcr.io/nvidia/driver:9": "suffix"}
    several = made(models=(ModelFiles("a", "s3://x", ()), ModelFiles("b", "s3://y", (), simulated=True)))
    assert "model a" in dict(several.unresolved()) and "model b" not in dict(several.unresolved())


def test_the_lock_has_every_digest():
    lock = yaml.safe_load(made().text())
    assert [one["digest"] for one in lock["images"]] == [DIGEST, "unresolved", "unresolved"]
    assert lock["models"] == [
        {
            "name": "chat",
            "source": "s3://intake/chat",
            "files": [{"name": "a.gguf", "sha256": "b" * 64, "size": 5}],
        }
    ]
    assert lock["packages"] == [{"name": "pulumi", "version": "3.259.0", "sha256": [DIGEST]}]
    assert lock["unresolved"] and lock["by-hand"] and not lock["public-hosts"]


def test_without_a_mirror_there_is_nothing_to_copy_to():
    assert set(mirrors.files(made(mirror=None))) == {"lock.yaml", "requirements.txt"}


FAKE = """#!/bin/sh
for each in "$@"; do printf '%s ' "$each"; done >> "$CALLS"; echo >> "$CALLS"
"""


def calls(tmp_path: Path, script: str, *arguments: str) -> list[str]:
    """What a script runs, with programs that only write down how they are called."""
    for program in ("skopeo", "oras", "helm", "sha256sum"):
        (tmp_path / program).write_text(FAKE)
        (tmp_path / program).chmod(0o755)
    (tmp_path / "calls").write_text("")
    (tmp_path / "script").write_text(mirrors.files(made())[script])
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", str(tmp_path / "script"), *arguments],
        env={"PATH": path, "CALLS": str(tmp_path / "calls")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.strip() for line in (tmp_path / "calls").read_text().splitlines()]


def test_skopeo_copies_images_by_digest_with_all_platforms_and_tags_them_in_the_mirror(tmp_path):
    place = "dir:media/docker.io_vllm_vllm-openai_v1"
    copy = "copy --all --preserve-digests"
    assert calls(tmp_path, "images-skopeo.sh", "pull", "media") == [
        f"{copy} docker://docker.io/vllm/vllm-openai@{DIGEST} {place}"
    ]
    assert calls(tmp_path, "images-skopeo.sh", "push", "media") == [
        f"{copy} {place} docker://{MIRROR}/vllm/vllm-openai:v1"
    ]


def test_oras_copies_charts_of_registries_by_digest(tmp_path):
    place = "media/oci:ghcr.io_kserve_charts_crd_v1"
    assert calls(tmp_path, "charts-oras.sh", "pull", "media") == [
        f"cp --to-oci-layout ghcr.io/kserve/charts/crd@{DIGEST} {place}"
    ]
    assert calls(tmp_path, "charts-oras.sh", "push", "media") == [
        f"cp --from-oci-layout {place} {MIRROR}/kserve/charts/crd:v1"
    ]


def test_helm_copies_charts_of_repositories_and_checks_them(tmp_path):
    assert calls(tmp_path, "charts-helm.sh", "pull", "media") == [
        "pull kyverno --repo https://charts.example.com --version 3.9.1 --destination media/charts",
        "--check",
    ]
    assert calls(tmp_path, "charts-helm.sh", "push", "media") == [
        f"push media/charts/kyverno-3.9.1.tgz oci://{MIRROR}/charts"
    ]


def test_a_script_without_its_arguments_says_how_it_is_called(tmp_path):
    (tmp_path / "script").write_text(mirrors.files(made())["images-oras.sh"])
    done = subprocess.run(["sh", str(tmp_path / "script")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pull|push FOLDER" in done.stderr


def test_hauler_gets_images_charts_and_files_with_their_places_in_the_mirror():
    documents = {one["kind"]: one["spec"] for one in yaml.safe_load_all(mirrors.files(made())["hauler.yaml"])}
    assert documents["Images"]["images"] == [
        {"name": f"docker.io/vllm/vllm-openai@{DIGEST}", "rewrite": "vllm/vllm-openai:v1"}
    ]
    assert documents["Charts"]["charts"][0] == {
        "name": "kyverno",
        "repoURL": "https://charts.example.com",
        "version": "3.9.1",
        "rewrite": "charts/kyverno:3.9.1",
    }
    assert documents["Files"]["files"] == [
        {"path": "https://example.com/pulumi-1.tar.gz", "name": "pulumi-1.tar.gz"}
    ]


def test_zarf_gets_images_with_tag_and_digest_and_programs_with_their_sum():
    package = yaml.safe_load(mirrors.files(made())["zarf.yaml"])
    assert (package["apiVersion"], package["kind"]) == ("zarf.dev/v1alpha1", "ZarfPackageConfig")
    images, programs = package["components"]
    assert images["images"] == [f"docker.io/vllm/vllm-openai:v1@{DIGEST}"]
    assert programs["files"][0]["shasum"] == "a" * 64


def test_requirements_are_the_programs_own_with_the_hashes_of_the_lock():
    lock = (ROOT / "requirements.lock").read_text()
    found = {one.name: one for one in packages.packages(lock, ["corral"])}
    assert {"pulumi", "pulumi-kubernetes", "pulumi-policy", "pydantic", "grpcio", "hatchling"} <= set(found)
    assert not {"pytest", "moto", "pulumi-aws", "ruff"} & set(found)
    assert all(one.hashes for one in found.values())
    assert "pulumi-aws" in {one.name for one in packages.packages(lock, ["corral", "pulumi-aws"])}
    text = mirrors.requirements(made())
    assert f"pulumi==3.259.0 \\\n    --hash={DIGEST}\n" in text


def test_a_package_that_the_lock_lacks_is_unresolved():
    found = packages.packages("", ["packaging"])
    assert [(one.name, one.hashes) for one in found] == [("packaging", ())]
    assert "package packaging" in dict(made(packages=found).unresolved())


def published(monkeypatch, answer) -> Artifact:
    def client() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(command, "client", client)
    graph = [{"type": "pulumi:providers:kubernetes"}]
    return list(command._programs(graph, offline=False))[1]


def test_a_plugin_has_the_sum_that_its_publisher_states(monkeypatch):
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("_checksums.txt")
        version = request.url.path.split("/v")[1].split("/")[0]
        names = [f"pulumi-resource-kubernetes-v{version}-linux-{arch}.tar.gz" for arch in ("amd64", "arm64")]
        names += ["pulumi-1-linux.tar.gz"]
        return httpx.Response(200, text="\n".join(f"{'c' * 64}  {name}" for name in names))

    def sums(request: httpx.Request) -> httpx.Response:
        return answer(request) if "kubernetes" in request.url.path else httpx.Response(404)

    plugin = published(monkeypatch, sums)
    assert plugin.digest == f"sha256:{'c' * 64}"
    assert "pulumi-resource-kubernetes-v4." in plugin.source


def test_a_plugin_whose_publisher_cannot_be_asked_is_unresolved_with_the_reason(monkeypatch):
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    plugin = published(monkeypatch, refused)
    assert plugin.digest == "unresolved" and plugin.reason.endswith("unreachable: ConnectError")


def test_a_plugin_that_no_release_is_known_of_is_unresolved():
    graph = [{"type": "pulumi:providers:unheard-of"}]
    assert [one.reason for one in command._programs(graph, offline=True)][1] == "no release of it is known"


def test_a_folder_of_charts_that_is_none_is_refused_before_anything_runs(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    arguments = ["bundle", "-s", "onprem", "--out", str(tmp_path / "out"), "--charts", "/nowhere"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == "corral: --charts /nowhere: no such folder\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.engine
def test_the_bundle_of_the_committed_site_has_all_that_runs_there(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CORRAL_TOOLCHAIN", str(command.Home.find().toolchain))
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    folder = tmp_path / "out"
    assert main(["bundle", "-s", "onprem", "--out", str(folder), "--offline"]) == 1
    said = capsys.readouterr().out
    lock = yaml.safe_load((folder / "lock.yaml").read_text())
    named = {one["source"]: one.get("named-by", []) for one in lock["images"]}
    for name in (
        "vllm",
        "seaweedfs",
        "tools",
        "kserve-controller",
        "kyverno",
        "container-toolkit",
        "gpu-driver",
    ):
        assert image(name).pinned in named, name
    (controller,) = (one for one in named[image("kserve-controller").pinned] if one.startswith("Deployment"))
    assert controller.endswith("release kserve-resources in kserve")
    assert {one["name"] for one in lock["models"]} == {"chat", "code", "embed"}
    assert lock["mirror"] == MIRROR and lock["public-hosts"] == {}
    assert "release gpu-operator in gpu-operator" in lock["not-rendered"]
    for what in lock["unresolved"]:
        assert f"{what}: unresolved: " in said
    for script in folder.glob("*.sh"):
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_a_program_that_fails_is_said_in_one_line(capsys, monkeypatch, tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    platform = {**content(), "sovereignty": {"profile": "closed", "region": "x"}}
    (tmp_path / "Pulumi.bad.yaml").write_text(yaml.safe_dump({"config": {"corral:platform": platform}}))
    monkeypatch.chdir(tmp_path)
    assert main(["bundle", "-s", "bad", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("sovereignty.profile: closed: ")
    assert not (tmp_path / "out").exists()
