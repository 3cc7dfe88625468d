"""Programs of metrics: what they listen on, what they are told of one another, and what is refused."""

import re

import pytest

from corral.embedded.node.classify import classify, finder
from corral.embedded.node.program_spec import ProgramSpec, Refused
from corral.embedded.node.programs import find

OPERATOR = "quay.io/prometheus-operator/prometheus-operator:v0.93.1"
RELOADER = "quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1"
SERVER = "quay.io/prometheus/prometheus:v3.14.0-distroless"


def started(image: str, context) -> list[str]:
    result = find(image)
    assert isinstance(result, ProgramSpec)
    return list(result.launch(context).argv)


def test_the_operator_listens_on_the_address_of_its_pod_and_keeps_the_images_that_it_is_told(
    container, placed
):
    context = container(f"--prometheus-config-reloader={RELOADER}", "--web.listen-address=:8080")
    assert started(OPERATOR, context) == [
        str(placed / "prometheus-operator" / "bin" / "prometheus-operator"),
        f"--prometheus-config-reloader={RELOADER}",
        "--web.listen-address=127.97.0.7:8080",
    ]


def test_the_reloader_reaches_the_server_beside_it_at_their_pods_address(container, placed):
    context = container(
        "--listen-address=:8080",
        "--reload-url=http://127.0.0.1:9090/-/reload",
        "--config-file=/etc/prometheus/config/prometheus.yaml.gz",
        "--watched-dir=/etc/prometheus/rules",
    )
    assert started(RELOADER, context)[1:] == [
        "--listen-address=127.97.0.7:8080",
        "--reload-url=http://127.97.0.7:9090/-/reload",
        "--config-file=/etc/prometheus/config/prometheus.yaml.gz",
        "--watched-dir=/etc/prometheus/rules",
    ]


def test_prometheus_listens_on_the_address_of_its_pod_though_the_operator_names_none(container, placed):
    context = container(
        "--config.file=/etc/prometheus/config_out/prometheus.env.yaml", "--web.route-prefix=/"
    )
    assert started(SERVER, context)[1:] == [
        "--config.file=/etc/prometheus/config_out/prometheus.env.yaml",
        "--web.route-prefix=/",
        "--web.listen-address=127.97.0.7:9090",
    ]


@pytest.mark.parametrize(
    ("image", "args", "why"),
    [
        (OPERATOR, ("--apiserver=http://192.0.2.1",), "--apiserver of image"),
        (
            RELOADER,
            ("--reload-url=http://192.0.2.1:9090/-/reload",),
            "--reload-url must lead to localhost",
        ),
        (RELOADER, ("--reload-method=signal",), "--reload-method of image"),
        (
            SERVER,
            ("--web.enable-admin-api",),
            "--web.enable-admin-api of image prometheus/prometheus is not",
        ),
    ],
)
def test_what_could_not_run_as_stated_is_refused(container, placed, image, args, why):
    with pytest.raises(Refused, match=re.escape(why)):
        started(image, container(*args))


@pytest.mark.parametrize(("real_paths", "becomes"), [(True, "process"), (False, "simulated")])
def test_where_processes_cannot_have_mounts_they_are_simulated_and_the_platform_comes_up(real_paths, becomes):
    """They know their identity from the mounted ServiceAccount folder alone."""
    containers = [{"name": "prometheus", "image": SERVER}, {"name": "config-reloader", "image": RELOADER}]
    assert classify({"spec": {"containers": containers}}, finder(real_paths), False).classification == becomes
