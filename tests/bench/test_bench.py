"""The bench itself: figures, its table, its results."""

import io
import json
import sys

import pytest
from bench import __main__ as command
from bench import figures, packing, pools, quick
from bench.figures import Figure
from bench.processes import peak_memory, python, run
from rich.console import Console


def test_a_figure_stands_beside_its_floor_and_its_target():
    figure = Figure("plan", 3, "s", "floor", 2, target=2)
    assert figure.ratio == 1.5
    assert figure.met is False
    assert Figure("plan", 3, "s").ratio is None


def test_the_table_holds_every_figure():
    console = Console(file=io.StringIO(), width=120)
    figures.show(console, [Figure("plan", 3, "s", "floor", 2, 2), Figure("growth", 1.02, "")])
    text = console.file.getvalue()
    assert all(word in text for word in ("plan", "3.00 s", "floor: 2.00 s", "x1.50", "growth", "1.02"))


def test_one_bench_runs_alone_and_leaves_its_result(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    monkeypatch.setattr(command, "BENCHES", {"one": lambda: [Figure("a", 1, "s")], "two": pytest.fail})
    monkeypatch.setattr(sys, "argv", ["bench", "one"])
    command.main()
    assert "1.00 s" in capsys.readouterr().out
    assert json.loads((tmp_path / "one.json").read_text())[0]["name"] == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


def test_an_unknown_bench_is_answered_with_those_there_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "speed"])
    with pytest.raises(SystemExit):
        command.main()
    assert (
        "setup, plan, program, programs, models, packing, sizing, platform, engine" in capsys.readouterr().err
    )


def test_set_up_is_read_from_the_toolchains_records(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRAL_TOOLCHAIN", str(tmp_path))
    for name, seconds in (("etcd", 48.0), ("helm", 60.0)):
        (tmp_path / f"{name}-1").mkdir()
        record = {"name": name, "version": "1", "source": "PATH", "seconds": seconds, "expected": 50}
        (tmp_path / f"{name}-1" / ".complete").write_text(json.dumps(record))
    names = list(quick.setup())
    assert [figure.value for figure in names] == [48.0, 60.0, 108.0]
    assert names[-1].floor == 100


def test_memory_of_a_small_program_is_not_its_parents():
    held = bytearray(200 * 2**20)
    _seconds, memory = python("pass", times=1)
    assert memory < 100 < peak_memory()
    del held


def test_first_fit_decreasing_is_a_fair_peer():
    places = packing.first_fit_decreasing("A100-40GB", ["1g.5gb", "3g.20gb", "7g.40gb", "3g.20gb", "4g.20gb"])
    assert places == [2, 1, 0, 2, 1], "the largest first, each on the first GPU where it fits"


@pytest.mark.exhaustive
def test_the_bench_of_packing_plans_what_it_says(monkeypatch, capsys):
    monkeypatch.setattr(packing, "FLEETS", 10)
    monkeypatch.setattr(packing, "SIZES", (10, 20))
    monkeypatch.setattr(packing, "RUNS", 1)
    names = {figure.name: figure for figure in packing.packing()}
    excess = next(figure for name, figure in names.items() if name.startswith("GPUs above the bound"))
    assert excess.value == 0 and excess.met and excess.floor is not None and excess.floor >= 0
    moves = names["slices moved, per slice added"]
    assert moves.floor is not None and moves.value < moves.floor
    assert any(name.startswith("plan of 20 models over 20 pools") for name in names)
    monkeypatch.setattr(sys, "argv", ["pools", "7", "2"])
    pools.main()
    assert json.loads(capsys.readouterr().out)["gpus"] > 0


def test_a_failed_program_ends_the_bench_with_what_it_said():
    with pytest.raises(RuntimeError, match="exit code 3\nalas"):
        run([sys.executable, "-c", "print('alas'); raise SystemExit(3)"])
