"""Flags of an image: what is honoured is translated, everything else is refused by name."""

from pathlib import Path

import pytest

from corral.embedded.node.program_spec import Refused
from corral.embedded.node.programs import kserve, kyverno, llama, postgres, seaweedfs
from corral.embedded.node.programs.documented import Documented
from corral.embedded.node.programs.flags import Flags, arguments, bind, host, keep, only, path, switch

FLAGS = Flags(
    Documented("maker/tool", "https://tool.example/flags", "1.0", frozenset({"port", "colour"})),
    (
        keep("port", "p"),
        switch("fast"),
        bind("metrics", absent=":8080"),
        host("host"),
        path("file"),
        only("colour", values=("red",), why="there is no other paint", boolean=False),
    ),
)


@pytest.mark.parametrize("written", [["--port=1"], ["-port=1"], ["-port", "1"], ["--port", "1"], ["-p", "1"]])
def test_a_flag_is_understood_in_each_of_its_spellings(container, written):
    assert FLAGS.translate(container(), written)[0] == "--port=1"


def test_a_boolean_does_not_swallow_the_next_argument(container):
    assert FLAGS.translate(container(), ["--fast", "--port", "1"])[:2] == ["--fast", "--port=1"]


def test_a_boolean_can_be_switched_off(container):
    assert "--fast=false" in FLAGS.translate(container(), ["-fast=false"])


@pytest.mark.parametrize("value", ["0.0.0.0:9", ":9", "127.0.0.1:9", "[::]:9"])
def test_a_listener_moves_to_the_address_of_the_pod_and_keeps_its_port(container, value):
    assert FLAGS.translate(container(), [f"--metrics={value}"]) == ["--metrics=127.97.0.7:9"]


def test_a_listener_that_is_switched_off_stays_off(container):
    assert FLAGS.translate(container(), ["--metrics=0"]) == ["--metrics=0"]


def test_a_listener_on_all_interfaces_by_default_moves_without_being_asked(container):
    assert FLAGS.translate(container(), []) == ["--metrics=127.97.0.7:8080"]


def test_a_path_is_mapped_where_mounts_cannot_stand_at_their_place(container, tmp_path: Path):
    context = container(real_paths=False, mounts={"/etc/tool": tmp_path})
    assert f"--file={tmp_path}/a.json" in FLAGS.translate(context, ["--file", "/etc/tool/a.json"])


def test_an_unknown_flag_is_refused_with_the_honoured_ones(container):
    with pytest.raises(
        Refused, match=r"--size of image maker/tool is not honoured here.*tool\.example"
    ) as error:
        FLAGS.translate(container(), ["--size=3"])
    assert "honoured: --colour, --fast, --file, --host, --metrics, --port" in str(error.value)


def test_a_documented_flag_that_is_not_honoured_is_refused_too(container):
    flags = Flags(FLAGS.documented, (keep("port"),))
    with pytest.raises(Refused, match="--colour of image maker/tool is not honoured here; honoured"):
        flags.translate(container(), ["--colour=red"])


def test_a_value_that_cannot_be_had_is_refused_with_the_reason(container):
    with pytest.raises(Refused, match="must be red here, not blue: there is no other paint"):
        FLAGS.translate(container(), ["--colour=blue"])


def test_a_flag_without_its_value_is_refused(container):
    with pytest.raises(Refused, match="--port of image maker/tool has no value"):
        FLAGS.translate(container(), ["--port"])


def test_an_argument_that_is_no_flag_is_refused(container):
    with pytest.raises(Refused, match="argument 'serve'"):
        FLAGS.translate(container(), ["--port=1", "serve"])


def test_a_program_without_equals_signs_does_not_get_half_a_flag(container):
    flags = Flags(FLAGS.documented, (keep("port"),), equals=False)
    with pytest.raises(Refused, match="--port=1"):
        flags.translate(container(), ["--port=1"])


def test_another_program_than_the_entry_point_is_refused(container):
    with pytest.raises(Refused, match="command 'sh' of image maker/tool"):
        arguments(container("x", command=["sh", "-c"]), "maker/tool", "tool")


def test_arguments_in_the_command_come_before_the_others(container):
    assert arguments(container("b", command=["/bin/tool", "a"]), "maker/tool", "tool") == ["a", "b"]


ALL_FLAGS = [
    kserve.MANAGER_FLAGS, kserve.CACHE_FLAGS, kserve.AGENT_FLAGS, kserve.LLM_FLAGS, llama.FLAGS,
    seaweedfs.LOGGING, seaweedfs.SERVER, kyverno.ADMISSION_FLAGS, kyverno.BACKGROUND_FLAGS,
    kyverno.INIT_FLAGS, *kyverno.CHECKS.values(),
]  # fmt: skip


@pytest.mark.parametrize("flags", ALL_FLAGS, ids=lambda flags: flags.documented.image)
def test_every_honoured_flag_is_documented_by_its_image(flags: Flags):
    honoured = {name for flag in flags.honoured for name in flag.names}
    assert honoured <= flags.documented.flags


def test_every_honoured_setting_is_documented_by_postgresql():
    known = {name.lower() for name in postgres.documented(postgres.IMAGE).flags}
    assert known >= postgres.HONOURED
