"""The command line: help, exit codes, one line per problem."""

import io
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from corral.cli.main import COMMANDS, build_parser, main, split
from corral.cli.stack import workspace_findings
from corral.controls.exceptions import today
from corral.embedded.home import Home
from corral.embedded.plane.processes import Process
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState, ProgramState
from corral.stacks.config.loader import parse

GOOD = """config:
  corral:platform:
    sovereignty: {profile: open, region: embedded}
    cluster: {kind: embedded}
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text(GOOD)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STACK", raising=False)
    return folder


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert all(f"    {name} " in text for name in COMMANDS)


def test_help_is_there_before_one_notices():
    best = min(_seconds([sys.executable, "-m", "corral.cli.main", "--help"]) for _ in range(5))
    assert best < 0.15


def _seconds(command):
    """Processor time, for what else runs on the machine is not the command's."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 0
    return used.ru_utime + used.ru_stime


def test_the_stack_may_stand_before_or_after_the_command():
    assert build_parser().parse_args(["-s", "onprem", "plan"]).stack == "onprem"
    assert build_parser().parse_args(["plan", "-s", "onprem"]).stack == "onprem"


def test_the_stack_comes_from_the_environment_else_is_dev(monkeypatch):
    monkeypatch.setenv("STACK", "edge")
    assert build_parser().parse_args(["plan"]).stack == "edge"
    monkeypatch.delenv("STACK")
    assert build_parser().parse_args(["plan"]).stack == "dev"


def test_arguments_of_kubectl_are_its_own():
    assert split(["-s", "edge", "kubectl", "-s", "x", "-n", "y", "get", "pods"]) == (
        ["-s", "edge"],
        "kubectl",
        ["-s", "x", "-n", "y", "get", "pods"],
    )


def test_an_unknown_command_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as end:
        main(["levitate"])
    assert end.value.code == 2
    assert "levitate" in capsys.readouterr().err


def test_a_good_stack_file_is_planned(checkout, capsys):
    assert main(["plan"]) == 0
    assert "dev: profile open" in capsys.readouterr().out


def test_a_plan_without_colour_has_no_escape_codes(checkout, capsys):
    main(["plan"])
    assert "\x1b" not in capsys.readouterr().out


def test_a_plan_is_drawn_where_one_asks_for_it_and_nowhere_else(checkout, capsys):
    before = set(checkout.iterdir())
    assert main(["plan"]) == 0
    assert set(checkout.iterdir()) == before
    (checkout / "plan.html").write_text("an old page")
    assert main(["plan", "--html", "plan.html"]) == 0
    assert set(checkout.iterdir()) == before | {checkout / "plan.html"}, "nothing is left beside it"
    assert "<h1>dev " in (checkout / "plan.html").read_text(encoding="utf-8")
    message = capsys.readouterr().out
    assert "dev: profile open" in message and message.endswith("page: plan.html\n")


@pytest.mark.parametrize("place", ["no/such/plan.html", ".", "", "Pulumi.yaml/plan.html"])
def test_a_page_that_cannot_be_written_is_one_line_and_exit_code_2(place, checkout, capsys):
    before = set(checkout.iterdir())
    assert main(["plan", "--html", place]) == 2
    error = capsys.readouterr().err
    assert error.startswith("corral: --html ") and error.count("\n") == 1
    assert set(checkout.iterdir()) == before


def test_a_page_is_the_old_one_until_the_new_one_is_whole(checkout, monkeypatch):
    (checkout / "plan.html").write_text("an old page")

    def full(path, *_arguments, **_keywords):
        path.write_bytes(b"<!DOC")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_text", full)
    assert main(["plan", "--html", "plan.html"]) == 1
    assert (checkout / "plan.html").read_text() == "an old page"
    assert not [path for path in checkout.iterdir() if path.name.startswith(".plan")]


@pytest.mark.parametrize(
    "command", [["plan"], ["plan", "--html", "plan.html"], ["up"], ["init"], ["preview"]]
)
def test_a_wrong_stack_file_is_two_lines_and_exit_code_2_and_nothing_is_touched(
    command, checkout, capsys, tmp_path
):
    (checkout / "Pulumi.dev.yaml").write_text(
        GOOD.replace("profile: open", "profile: opn") + "    gpu-pool: []\n"
    )
    assert main(command) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert any(line.startswith("sovereignty.profile: opn: ") and "open" in line for line in lines)
    assert any(line.startswith("gpu-pool: unknown key: ") and "gpu-pools" in line for line in lines)
    assert not (tmp_path / "home").exists()
    assert not (checkout / "plan.html").exists()


def test_lint_checks_every_stack_file_and_names_it(checkout, capsys):
    (checkout / "Pulumi.bad.yaml").write_text("config: {}\n")
    assert main(["lint"]) == 2
    message = capsys.readouterr()
    assert message.err.startswith("Pulumi.bad.yaml: config: ")
    assert message.out.endswith("2 stack files, 1 problems\n")


@pytest.mark.parametrize("profile", ["open", "eu-resident"])
def test_unresolved_digests_are_said_by_lint_and_are_no_problem(profile, checkout, capsys):
    text = GOOD.replace("open", profile)
    if profile != "open":
        site = "region: {country: DE, site: fra-1}, registry: registry.example.eu"
        text = text.replace("region: embedded", site)
        text = text.replace("embedded}", "existing}")
    (checkout / "Pulumi.dev.yaml").write_text(text)
    assert main(["lint"]) == 0
    message = capsys.readouterr()
    assert message.err == ""
    assert "unresolved" in message.out and message.out.endswith("1 stack files, 0 problems\n")


@pytest.mark.parametrize("command", [["status"], ["kubectl", "get", "pods"], ["chat", "hello"], ["logs"]])
def test_without_a_plane_the_command_that_makes_it_is_named(command, checkout, capsys):
    assert main(command) == 1
    assert "corral up -s dev" in capsys.readouterr().err


def test_a_name_that_is_no_plane_name_is_refused(checkout, capsys):
    assert main(["status", "-s", "../../etc"]) == 2
    assert "plane name" in capsys.readouterr().err


def test_a_full_disk_is_one_line(checkout, capsys, monkeypatch, tmp_path):
    def full(*_arguments):
        raise OSError(28, "No space left on device", "/x/plane.json")

    monkeypatch.setattr("corral.embedded.plane.plane.stop", full)
    (tmp_path / "home" / "dev").mkdir(parents=True)
    assert main(["stop"]) == 1
    error = capsys.readouterr().err
    assert "no space left to write /x/plane.json" in error and error.count("\n") == 1


def test_outside_a_checkout_this_one_is_used(tmp_path, monkeypatch):
    from corral.embedded.engine import project

    monkeypatch.chdir(tmp_path)
    assert (project.find() / "Pulumi.yaml").is_file()


def test_output_into_a_closed_pipe_is_no_traceback(checkout):
    command = f"{sys.executable} -m corral.cli.main plan | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=dict(os.environ))
    assert done.stderr == ""


def test_a_reader_that_leaves_early_is_no_failure(checkout):
    command = f"set -o pipefail; {sys.executable} -m corral.cli.main plan | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (141, "")


def test_the_version_is_an_option_too(capsys):
    assert main(["--version"]) == 0
    option = capsys.readouterr().out
    assert main(["version"]) == 0
    assert option == capsys.readouterr().out != ""


def test_stopping_what_does_not_exist_claims_no_success(checkout, capsys):
    assert main(["stop", "-s", "unknown"]) == 1
    error = capsys.readouterr().err
    assert "there is no plane 'unknown'" in error and "stopped" not in error


@pytest.mark.parametrize(("reply", "kept"), [("\n", True), ("n\n", True), ("", True), ("y\n", False)])
def test_down_at_a_terminal_discards_data_only_after_a_yes(checkout, tmp_path, monkeypatch, reply, kept):
    folder = tmp_path / "home" / "dev"
    (folder / "volumes").mkdir(parents=True)
    terminal = io.StringIO(reply)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    assert main(["down"]) == (1 if kept else 0)
    assert folder.exists() == kept


@pytest.mark.parametrize(("options", "terminal"), [([], False), (["--yes"], True)])
def test_down_asks_nobody_without_a_terminal_or_with_yes(checkout, tmp_path, monkeypatch, options, terminal):
    (tmp_path / "home" / "dev" / "volumes").mkdir(parents=True)
    stdin = io.StringIO("")
    stdin.isatty = lambda: terminal
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["down", *options]) == 0
    assert not (tmp_path / "home" / "dev").exists()


def test_a_stack_among_kubectls_arguments_is_refused_with_the_right_command(checkout, capsys):
    assert main(["kubectl", "get", "pods", "-s", "edge"]) == 2
    assert "corral -s edge kubectl" in capsys.readouterr().err


def test_an_interrupted_command_is_one_line_and_exit_code_130(checkout, capsys, monkeypatch):
    def interrupted(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr("corral.cli.stack.load", interrupted)
    assert main(["plan"]) == 130
    assert capsys.readouterr().err == "corral: interrupted\n"


def test_a_second_up_is_refused_at_once_with_the_process_of_the_first(checkout, capsys, tmp_path):
    from corral.embedded.engine.exclusive import exclusive

    with exclusive(Home(tmp_path / "home").plane("dev"), "dev"):
        assert main(["up"]) == 1
    error = capsys.readouterr().err
    assert "already works on stack dev" in error and f"process {os.getpid()}" in error
    assert error.count("\n") == 1
    with exclusive(Home(tmp_path / "home").plane("dev"), "dev"):
        pass  # The first one's end is enough.


def test_a_plane_without_its_supervisor_is_called_so_by_every_command(checkout, capsys, tmp_path):
    plane = Home(tmp_path / "home").plane("dev")
    ports = {"etcdPort": 20001}
    PlaneRecord("dev", 20000, "127.96.0.0/16", 97, "", "/tmp/none", ports).save(plane)
    program = subprocess.Popen(["sleep", "100"])
    gone = subprocess.Popen(["true"])
    gone.wait()
    try:
        etcd = ProgramState("running", Process.of(program.pid))
        PlaneState(Process(gone.pid, 1), ready=True, programs={"etcd": etcd}).save(plane)
        plane.kubeconfig.touch()
        assert main(["status"]) == 1
        message = capsys.readouterr().out
        assert "unsupervised" in message and "not supervised" in message and "corral up -s dev" in message
        for command in (["chat", "hello"], ["kubectl", "get", "pods"]):
            assert main(command) == 1
            message = capsys.readouterr().err
            assert "not supervised" in message and "corral up -s dev" in message
    finally:
        program.kill()
        program.wait()


def test_lint_warns_of_an_exception_that_ends_soon_and_refuses_one_that_ended(checkout, capsys):
    def linted(days: int) -> tuple[int, str]:
        entry = (
            "{control: SOV-SUP-01, reason: no mirror before release 4, approver: jane, "
            f"expires: {today() + timedelta(days)}}}"
        )
        (checkout / "Pulumi.dev.yaml").write_text(
            GOOD.replace("region: embedded}", f"region: embedded, exceptions: [{entry}]}}")
        )
        code = main(["lint"])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = linted(5)
    assert code == 0 and "Pulumi.dev.yaml: warning, 5 days left: SOV-SUP-01 for everything: excepted" in said
    assert "warning" not in linted(30)[1]
    code, said = linted(-2)
    assert code == 2 and "sovereignty.exceptions[0].expires: " in said and "expired 2 days ago" in said


def test_lint_refuses_a_hosted_state_in_a_strict_profile(checkout, capsys, monkeypatch):
    (checkout / "Pulumi.yaml").write_text("name: corral\nbackend: {url: 'https://api.pulumi.com'}\n")
    site = "eu-resident, region: {country: DE, site: fra-1}, registry: registry.example.eu"
    text = GOOD.replace("open, region: embedded", site).replace("embedded}", "existing}")
    (checkout / "Pulumi.dev.yaml").write_text(f"encryptionsalt: v1:x\n{text}")
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    assert main(["lint"]) == 2
    said = capsys.readouterr()
    assert "Pulumi.dev.yaml: backend.url: https://api.pulumi.com: SOV-OPS-01: a hosted service" in said.err
    assert "secretsprovider: passphrase: SOV-OPS-02: a passphrase encrypts" in said.out
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///srv/state")
    assert main(["lint"]) == 0


def test_kubectl_waits_for_nothing_that_it_does_not_use():
    """Scripts call it in loops: to import plans and models takes ten times as long as kubectl itself."""
    slow = ("pydantic", "httpx", "rich", "corral.stacks.config.stack_config", "pulumi")
    code = f"import corral.cli.kubectl, sys; print([one for one in {slow!r} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_licence_of_a_canary_is_a_finding_as_that_of_a_model_is(tmp_path):
    canary = {"model": "llama-3.2-1b", "weight": 10}
    stated = {
        "sovereignty": {"profile": "eu-sovereign", "region": {"country": "DE", "site": "fra-1"}},
        "cluster": {"kind": "embedded"},
        "models": [{"name": "chat", "model": "qwen3-0.6b", "canary": canary}],
    }
    found = workspace_findings(tmp_path / "Pulumi.dev.yaml", parse(stated))
    assert [(one.control, one.path) for one in found] == [("SOV-LCK-07", "models[0].canary.model")]


@pytest.mark.parametrize("text", [b"- a", b"", b"name: {a: b}", b"name: shop"])
def test_another_projects_folder_is_no_checkout(tmp_path, monkeypatch, text):
    from corral.embedded.engine import project

    (tmp_path / "Pulumi.yaml").write_bytes(text)
    monkeypatch.chdir(tmp_path)
    assert project.find() == project.OWN


@pytest.mark.parametrize("text", [b"name: [", b"\xff\xfe\xfa", b"name: {{ .name }}"])
def test_a_project_file_that_is_no_yaml_is_said_in_one_line(tmp_path, monkeypatch, capsys, text):
    (tmp_path / "Pulumi.yaml").write_bytes(text)
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/Pulumi.yaml is no YAML: " in error and error.count("\n") == 1


def test_a_folder_without_a_policy_pack_is_judged_by_the_packages_own(tmp_path):
    from corral.embedded.engine import project

    assert project.policy_pack(tmp_path) == project.OWN / "policy"
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    assert project.policy_pack(tmp_path) == tmp_path / "policy"
