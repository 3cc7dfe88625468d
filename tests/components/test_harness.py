import pulumi
import pytest
from tests.components.harness import Probe, build


def test_two_resources_with_one_urn_are_refused():
    def program():
        Probe("same")
        Probe("same")

    with pytest.raises(AssertionError, match="share the URN"):
        build(program)


def test_outputs_that_were_never_registered_are_told_from_empty_ones():
    class Silent(pulumi.ComponentResource):
        def __init__(self, name: str):
            super().__init__("test:index:Silent", name)

    def program():
        Silent("silent")
        Probe("loud")

    graph = build(program)
    assert graph.one("Silent").outputs is None
    assert graph.one("Probe").outputs == {}


def test_a_failed_apply_fails_the_build():
    def program():
        def broken(_: str) -> None:
            raise ValueError("broken apply")

        probe = Probe("p")
        probe.urn.apply(broken)

    with pytest.raises(ValueError, match="broken apply"):
        build(program)


def test_secret_inputs_are_told_from_plain_ones():
    import pulumi_kubernetes as kubernetes

    def program():
        kubernetes.core.v1.Secret(
            "s", metadata={"name": "s"}, string_data={"key": pulumi.Output.secret("hush")}
        )

    secret = build(program).one("Secret")
    assert any(path.startswith("stringData") for path in secret.secrets)
    assert secret.inputs["stringData"]["key"] == "hush"


def test_secret_configuration_is_readable_as_a_secret():
    told: list[tuple[str, bool]] = []

    def program():
        word = pulumi.Config("corral").require_secret("word")
        pulumi.Output.all(pulumi.Output.unsecret(word), word.is_secret()).apply(
            lambda both: told.append((both[0], both[1]))
        )

    build(program, secret_config={"corral:word": "hush"})
    assert told == [("hush", True)]
