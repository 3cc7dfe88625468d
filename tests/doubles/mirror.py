"""A registry on the loopback interface, with TLS: a site's mirror of the images and charts of a stack."""

import datetime
import hashlib
import ipaddress
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.doubles.servers import Handler, listening

from corral.embedded import toolchain

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFESTS = re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)")
BLOBS = re.compile(r"/v2/(?P<repository>.+)/blobs/(?P<digest>sha256:[0-9a-f]{64})")


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Mirror:
    """What the registry holds; an image is a manifest without layers, since no node of a plane pulls one."""

    def __init__(self, address: str, authority: Path):
        self.address = address
        self.authority = authority
        """File with the certificate authority of its certificate."""
        self.manifests: dict[tuple[str, str], bytes] = {}
        """(repository, tag or digest) -> manifest."""
        self.blobs: dict[str, bytes] = {}
        self.pulled: list[str] = []
        """Manifests that were read, as `repository@digest` or `repository:tag`."""

    def put_image(self, reference: str) -> None:
        """An image at `path:tag`."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "reference": reference}).encode()
        self._put(reference, {"mediaType": "application/vnd.oci.image.config.v1+json"}, config, [])

    def push_chart(self, reference: str, folder: Path, scratch: Path) -> None:
        """The chart in `folder` at `path:version`, as `helm push` stores it."""
        command = [str(toolchain.tool("helm")), "package", str(folder), "--destination", str(scratch)]
        version = reference.rpartition(":")[2]
        done = subprocess.run([*command, "--version", version], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        archive = Path(done.stdout.strip().rpartition(": ")[2]).read_bytes()
        metadata = json.dumps(yaml.safe_load((folder / "Chart.yaml").read_text())).encode()
        self._put(reference, {"mediaType": CHART_CONFIG}, metadata, [(CHART_CONTENT, archive)])

    def _put(self, reference: str, config: dict, text: bytes, layers: list[tuple[str, bytes]]) -> None:
        repository, _, tag = reference.rpartition(":")
        described = [{"mediaType": kind, **self._blob(content)} for kind, content in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {**config, **self._blob(text)},
            "layers": described,
        }
        content = json.dumps(manifest).encode()
        self.manifests[repository, tag] = self.manifests[repository, digest_of(content)] = content

    def _blob(self, content: bytes) -> dict:
        self.blobs[digest_of(content)] = content
        return {"digest": digest_of(content), "size": len(content)}


class _Registry(Handler):
    mirror: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in ("/v2", "/v2/"):
            self._answer(200, b"{}", "application/json")
        elif named := MANIFESTS.fullmatch(self.path):
            content = self.mirror.manifests.get((named["repository"], named["reference"]))
            if content is not None:
                separator = "@" if named["reference"].startswith("sha256:") else ":"
                self.mirror.pulled.append(f"{named['repository']}{separator}{named['reference']}")
            self._answer(200 if content else 404, content or b"{}", MANIFEST)
        elif named := BLOBS.fullmatch(self.path):
            content = self.mirror.blobs.get(named["digest"])
            self._answer(404 if content is None else 200, content or b"", "application/octet-stream")
        else:
            self._answer(404, b"{}", "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        digest = {"Docker-Content-Digest": digest_of(body)} if status == 200 else {}
        self.answer(status, body, {"Content-Type": kind, **digest})


@contextmanager
def serving(folder: Path) -> Iterator[Mirror]:
    """An empty registry; its authority is a file in `folder`."""
    authority, certificate = certificates(folder)
    handler = type("Here", (_Registry,), {})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with listening(handler, tls) as address:
        handler.mirror = Mirror(address, authority)
        yield handler.mirror


def certificates(folder: Path) -> tuple[Path, Path]:
    """Files with an authority, and with a key and a certificate for 127.0.0.1 that it signed."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site")])

    def signed(key: ec.EllipticCurvePrivateKey, subject: x509.Name, extension: x509.ExtensionType) -> bytes:
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=False)
            .sign(keys[0], hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM)

    authority, certificate = folder / "authority.pem", folder / "mirror.pem"
    authority.write_bytes(signed(keys[0], name, x509.BasicConstraints(ca=True, path_length=0)))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mirror")])
    certificate.write_bytes(private + signed(keys[1], leaf, address))
    return authority, certificate
