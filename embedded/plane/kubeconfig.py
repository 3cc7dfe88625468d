"""The admin kubeconfig of a plane, complete in one file."""

import base64
import ssl

import yaml

from corral.embedded.home import PlaneHome, write_private
from corral.embedded.plane.control import certificates
from corral.embedded.plane.record import PlaneRecord


def write(home: PlaneHome, record: PlaneRecord) -> None:
    """Write `home.kubeconfig`; the context is named `corral-<plane>`."""
    folder = certificates(home)

    def inline(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    name = f"corral-{home.name}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {"server": record.server, "certificate-authority-data": inline("ca.crt")},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": inline("admin.crt"),
                    "client-key-data": inline("admin.key"),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }
    write_private(home.kubeconfig, yaml.safe_dump(document, sort_keys=False))


def tls(home: PlaneHome) -> ssl.SSLContext:
    """How to speak to the plane's API server as its administrator."""
    folder = certificates(home)
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    return context
