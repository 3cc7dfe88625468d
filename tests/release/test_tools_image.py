"""What tools/Containerfile builds from; its steps have not been run: there is no container runtime here."""

import subprocess
from pathlib import Path

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
