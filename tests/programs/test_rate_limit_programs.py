"""Programs of limits by tokens: what they listen on, and what is refused."""

import re

import pytest

from corral.embedded.node.program_spec import ProgramSpec, Refused
from corral.embedded.node.programs import find

FILE = "/etc/valkey/password.conf"


def spec_of(image: str) -> ProgramSpec:
    result = find(image)
    assert isinstance(result, ProgramSpec)
    return result


def test_the_service_listens_on_the_address_of_its_pod_alone(container, placed):
    context = container(command=["/bin/ratelimit"], env={"PROMETHEUS_ADDR": ":19001"})
    launch = spec_of("docker.io/envoyproxy/ratelimit:17b1956c").launch(context)
    assert launch.argv == [str(placed / "ratelimit" / "bin" / "ratelimit")]
    own = "127.97.0.7"
    assert {launch.env[key] for key in ("HOST", "GRPC_HOST", "DEBUG_HOST")} == {own}
    assert launch.env["PROMETHEUS_ADDR"] == f"{own}:19001"


def test_the_store_listens_on_the_address_of_its_pod_with_what_the_pod_states(container, placed):
    context = container("--dir", "/data", "--save", "", command=["valkey-server", FILE])
    launch = spec_of("valkey/valkey").launch(context)
    assert launch.argv == [
        str(placed / "valkey-server" / "bin" / "valkey-server"),
        FILE,
        *("--dir", "/data", "--save", "", "--bind", "127.97.0.7"),
    ]


@pytest.mark.parametrize(
    ("image", "args", "changes", "why"),
    [
        ("envoyproxy/ratelimit", ("--help",), {}, "'--help' of image envoyproxy/ratelimit is not honoured"),
        ("envoyproxy/ratelimit", (), {"real_paths": False}, "in /certs, and this machine does not"),
        ("valkey/valkey", ("--dir", "/data"), {}, "needs a file of configuration here, with a password"),
        ("valkey/valkey", (FILE, "--requirepass", "x"), {}, "--requirepass of image valkey/valkey is not"),
    ],
)
def test_what_could_not_run_as_stated_is_refused(container, placed, image, args, changes, why):
    with pytest.raises(Refused, match=re.escape(why)):
        spec_of(image).launch(container(*args, **changes))
