"""The steps of tools/Containerfile, carried out in a folder: there is no container runtime here."""

import os
import re
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
STEPS = [
    line.split(" ", 1)
    for line in (ROOT / "tools" / "Containerfile").read_text().splitlines()
    if line and not line.startswith("#")
]


def steps(word: str) -> list[str]:
    return [rest for kind, rest in STEPS if kind == word]


def kept() -> list[str]:
    """Files that the build gets: tracked ones that `.containerignore` lets through."""
    lines = (ROOT / ".containerignore").read_text().splitlines()
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert "*" in lines
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [name for name in listed if any(name == one or name.startswith(f"{one}/") for one in allowed)]


def test_the_build_gets_the_package_and_the_lock_and_neither_tests_nor_stack_files():
    names = kept()
    assert {"pyproject.toml", "requirements.lock", "tools/__main__.py"} <= set(names)
    assert not [name for name in names if name.startswith(("tests", "bench", "Pulumi", ".git", "docs"))]


def test_the_image_runs_the_command_without_privileges():
    assert steps("USER") == ["65532:65532"]
    assert steps("ENTRYPOINT") == ['["corral"]']


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder with an environment in which the RUN steps were carried out, readable by anybody."""
    try:
        httpx.head("https://pypi.org/simple/pip/", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        pytest.skip(f"the packages of the image are not to be had: {error}")
    folder = Path(tempfile.mkdtemp(prefix="corral-image-"))
    folder.chmod(0o755)
    source = folder / "src"
    for name in kept():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    venv.create(folder / "env", with_pip=True)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "PATH": f"{folder / 'env' / 'bin'}:{os.environ['PATH']}",
    }
    for step in steps("RUN"):
        command = re.sub(r"(?<![\w/])/src", str(source), step)
        done = subprocess.run(
            ["sh", "-ec", command], env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert not source.exists()
    yield folder / "env"
    shutil.rmtree(folder)


@pytest.mark.engine
def test_the_steps_install_the_tools_at_the_versions_of_the_lock_and_nobody_s_user_runs_them(image):
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    listed = subprocess.run(
        [image / "bin" / "pip", "freeze"], capture_output=True, text=True, check=True
    ).stdout
    installed = dict(re.findall(r"^([\w.-]+)==([\w.]+)", listed, re.MULTILINE))
    assert {"boto3", "httpx", "pydantic"} <= set(installed)
    other = {name: version for name, version in installed.items() if locked.get(name.lower()) != version}
    assert other == {}
    assert not {"pytest", "moto", "pulumi-aws"} & set(installed)
    user = {"user": 65532, "group": 65532, "extra_groups": []} if os.geteuid() == 0 else {}
    for words in (["import", "--help"], ["load", "--help"], ["bucket", "ensure", "--help"]):
        done = subprocess.run(
            [image / "bin" / "corral", *words],
            env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **user,
        )
        assert done.returncode == 0 and "usage:" in done.stdout, done.stderr
    lacking = subprocess.run(
        [
            image / "bin" / "corral",
            "import",
            "--source",
            "hf://a/b",
            "--unlocked",
            "--to",
            "s3://m/x",
            "--license",
            "MIT",
        ],
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert lacking.returncode == 1 and "the environment lacks AWS_ACCESS_KEY_ID" in lacking.stderr
