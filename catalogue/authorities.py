"""Authorities whose certificates a client of the internet takes."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Those of SSL_CERT_FILE or SSL_CERT_DIR, else certifi's: read once for all clients of a process.

    To read them takes a client longer (20 ms) than all that it sends.
    """
    return httpx.create_ssl_context()


def client(timeout: httpx.Timeout) -> httpx.Client:
    """A client with bounded times and redirects."""
    return httpx.Client(verify=authorities(), timeout=timeout, follow_redirects=True, max_redirects=5)
