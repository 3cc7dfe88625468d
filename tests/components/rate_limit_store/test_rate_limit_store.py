"""The store of counts: kept over restarts, with a password, reached by the rate limit service alone."""

from typing import Any

import pytest
from tests.components.harness import Graph, build

from corral.components.rate_limit_store import RateLimitStore
from corral.components.rate_limit_store.pod import SETTINGS, credential


def made(**more: Any) -> Graph:
    args: Any = {"supply": {}, "password": "pw", **more}
    return build(lambda: RateLimitStore("counts", args))


def test_counts_are_kept_on_a_protected_volume():
    graph = made(storage_class="fast")
    claim = graph.one("PersistentVolumeClaim")
    assert claim.inputs["spec"]["storageClassName"] == "fast"
    pod = graph.one("StatefulSet").inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    data = pod["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert data == claim.inputs["metadata"]["name"]
    flags = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    assert flags["--appendonly"] == "yes" and flags["--dir"] == container["volumeMounts"][0]["mountPath"]
    assert SETTINGS["--maxmemory-policy"] == "noeviction", "a dropped count is a lifted limit"


def test_the_password_is_in_a_file_of_a_secret_and_never_among_arguments():
    graph = made(password="hunter2")
    pod = graph.one("StatefulSet").inputs["spec"]["template"]["spec"]
    assert "hunter2" not in str(pod)
    (volume,) = [one for one in pod["volumes"] if "secret" in one]
    assert volume["secret"]["secretName"] == graph.one("Secret").inputs["metadata"]["name"]


@pytest.mark.parametrize(
    ("password", "line"), [("ab12", 'requirepass "ab12"\n'), ('a"b\\c', 'requirepass "a\\"b\\\\c"\n')]
)
def test_a_password_stands_in_the_configuration_as_it_is(password: str, line: str):
    assert credential(password) == line


def test_the_rate_limit_services_namespace_alone_reaches_it():
    spec = made(clients="gateways").one("NetworkPolicy").inputs["spec"]
    (rule,) = spec["ingress"]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "gateways"}
    assert rule["ports"] == [{"protocol": "TCP", "port": 6379}]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"] and not spec.get("egress")
