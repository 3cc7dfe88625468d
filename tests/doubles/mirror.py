"""A registry on the loopback interface, with TLS: a site's mirror of the images and charts of a stack."""

import base64
import datetime
import hashlib
import ipaddress
import json
import re
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
REFERRERS = re.compile(r"/v2/(?P<repository>.+)/referrers/(?P<digest>sha256:[0-9a-f]{64})")
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
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
        self.referrers: dict[tuple[str, str], list[dict]] = {}
        """(repository, digest) -> descriptors of what refers to it."""
        self.credential: tuple[str, str] | None = None
        """User and password that every request must bear; none when absent."""
        self.down = False
        """Whether it answers nothing but errors."""
        self.uploads: dict[str, bytes] = {}
        """What was sent so far of blobs that somebody pushes."""
        self.pulled: list[str] = []
        """Manifests that were read, as `repository@digest` or `repository:tag`."""

    def put_image(self, reference: str) -> str:
        """An image at `path:tag`; its digest."""
        return self.put(reference, [])

    def put(self, reference: str, layers: list[tuple[str, bytes, dict[str, str]]]) -> str:
        """An image of layers (type, content, annotations) at `path:tag`; its digest."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "reference": reference,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(content) for _kind, content, _ in layers]},
        }
        text = json.dumps(config).encode()
        return self._put(reference, {"mediaType": "application/vnd.oci.image.config.v1+json"}, text, layers)

    def refer(self, repository: str, digest: str, kind: str, content: bytes, note: dict[str, str]) -> None:
        """An artifact that refers to the image of a digest."""
        subject = {"mediaType": MANIFEST, "digest": digest, "size": len(self.manifests[repository, digest])}
        more = {"artifactType": kind, "subject": subject, "annotations": note}
        own = self._put(f"{repository}:", {"mediaType": EMPTY}, b"{}", [(kind, content, {})], more)
        size = len(self.manifests[repository, own])
        self._referred(repository, digest, own, size, kind, note)

    def accept(self, repository: str, reference: str, content: bytes) -> str | None:
        """A manifest that somebody pushes; the digest of what it refers to."""
        manifest = json.loads(content)
        own = digest_of(content)
        self.manifests[repository, reference] = self.manifests[repository, own] = content
        subject = manifest.get("subject", {}).get("digest")
        if subject is not None:
            kind = manifest.get("artifactType") or manifest["config"]["mediaType"]
            self._referred(repository, subject, own, len(content), kind, manifest.get("annotations", {}))
        return subject

    def _referred(
        self, repository: str, digest: str, own: str, size: int, kind: str, note: dict[str, str]
    ) -> None:
        described = {
            "mediaType": MANIFEST,
            "digest": own,
            "size": size,
            "artifactType": kind,
            "annotations": note,
        }
        self.referrers.setdefault((repository, digest), []).append(described)

    def push_chart(self, reference: str, folder: Path, scratch: Path) -> None:
        """The chart in `folder` at `path:version`, as `helm push` stores it."""
        command = [str(toolchain.tool("helm")), "package", str(folder), "--destination", str(scratch)]
        version = reference.rpartition(":")[2]
        done = subprocess.run([*command, "--version", version], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        archive = Path(done.stdout.strip().rpartition(": ")[2]).read_bytes()
        metadata = json.dumps(yaml.safe_load((folder / "Chart.yaml").read_text())).encode()
        self._put(reference, {"mediaType": CHART_CONFIG}, metadata, [(CHART_CONTENT, archive, {})])

    def _put(
        self,
        reference: str,
        config: dict,
        text: bytes,
        layers: list[tuple[str, bytes, dict[str, str]]],
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        repository, _, tag = reference.rpartition(":")
        described = [
            {"mediaType": kind, **self._blob(content), **({"annotations": note} if note else {})}
            for kind, content, note in layers
        ]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {**config, **self._blob(text)},
            "layers": described,
            **more,
        }
        content = json.dumps(manifest).encode()
        if tag:
            self.manifests[repository, tag] = content
        self.manifests[repository, digest_of(content)] = content
        return digest_of(content)

    def _blob(self, content: bytes) -> dict:
        self.blobs[digest_of(content)] = content
        return {"digest": digest_of(content), "size": len(content)}


class _Registry(Handler):
    mirror: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.mirror.down:
            self._answer(503, b"{}", "application/json")
        elif not self._admitted():
            self.answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="mirror"'})
        elif self.path in ("/v2", "/v2/"):
            self._answer(200, b"{}", "application/json")
        elif named := MANIFESTS.fullmatch(self.path):
            content = self.mirror.manifests.get((named["repository"], named["reference"]))
            if content is not None:
                separator = "@" if named["reference"].startswith("sha256:") else ":"
                self.mirror.pulled.append(f"{named['repository']}{separator}{named['reference']}")
            self._answer(200 if content else 404, content or b"{}", MANIFEST)
        elif named := REFERRERS.fullmatch(self.path.partition("?")[0]):
            described = self.mirror.referrers.get((named["repository"], named["digest"]), [])
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": described}
            self._answer(200, json.dumps(index).encode(), INDEX)
        elif named := BLOBS.fullmatch(self.path):
            content = self.mirror.blobs.get(named["digest"])
            self._answer(404 if content is None else 200, content or b"", "application/octet-stream")
        else:
            self._answer(404, b"{}", "application/json")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Somebody begins to push a blob."""
        self._pushed(self._body())

    do_PATCH = do_PUT = do_POST

    def _pushed(self, body: bytes) -> None:
        place = urlsplit(self.path)
        if not self._admitted():
            self.answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="mirror"'})
        elif self.command == "POST":
            name = f"{len(self.mirror.uploads)}"
            self.mirror.uploads[name] = body
            self.answer(202, b"", {"Location": f"{place.path.rstrip('/')}/{name}"})
        elif named := MANIFESTS.fullmatch(place.path):
            subject = self.mirror.accept(named["repository"], named["reference"], body)
            about = {} if subject is None else {"OCI-Subject": subject}
            self.answer(201, b"", {"Docker-Content-Digest": digest_of(body), **about})
        else:
            name = place.path.rpartition("/")[2]
            content = self.mirror.uploads[name] = self.mirror.uploads[name] + body
            if self.command == "PATCH":
                self.answer(202, b"", {"Location": place.path})
                return
            (stated,) = parse_qs(place.query)["digest"]
            right = stated == digest_of(content)
            if right:
                self.mirror.blobs[stated] = content
            self.answer(201 if right else 400, b"", {"Docker-Content-Digest": digest_of(content)})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _admitted(self) -> bool:
        if self.mirror.credential is None:
            return True
        shown = base64.b64encode(":".join(self.mirror.credential).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {shown}"

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


def certificates(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Files with an authority, and with a key and a certificate for 127.0.0.1 and `hosts` that it signed."""
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
    address = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *(x509.DNSName(one) for one in hosts)]
    )
    leaf = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mirror")])
    certificate.write_bytes(private + signed(keys[1], leaf, address))
    return authority, certificate
