"""The network of a plane: the API server's proxy, and a listener at each Service's address."""

import asyncio
import logging
from functools import partial

from corral.embedded.informer import Informer
from corral.embedded.kube import resource
from corral.embedded.node.context import NodeContext
from corral.embedded.node.egress import serve
from corral.embedded.node.endpoints import Endpoints
from corral.embedded.node.forwarders import Forwarders, service_ports
from corral.embedded.node.kubelet import answer

log = logging.getLogger(__name__)


async def run(context: NodeContext) -> None:
    """Serve the plane's network until cancelled; everything listens on loopback or a unix socket."""
    changed = asyncio.Event()
    services = Informer(context.api, resource("v1", "services"), lambda _kind, _service: changed.set())
    slices = Informer(context.api, resource("discovery.k8s.io/v1", "endpointslices"))
    pods = Informer(context.api, resource("v1", "pods"))
    endpoints = Endpoints(
        services=services.items,
        slices=slices.items,
        pods=pods.items,
        pod_octet=context.record.pod_octet,
        api_port=context.record.api_port,
    )
    forwarders = Forwarders(endpoints.resolve)
    try:
        async with asyncio.TaskGroup() as tasks:
            for informer in (services, slices, pods):
                tasks.create_task(informer.run())
            tasks.create_task(serve(context.record.egress, endpoints.resolve, partial(answer, context.home)))
            while True:
                await changed.wait()
                changed.clear()
                await forwarders.update(service_ports(list(services.items.values())))
    finally:
        forwarders.close()
