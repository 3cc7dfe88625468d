"""Keys and X.509 certificates of the stand-in issuer. Pure but for the plane's own CA, kept in two files."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from corral.embedded.home import write_private
from corral.embedded.kube import Object
from corral.embedded.objects import at, child

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DEFAULT_LIFE = timedelta(days=90)
CA_LIFE = timedelta(days=3650)
SHORTEST_LIFE = timedelta(hours=1)
CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
EXTENDED_USAGES = {
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
}
NOT_SERVED = ("keystores", "additionalOutputFormats", "literalSubject", "otherNames", "nameConstraints")
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


class CannotIssue(Exception):
    """The stand-in cannot issue this certificate; the text becomes the reason in its status."""


@dataclass(frozen=True)
class Request:
    """What a Certificate asks for."""

    common_name: str
    organizations: Sequence[str]
    dns_names: Sequence[str]
    ip_addresses: Sequence[str]
    uris: Sequence[str]
    is_ca: bool
    life: timedelta
    renew_before: timedelta
    """How long before its end a new one is issued."""
    algorithm: str
    """ECDSA or RSA."""
    size: int
    """Bits: of the curve, or of the modulus."""
    pkcs8: bool
    usages: frozenset[str]


@dataclass(frozen=True)
class Authority:
    """Who signs."""

    certificate: x509.Certificate
    key: Key

    @staticmethod
    def read(certificate: bytes, key: bytes) -> "Authority":
        """From PEM.

        Raises:
            CannotIssue: they are no certificate and key, or do not belong together.
        """
        try:
            found = x509.load_pem_x509_certificates(certificate)[0]
            private = serialization.load_pem_private_key(key, None)
        except (ValueError, TypeError) as cause:
            raise CannotIssue(f"the CA's certificate or key cannot be read: {cause}") from None
        if not isinstance(private, Key) or private.public_key() != found.public_key():
            raise CannotIssue("the CA's key does not belong to its certificate")
        return Authority(found, private)


@dataclass(frozen=True)
class Issued:
    """PEM of a certificate, its key and its CA."""

    certificate: bytes
    key: bytes
    ca: bytes


def request_of(certificate: Object) -> Request:
    """What the `cert-manager.io/v1` Certificate asks for, with cert-manager's defaults.

    Raises:
        CannotIssue: it asks for something that the stand-in does not do.
    """
    spec = child(certificate, "spec")
    refused = [key for key in NOT_SERVED if spec.get(key)]
    if refused:
        raise CannotIssue(f"spec.{refused[0]} is not served here")
    life = duration_of(spec["duration"]) if spec.get("duration") else DEFAULT_LIFE
    if life < SHORTEST_LIFE:
        raise CannotIssue(f"spec.duration {spec['duration']}: at least 1h")
    algorithm = str(at(spec, "privateKey", "algorithm") or "ECDSA")
    size = int(at(spec, "privateKey", "size") or {"ECDSA": 256, "RSA": 2048}.get(algorithm, 0))
    if not (algorithm == "ECDSA" and size in CURVES) and not (algorithm == "RSA" and 2048 <= size <= 8192):
        raise CannotIssue(f"spec.privateKey {algorithm} {size}: use ECDSA 256, 384, 521 or RSA 2048 to 8192")
    return Request(
        common_name=str(spec.get("commonName") or ""),
        organizations=tuple(child(spec, "subject").get("organizations") or ()),
        dns_names=tuple(spec.get("dnsNames") or ()),
        ip_addresses=tuple(spec.get("ipAddresses") or ()),
        uris=tuple(spec.get("uris") or ()),
        is_ca=bool(spec.get("isCA")),
        life=life,
        renew_before=_renew_before(spec, life),
        algorithm=algorithm,
        size=size,
        pkcs8=at(spec, "privateKey", "encoding") == "PKCS8",
        usages=frozenset(spec.get("usages") or ("digital signature", "key encipherment")),
    )


def issue(request: Request, authority: Authority | None, now: datetime) -> Issued:
    """A new key and certificate, signed by `authority`, or by itself when there is none."""
    key = _new_key(request)
    subject = _name(request)
    issuer = authority.certificate.subject if authority else subject
    signer = authority.key if authority else key
    start = now.astimezone(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + request.life)
        .add_extension(x509.BasicConstraints(ca=request.is_ca, path_length=None), critical=True)
        .add_extension(_usage(request), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    names = _alternative_names(request)
    if names:
        critical = not list(subject)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=critical)
    extended = [EXTENDED_USAGES[usage] for usage in sorted(request.usages & EXTENDED_USAGES.keys())]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    ca = authority.certificate if authority else certificate
    return Issued(_pem(certificate), _private_pem(key, request.pkcs8), _pem(ca))


def plane_authority(folder: Path, now: datetime) -> Authority:
    """The plane's own CA, made when it is first needed; owner-only files `ca.crt` and `ca.key`."""
    files = folder / "ca.crt", folder / "ca.key"
    if not all(file.exists() for file in files):
        request = Request(
            common_name="Corral stand-in issuer",
            organizations=(),
            dns_names=(),
            ip_addresses=(),
            uris=(),
            is_ca=True,
            life=CA_LIFE,
            renew_before=CA_LIFE / 3,
            algorithm="ECDSA",
            size=256,
            pkcs8=True,
            usages=frozenset({"digital signature"}),
        )
        made = issue(request, None, now)
        write_private(files[1], made.key)
        write_private(files[0], made.certificate)
    return Authority.read(files[0].read_bytes(), files[1].read_bytes())


def validity(certificate: bytes, key: bytes) -> tuple[datetime, datetime] | None:
    """Start and end of a PEM certificate; None when it cannot be read or is not that key's."""
    try:
        found = Authority.read(certificate, key).certificate
    except CannotIssue:
        return None
    return found.not_valid_before_utc, found.not_valid_after_utc


def duration_of(text: str) -> timedelta:
    """A duration as Go writes it.

    >>> duration_of("2160h0m0s").days, duration_of("90m").seconds
    (90, 5400)
    """
    match = DURATION.fullmatch(text)
    if not text or match is None:
        raise CannotIssue(f"{text!r} is no duration such as 2160h or 90m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _renew_before(spec: Object, life: timedelta) -> timedelta:
    if spec.get("renewBefore"):
        wanted = duration_of(spec["renewBefore"])
    elif spec.get("renewBeforePercentage"):
        wanted = life * int(spec["renewBeforePercentage"]) / 100
    else:
        wanted = life / 3
    if not timedelta() < wanted < life:
        raise CannotIssue(f"renewal {wanted} before the end of a life of {life}")
    return wanted


def _new_key(request: Request) -> Key:
    if request.algorithm == "RSA":
        return rsa.generate_private_key(65537, request.size)
    return ec.generate_private_key(CURVES[request.size])


def _name(request: Request) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in request.organizations]
    if request.common_name:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, request.common_name))
    return x509.Name(parts)


def _alternative_names(request: Request) -> list[x509.GeneralName]:
    try:
        return [
            *(x509.DNSName(name) for name in request.dns_names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in request.ip_addresses),
            *(x509.UniformResourceIdentifier(uri) for uri in request.uris),
        ]
    except ValueError as cause:
        raise CannotIssue(str(cause)) from None


def _usage(request: Request) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment="key encipherment" in request.usages,
        key_cert_sign=request.is_ca,
        crl_sign=request.is_ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: Key, pkcs8: bool) -> bytes:
    form = serialization.PrivateFormat.PKCS8 if pkcs8 else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
