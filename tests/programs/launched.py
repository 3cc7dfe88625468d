"""A program of the process node as a test starts it."""

import os
import socket

import httpx

from corral.embedded.node.program_spec import ProgramSpec
from corral.embedded.node.programs import find

REAL = os.geteuid() == 0
"""Whether processes here get mounts of their own; an ordinary user's tests map paths instead."""


def launch(image, context):
    spec = find(image)
    assert isinstance(spec, ProgramSpec)
    return spec.launch(context)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def accepts(address: str, port: int) -> bool:
    with socket.socket() as endpoint:
        endpoint.settimeout(1)
        return endpoint.connect_ex((address, port)) == 0
