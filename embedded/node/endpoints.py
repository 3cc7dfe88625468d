"""Who answers for an address of the cluster: Services and pod addresses become processes of this machine.

ClusterIPs are loopback addresses of the plane's Service range; a pod has an address 10.P.x.y, because
EndpointSlices refuse loopback ones, and its process listens on 127.P.x.y.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from corral.embedded.kube import Object
from corral.embedded.node.classify import SIMULATED
from corral.embedded.objects import at, child, children, is_true, title

SERVICE_LABEL = "kubernetes.io/service-name"
MOST_REASONS = 3
NAME = re.compile(
    r"(?<![\w.-])(?:(?P<pod>[a-z0-9-]+)\.)?(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc"
    r"(?:\.cluster\.local(?:\.(?![\w-]))?)?(?!\.?[\w-])"
)

Items = Mapping[tuple[str, str], Object]
"""Objects by (namespace, name)."""


class Unreachable(Exception):
    """Nobody on this machine answers for the address; the text names who should and why not."""


@dataclass(frozen=True)
class Backend:
    """One process to connect to."""

    address: str
    """Loopback address."""
    port: int
    pod: str
    """`namespace/name`."""


def bind_address(pod_ip: str) -> str:
    """The loopback address on which the process of the pod with this address listens.

    >>> bind_address("10.97.0.3")
    '127.97.0.3'
    """
    return f"127.{pod_ip.partition('.')[2]}"


def cluster_ip(service: Object) -> str | None:
    """The ClusterIP; None for headless and ExternalName Services."""
    address = service["spec"].get("clusterIP")
    return None if address in (None, "", "None") else str(address)


class Endpoints:
    """Resolves cluster addresses against live collections of Services, EndpointSlices and pods."""

    def __init__(self, *, services: Items, slices: Items, pods: Items, pod_octet: int, api_port: int) -> None:
        self._services = services
        self._slices = slices
        self._pods = pods
        self._prefix = f"10.{pod_octet}."
        self._api_port = api_port
        self._turn = itertools.count()

    def resolve(self, host: str, port: int) -> list[Backend]:
        """The processes that answer for `host:port`, in the order to try them; never empty.

        `host` is a ClusterIP, a pod's address or `<service>.<namespace>.svc`.

        Raises:
            Unreachable: nobody does.
        """
        service = self._service_at(host)
        if service is not None:
            return self.of_service(service, port)
        pod = self._pod_at(host)
        if pod is None:
            raise Unreachable(f"no Service and no pod of this plane has the address {host} (port {port})")
        why = self._why_not(pod)
        if why is not None:
            raise Unreachable(f"port {port} is not reachable: pod {title(pod)} {why}")
        return [Backend(bind_address(host), port, title(pod))]

    def of_service(self, service: Object, port: int) -> list[Backend]:
        """The processes behind one port of `service`, in the order to try them; never empty.

        While none is ready, those that are about to end and answer still, as kube-proxy has it.
        """
        name = f"service {title(service)}:{port}"
        ports = children(service, "spec", "ports")
        names = [entry.get("name") or "" for entry in ports if entry["port"] == port]
        if not names:
            offered = ", ".join(str(entry["port"]) for entry in ports) or "none"
            raise Unreachable(f"{name} does not exist; ports of this service: {offered}")
        backends: list[Backend] = []
        ending: list[Backend] = []
        reasons: list[str] = []
        for endpoint, target in self._endpoints(service, names[0]):
            backend = self._backend(service, endpoint, target)
            against = _condition_against(endpoint)
            if isinstance(backend, str):
                reasons.append(backend)
            elif against is None:
                backends.append(backend)
            else:
                reasons.append(f"pod {backend.pod} {against}")
                ending += [backend] if _serves_still(endpoint) else []
        backends = backends or ending
        if not backends:
            why = _some(list(dict.fromkeys(reasons))) or "it selects no pod"
            raise Unreachable(f"{name} has no endpoint that runs here: {why}")
        first = next(self._turn) % len(backends)
        return backends[first:] + backends[:first]

    def _endpoints(self, service: Object, port_name: str) -> Iterator[tuple[Object, int]]:
        for part in slices_of(service, self._slices.values()):
            for port in children(part, "ports"):
                if (port.get("name") or "") == port_name and port.get("port"):
                    yield from ((endpoint, port["port"]) for endpoint in children(part, "endpoints"))

    def _backend(self, service: Object, endpoint: Object, port: int) -> Backend | str:
        address = endpoint["addresses"][0]
        reference = child(endpoint, "targetRef")
        if reference.get("kind") != "Pod":
            if title(service) == "default/kubernetes":
                return Backend("127.0.0.1", self._api_port, "the API server")
            return f"{address} is no pod"
        name = f"{reference['namespace']}/{reference['name']}"
        pod = self._pods.get((reference["namespace"], reference["name"]))
        why = "is unknown" if pod is None else self._why_not(pod)
        return f"pod {name} {why}" if why else Backend(bind_address(address), port, name)

    def _why_not(self, pod: Object) -> str | None:
        if is_true(pod, SIMULATED):
            return "is simulated"
        address = str(at(pod, "status", "podIP") or "")
        return None if address.startswith(self._prefix) else "does not run as a process here"

    def _service_at(self, host: str) -> Object | None:
        named = NAME.fullmatch(host)
        if named and not named["pod"]:
            return self._services.get((named["namespace"], named["service"]))
        return next((service for service in self._services.values() if cluster_ip(service) == host), None)

    def _pod_at(self, address: str) -> Object | None:
        return next((pod for pod in self._pods.values() if _has_address(pod, address)), None)


def slices_of(service: Object, slices: Iterable[Object]) -> Iterator[Object]:
    """The IPv4 EndpointSlices of `service`."""
    meta = service["metadata"]
    for part in slices:
        if (
            at(part, "metadata", "labels", SERVICE_LABEL) == meta["name"]
            and part["metadata"].get("namespace") == meta["namespace"]
            and part.get("addressType", "IPv4") == "IPv4"
        ):
            yield part


def addresses(text: str, services: Items, slices: Iterable[Object] = ()) -> str:
    """`text` with cluster names replaced by addresses; names that stand for no one address stay.

    `<service>.<namespace>.svc[.cluster.local]` becomes the ClusterIP, or for a headless Service with
    exactly one ready endpoint the loopback address of its process; `<pod>.<service>.<namespace>.svc`
    becomes the loopback address of that pod's process.
    """
    if ".svc" not in text:
        return text
    known = list(slices)

    def address(match: re.Match[str]) -> str:
        service = services.get((match["namespace"], match["service"]))
        if service is None:
            return match[0]
        shared = cluster_ip(service)
        if shared is not None and not match["pod"]:
            return shared
        ready = {bind_address(e["addresses"][0]) for e in _ready(service, known, match["pod"])}
        return ready.pop() if len(ready) == 1 else match[0]

    return NAME.sub(address, text)


def _ready(service: Object, slices: Iterable[Object], hostname: str | None) -> Iterator[Object]:
    for part in slices_of(service, slices):
        for endpoint in children(part, "endpoints"):
            named = hostname in (None, endpoint.get("hostname"))
            if named and _condition_against(endpoint) is None:
                yield endpoint


def _some(reasons: list[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS] + ([f"and {more} more"] if more > 0 else []))


def _serves_still(endpoint: Object) -> bool:
    conditions = child(endpoint, "conditions")
    return bool(conditions.get("terminating") and conditions.get("serving"))


def _condition_against(endpoint: Object) -> str | None:
    conditions = child(endpoint, "conditions")
    if conditions.get("terminating"):
        return "is terminating"
    return "is not ready" if conditions.get("ready") is False else None


def _has_address(pod: Object, address: str) -> bool:
    status = child(pod, "status")
    return status.get("podIP") == address and status.get("phase") not in ("Succeeded", "Failed")
