"""Ports and address ranges."""

import socket

import pytest

from corral.embedded.plane.addresses import PORTS, AddressesInUse, claim, claim_any, free, free_ports


def test_a_range_has_one_holder_at_a_time():
    first = claim_any(())
    try:
        assert claim(first.octet) is None
        second = claim_any(())
        second.lock.close()
        assert second.octet != first.octet
    finally:
        first.lock.close()
    again = claim(first.octet)
    assert again is not None
    again.lock.close()


def test_ranges_of_stopped_planes_are_left_alone():
    free_one = claim_any(())
    free_one.lock.close()
    other = claim_any({free_one.octet})
    other.lock.close()
    assert other.octet != free_one.octet


def test_a_new_plane_takes_only_what_it_may(monkeypatch):
    monkeypatch.setenv("CORRAL_RANGES", "248-250")
    held = claim_any({250})
    try:
        assert held.octet == 248
        with pytest.raises(AddressesInUse, match=r"no free address range in 127\.248\.0\.0 to 127\.251"):
            claim_any({250})
    finally:
        held.lock.close()


@pytest.mark.parametrize("text", ["", "96", "97-120", "120-100", "10-250", "96-252", "a-b", "96 - 98"])
def test_ranges_that_are_none_are_refused_with_those_there_are(monkeypatch, text):
    monkeypatch.setenv("CORRAL_RANGES", text)
    with pytest.raises(AddressesInUse, match=r"^CORRAL_RANGES=.*: give FIRST-LAST, .* within 96-250$"):
        claim_any(())


def test_services_and_pods_have_ranges_of_their_own():
    claimed = claim_any(())
    claimed.lock.close()
    assert claimed.service_range == f"127.{claimed.octet}.0.0/16"
    assert claimed.pod_octet == claimed.octet + 1


def test_a_port_in_use_on_loopback_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not free(server.getsockname()[1])


def test_every_component_gets_a_free_port_of_its_own():
    ports = free_ports(96, ())
    assert tuple(ports) == PORTS
    assert len(set(ports.values())) == len(PORTS)
    with socket.create_server(("127.0.0.1", ports["etcdPort"])):
        assert ports["etcdPort"] not in free_ports(96, ()).values()


def test_ports_of_other_planes_are_left_alone():
    ports = set(free_ports(96, ()).values())
    assert not ports & set(free_ports(96, ports).values())
