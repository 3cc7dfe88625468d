"""Envoy Gateway's programs: what they listen on, and what is refused."""

import re
from pathlib import Path

import pytest
import yaml

from corral.embedded.node.program_spec import ProgramSpec, Refused
from corral.embedded.node.programs import find


def spec_of(image: str) -> ProgramSpec:
    result = find(image)
    assert isinstance(result, ProgramSpec)
    return result


PROXY_BOOTSTRAP = """
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 19000}}}
static_resources:
  listeners:
  - address: {socket_address: {address: '0.0.0.0', port_value: 19001}}
  clusters:
  - name: prometheus_stats
    load_assignment:
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
        {address: 127.0.0.1, port_value: 19000}}}}]}]
  - name: xds_cluster
    load_assignment:
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
        {address: 127.96.4.7, port_value: 18000}}}}]}]
node: {locality: {zone: a}}
"""


def proxy(container, *args: str, **changes):
    context = container(*args, command=["envoy"], **changes)
    return spec_of("docker.io/envoyproxy/envoy:distroless-v1.39.0").launch(context)


def test_a_proxy_listens_on_the_address_of_its_pod_alone(container, placed):
    launch = proxy(
        container, "--service-node", "edge-0", "--config-yaml", PROXY_BOOTSTRAP, "--cpuset-threads"
    )
    bootstrap = yaml.safe_load(launch.argv[launch.argv.index("--config-yaml") + 1])
    sockets = re.findall(r"'address': '([\d.]+)', 'port_value': (\d+)", str(bootstrap))
    own = "127.97.0.7"
    assert sockets == [(own, "19000"), (own, "19001"), (own, "19000"), ("127.96.4.7", "18000")]
    assert bootstrap["node"] == {"locality": {"zone": "a"}, "metadata": {"corral.dev/address": own}}
    assert launch.argv[launch.argv.index("--service-node") + 1] == "edge-0"
    assert {"--cpuset-threads", "--disable-hot-restart"} <= set(launch.argv)


@pytest.mark.parametrize(
    ("args", "changes", "why"),
    [
        (("--config-path=/etc/envoy.yaml",), {}, "--config-path of image envoyproxy/envoy is not honoured"),
        (("--concurrency=1",), {}, "needs --config-yaml"),
        (("--config-yaml=[]",), {}, "is not a mapping"),
        (
            (f"--config-yaml={PROXY_BOOTSTRAP}",),
            {"real_paths": False},
            "in /certs, and this machine does not",
        ),
    ],
)
def test_a_proxy_is_refused_where_it_could_not_run_as_stated(container, placed, args, changes, why):
    with pytest.raises(Refused, match=re.escape(why)):
        proxy(container, *args, **changes)


@pytest.mark.parametrize(
    ("command", "args", "run"),
    [
        (["envoy-gateway", "certgen"], ["--overwrite"], ["certgen", "--overwrite"]),
        ([], ["server", "--config-path=/config/a.yaml"], ["server", "--config-path=/config/a.yaml"]),
        (
            ["envoy-gateway"],
            ["envoy", "shutdown-manager", "--ready-timeout=15s"],
            ["envoy", "shutdown-manager", "--ready-timeout=15s"],
        ),
    ],
)
def test_the_gateways_programs_know_the_address_of_their_pod(container, placed: Path, command, args, run):
    launch = spec_of("envoyproxy/gateway").launch(container(*args, command=command))
    program = placed / "envoy-gateway" / "bin" / "envoy-gateway"
    assert launch.argv == [str(program), *run]
    assert launch.env["CORRAL_ADDRESS"] == "127.97.0.7"
    assert launch.env["PATH"].startswith(f"{program.parent}:"), "its hooks name it without a folder"


def test_other_commands_of_the_gateways_image_are_refused(container, placed):
    with pytest.raises(Refused, match="runs server, certgen, envoy shutdown-manager here, not 'version'"):
        spec_of("envoyproxy/gateway").launch(container("version", command=["envoy-gateway"]))
