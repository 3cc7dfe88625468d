from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import ProxyHandler, Request, build_opener

from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[str]:
    """URL of an empty S3 server on loopback.

    Every moto server of a process keeps its buckets in the same memory, so it is emptied first.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        build_opener(ProxyHandler({})).open(
            Request(f"{url}/moto-api/reset", method="POST"), timeout=60
        ).close()
        yield url
    finally:
        server.stop()
