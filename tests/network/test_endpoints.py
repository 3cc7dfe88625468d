"""Which process answers for an address of the cluster, and why none does."""

import pytest

from corral.embedded.node.endpoints import Endpoints, Unreachable, addresses


def service(name, namespace="llm", ip="127.96.0.9", ports=({"port": 80},)):
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip, "ports": [dict(port) for port in ports]},
    }


def endpoint(pod, ip, namespace="llm", hostname=None, **conditions):
    result = {
        "addresses": [ip],
        "conditions": {"ready": True, **conditions},
        "targetRef": {"kind": "Pod", "name": pod, "namespace": namespace, "uid": pod},
    }
    return {**result, "hostname": hostname} if hostname else result


def part(of, *endpoints, namespace="llm", name="x", ports=({"port": 8080},)):
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": of}},
        "addressType": "IPv4",
        "ports": [dict(port) for port in ports],
        "endpoints": list(endpoints),
    }


def pod(name, ip, namespace="llm", simulated=False, phase="Running"):
    conditions = [{"type": "corral.dev/Simulated", "status": "True"}] if simulated else []
    return {
        "metadata": {"name": name, "namespace": namespace},
        "status": {"podIP": ip, "phase": phase, "conditions": conditions},
    }


def keyed(*items):
    return {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in items}


def endpoints(services=(), slices=(), pods=()):
    return Endpoints(
        services=keyed(*services), slices=keyed(*slices), pods=keyed(*pods), pod_octet=97, api_port=6443
    )


def where(backends):
    return [(backend.address, backend.port) for backend in backends]


def test_a_cluster_ip_leads_to_the_loopback_address_of_the_ready_pod_at_its_target_port():
    result = endpoints(
        [service("chat")], [part("chat", endpoint("a", "10.97.0.3"))], [pod("a", "10.97.0.3")]
    ).resolve("127.96.0.9", 80)
    assert where(result) == [("127.97.0.3", 8080)]


def test_a_service_name_leads_where_its_cluster_ip_does():
    known = endpoints([service("chat")], [part("chat", endpoint("a", "10.97.0.3"))], [pod("a", "10.97.0.3")])
    assert where(known.resolve("chat.llm.svc", 80)) == where(known.resolve("127.96.0.9", 80))


def test_a_named_port_takes_the_slice_port_of_the_same_name():
    ports = ({"name": "master", "port": 9}, {"name": "s3", "port": 7})
    known = endpoints(
        [service("weed", ports=({"name": "s3", "port": 8333}, {"name": "master", "port": 9333}))],
        [part("weed", endpoint("a", "10.97.0.3"), ports=ports)],
        [pod("a", "10.97.0.3")],
    )
    assert where(known.resolve("127.96.0.9", 8333)) == [("127.97.0.3", 7)]


def test_ready_pods_take_turns():
    known = endpoints(
        [service("chat")],
        [part("chat", endpoint("a", "10.97.0.3"), endpoint("b", "10.97.0.4"))],
        [pod("a", "10.97.0.3"), pod("b", "10.97.0.4")],
    )
    firsts = {known.resolve("127.96.0.9", 80)[0].pod for _ in range(2)}
    assert firsts == {"llm/a", "llm/b"}
    assert len(known.resolve("127.96.0.9", 80)) == 2, "the other one is tried when the first is just gone"


def test_terminating_unready_and_simulated_pods_are_never_chosen():
    known = endpoints(
        [service("chat")],
        [
            part(
                "chat",
                endpoint("old", "10.97.0.1", terminating=True, serving=True),
                endpoint("new", "10.97.0.2", ready=False),
                endpoint("fake", "10.97.0.3"),
                endpoint("real", "10.97.0.4"),
            )
        ],
        [
            pod("old", "10.97.0.1"),
            pod("new", "10.97.0.2"),
            pod("fake", "10.97.0.3", simulated=True),
            pod("real", "10.97.0.4"),
        ],
    )
    assert {b.pod for _ in range(4) for b in known.resolve("127.96.0.9", 80)} == {"llm/real"}


def test_while_no_pod_is_ready_one_that_is_about_to_end_answers_if_it_still_can():
    ending = {"ready": False, "terminating": True}
    known = endpoints(
        [service("chat")],
        [
            part(
                "chat",
                endpoint("old", "10.97.0.1", **ending, serving=True),
                endpoint("broken", "10.97.0.2", **ending, serving=False),
                endpoint("new", "10.97.0.3", ready=False, serving=False),
            )
        ],
        [pod("old", "10.97.0.1"), pod("broken", "10.97.0.2"), pod("new", "10.97.0.3")],
    )
    assert [backend.pod for backend in known.resolve("127.96.0.9", 80)] == ["llm/old"]


def test_a_service_of_simulated_pods_is_refused_by_name():
    known = endpoints(
        [service("kyverno-svc", "kyverno", ports=({"port": 443},))],
        [part("kyverno-svc", endpoint("adm-1", "10.0.0.7", "kyverno"), namespace="kyverno")],
        [pod("adm-1", "10.0.0.7", "kyverno", simulated=True)],
    )
    with pytest.raises(Unreachable) as refusal:
        known.resolve("127.96.0.9", 443)
    assert str(refusal.value) == (
        "service kyverno/kyverno-svc:443 has no endpoint that runs here: pod kyverno/adm-1 is simulated"
    )


def test_a_refusal_names_a_few_pods_and_counts_the_others():
    names = [f"fake-{n}" for n in range(9)]
    known = endpoints(
        [service("chat")],
        [part("chat", *(endpoint(name, f"10.0.0.{n}") for n, name in enumerate(names)))],
        [pod(name, f"10.0.0.{n}", simulated=True) for n, name in enumerate(names)],
    )
    with pytest.raises(Unreachable, match=r"llm/fake-2 is simulated; and 6 more$"):
        known.resolve("127.96.0.9", 80)


def test_a_service_without_pods_says_that_it_selects_none():
    with pytest.raises(Unreachable, match=r"llm/chat:80 has no endpoint that runs here: it selects no pod"):
        endpoints([service("chat")]).resolve("127.96.0.9", 80)


def test_a_slice_of_a_service_of_the_same_name_in_another_namespace_is_not_used():
    known = endpoints(
        [service("chat", "two")], [part("chat", endpoint("a", "10.97.0.3"))], [pod("a", "10.97.0.3")]
    )
    with pytest.raises(Unreachable, match="two/chat:80"):
        known.resolve("127.96.0.9", 80)


def test_an_unknown_port_names_the_ports_that_exist():
    with pytest.raises(Unreachable, match=r"llm/chat:81 does not exist; ports of this service: 80"):
        endpoints([service("chat")]).resolve("127.96.0.9", 81)


def test_a_pod_address_leads_to_its_loopback_twin_on_the_same_port():
    known = endpoints(pods=[pod("a", "10.97.0.3")])
    assert where(known.resolve("10.97.0.3", 8080)) == [("127.97.0.3", 8080)]


def test_the_address_of_a_finished_pod_belongs_to_the_pod_that_has_it_now():
    known = endpoints(pods=[pod("done", "10.97.0.3", phase="Succeeded"), pod("now", "10.97.0.3")])
    assert known.resolve("10.97.0.3", 8080)[0].pod == "llm/now"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.97.0.9", "192.0.2.1", "example.eu"])
def test_an_address_outside_the_plane_is_refused(host):
    with pytest.raises(Unreachable, match=host):
        endpoints([service("chat")], pods=[pod("a", "10.97.0.3")]).resolve(host, 80)


def test_a_simulated_pod_is_refused_by_name():
    known = endpoints(pods=[pod("fake", "10.97.0.3", simulated=True)])
    with pytest.raises(Unreachable, match="pod llm/fake is simulated"):
        known.resolve("10.97.0.3", 8080)


def test_the_kubernetes_service_is_the_api_server():
    own = {"addresses": ["192.0.2.1"], "conditions": {"ready": True}}
    known = endpoints(
        [service("kubernetes", "default", ports=({"name": "https", "port": 443},))],
        [part("kubernetes", own, namespace="default", ports=({"name": "https", "port": 6443},))],
    )
    assert where(known.resolve("127.96.0.9", 443)) == [("127.0.0.1", 6443)]


NAMES = keyed(
    service("model-storage", "model-storage", "127.96.1.1"),
    service("chat", "llm", "127.96.1.2"),
    service("db", "llm", "None"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://model-storage.model-storage.svc:8333", "http://127.96.1.1:8333"),
        ("http://model-storage.model-storage.svc.cluster.local:8333/x", "http://127.96.1.1:8333/x"),
        ("chat.llm.svc.cluster.local.", "127.96.1.2"),
        ("a=chat.llm.svc,b=model-storage.model-storage.svc", "a=127.96.1.2,b=127.96.1.1"),
        ("ask chat.llm.svc.", "ask 127.96.1.2."),
        ("absent.llm.svc:80", "absent.llm.svc:80"),
        ("chat.llm.svc.example.eu", "chat.llm.svc.example.eu"),
        ("chat.llm.svc-old", "chat.llm.svc-old"),
        ("not-a-chat.llm.svcs", "not-a-chat.llm.svcs"),
        ("deep.er.chat.llm.svc", "deep.er.chat.llm.svc"),
        ("db.llm.svc", "db.llm.svc"),
    ],
)
def test_cluster_names_become_addresses_and_nothing_else_changes(text, expected):
    assert addresses(text, NAMES) == expected


def test_a_headless_name_becomes_its_only_ready_process():
    one = part("db", endpoint("db-0", "10.97.0.5"), endpoint("db-1", "10.97.0.6", ready=False))
    two = part("db", endpoint("db-0", "10.97.0.5"), endpoint("db-1", "10.97.0.6"))
    assert addresses("db.llm.svc:5432", NAMES, [one]) == "127.97.0.5:5432"
    assert addresses("db.llm.svc:5432", NAMES, [two]) == "db.llm.svc:5432", "two processes: no one address"


def test_a_pod_name_below_a_headless_service_becomes_that_pod():
    two = part(
        "db",
        endpoint("db-0", "10.97.0.5", hostname="db-0"),
        endpoint("db-1", "10.97.0.6", hostname="db-1"),
    )
    assert addresses("db-1.db.llm.svc:5432", NAMES, [two]) == "127.97.0.6:5432"
