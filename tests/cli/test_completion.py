"""`corral completion`: what bash completes, asked of bash itself; zsh and fish where they are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from corral.catalogue.gpus import gpus
from corral.cli.main import COMMANDS, main


def script(capsys, shell: str) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def completed(tmp_path: Path, text: str, *words: str) -> list[str]:
    """What bash offers after `corral` and `words`, the last of which is unfinished."""
    (tmp_path / "corral.bash").write_text(text)
    line = " ".join(f"'{word}'" for word in ("corral", *words))
    ask = f"""source {tmp_path}/corral.bash
COMP_WORDS=({line}); COMP_CWORD={len(words)}; _corral; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), {*COMMANDS, "-s", "--stack", "--version", "--help"}),
        (("st",), {"status", "stop"}),
        (("-s", "edge", "st"), {"status", "stop"}),
        (("plan", "--j"), {"--json"}),
        (("fit", "qwen3-8"), {"qwen3-8b", "qwen3-8b-int4"}),
        (("fit", "qwen3-8b", "--gpu", "RTX-4"), {"RTX-4090-24GB"}),
        (("fit", "qwen3-8b", "--gpu", ""), set(gpus())),
        (("fit", "qwen3-8b", "--purchase", ""), {"on-demand", "spot"}),
        (("completion", ""), {"bash", "zsh", "fish", "-h", "--help", "-s", "--stack"}),
        (("-s", ""), {"dev", "onprem"}),
        (("plan", "-s", "on"), {"onprem"}),
    ],
)
def test_bash_completes_commands_options_and_values(capsys, tmp_path, words, offered):
    for stack in ("dev", "onprem"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    assert set(completed(tmp_path, script(capsys, "bash"), *words)) == offered


def test_without_stack_files_no_stack_is_offered(capsys, tmp_path):
    assert completed(tmp_path, script(capsys, "bash"), "-s", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_is_in_every_script(capsys, shell):
    text = script(capsys, shell)
    assert all(name in text for name in COMMANDS)
    assert "max-num-seqs" in text and "RTX-4090-24GB" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_that_its_shell_can_read(capsys, tmp_path, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script(capsys, shell))
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_an_unknown_shell_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as end:
        main(["completion", "tcsh"])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert all(shell in error for shell in ("bash", "zsh", "fish"))
