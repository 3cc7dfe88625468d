"""Formats of names and addresses, each with the words that a wrong value is answered with."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A pattern that a whole text must match."""

    pattern: str
    words: str
    """What is allowed, to follow `use `."""

    def matches(self, value: str) -> bool:
        """Whether all of `value` has this format."""
        return re.fullmatch(self.pattern, value) is not None


LABEL = Format(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "a DNS label: lower-case letters, digits and -, at most 63"
)
_HOST = rf"{LABEL.pattern}(\.{LABEL.pattern})*"
_NAMES = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_PORT = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
SUBDOMAIN = Format(rf"(?=.{{1,253}}$){_NAMES}", "a DNS name: lower-case letters, digits, - and .")
"""Names of Kubernetes objects, nodes among them (RFC 1123)."""
HOST_NAME = Format(
    rf"(?![0-9.]+$)(?=.{{1,253}}$){_HOST}",
    f"{SUBDOMAIN.words}, at most 63 between two ., and no address",
)
"""Names that the Gateway API takes for a host (Hostname of v1: no addresses)."""
LABEL_VALUE = Format(
    r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", "a label value: letters, digits, -, _ and ., at most 63"
)
LABEL_KEY = Format(
    rf"((?=[^/]{{1,253}}/){_NAMES}/)?{LABEL_VALUE.pattern}",
    "a label: [PREFIX/]NAME, the name of letters, digits, -, _ and ., at most 63",
)
SERVER_URL = Format(
    rf"https?://({_HOST.replace('a-z', 'A-Za-z')}|\[[0-9A-Fa-f:.]+\]){_PORT}/?",
    "http(s)://host[:port] without a path",
)
HTTPS_URL = Format(
    rf"https://{_HOST.replace('a-z', 'A-Za-z')}{_PORT}(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?",
    "https://host[:port][/path]",
)
PROVIDER_URL = Format(rf"(?=.{{1,253}}$){HTTPS_URL.pattern}", f"{HTTPS_URL.words}, at most 253 characters")
"""What Envoy Gateway takes of a provider of tokens (SecurityPolicy, `jwt.providers`)."""
MODULE = Format(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", "the name of a module, such as q_proj")
REGISTRY = Format(
    rf"{_HOST}{_PORT}(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*",
    "host[:port][/path] without scheme or tag",
)
POOL_NAME = Format(r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?", "up to 32 of a-z, 0-9 and -, a letter first")
"""Name of a pool that is made in a cloud, with which names there begin."""
IMAGE = Format(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)+"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})",
    "host[:port]/path:tag@sha256:digest",
)
SOURCE_PREFIX = Format(
    r"(s3|gs)://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#]*)?"
    r"|oci://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9._/-]*)?"
    r"|hf://([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?)?",
    "s3://BUCKET, gs://BUCKET, oci://REGISTRY or hf://, with as much of a path as its models share",
)
PUBLIC_KEY = Format(
    r"\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=]+\s+)+-----END PUBLIC KEY-----\s*",
    "a public key in PEM, as cosign writes it into cosign.pub",
)
CERTIFICATES = Format(
    r"(\s*-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=]+\s+)+-----END CERTIFICATE-----)+\s*",
    "certificates in PEM, one after the other",
)
BASE64 = Format(r"[A-Za-z0-9+/]{4,}={0,2}", "text in base64 on one line, as base64 -w0 writes it")
CONTROL_ID = Format(r"SOV-[A-Z]{3}-[0-9]{2}", "the ID of a control, such as SOV-SUP-02")
RESOURCE_NAME = Format(
    r"[A-Za-z0-9._:*-]{1,253}(/[A-Za-z0-9._:*-]{1,253})?",
    "NAMESPACE/NAME or NAME: letters, digits, ., _, :, - and * for any part",
)
COUNTRY = Format(
    r"[A-Z]{2}", 'a country by its code of ISO 3166-1 alpha-2, such as DE; Norway is "NO", in quotes'
)
INSTANCE_TYPE = Format(r"[a-z0-9-]+\.[a-z0-9-]+", "FAMILY.SIZE of EC2, such as m7i.xlarge")
IAM_PRINCIPAL = Format(
    r"arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+",
    "the ARN of a role or user of IAM, such as arn:aws:iam::111122223333:role/platform",
)
KMS_KEY = Format(
    r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}",
    "the ARN of a key of KMS, such as arn:aws:kms:eu-central-1:111122223333:key/ID",
)
ADMIN = Format(r"[A-Za-z0-9][A-Za-z0-9-]{0,30}", "letters, digits and -, at most 31")
ADDRESS = Format(
    r"((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(\.|$)){4}(?<!\.)", "an address of IPv4, such as 169.254.20.10"
)
CIDR = Format(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", "a network such as 10.0.0.0/16")
AWS_ZONE = Format(r"[a-z]{2,4}(-[a-z]+)+-[0-9][a-z]", "a zone of the region, such as eu-central-1a")
EKS_NAME = Format(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", "letters, digits, - and _, at most 100")
TAG = Format(r"[\w .:/=+@-]{1,128}", "letters, digits, spaces and . : / = + - @ _, at most 128")
TAG_TEXT = Format(r"[\w .:/=+@-]{0,256}", "letters, digits, spaces and . : / = + - @ _, at most 256")
"""Values of tags; lengths and letters of both: EKS API, `CreateCluster.tags`."""
STACK = Format(
    r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+",
    "ORGANIZATION/PROJECT/STACK, such as organization/clusters/eu",
)
GCP_PROJECT = Format(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "6 to 30 lowercase letters, digits and -")
GCP_REGION = Format(r"[a-z]+-[a-z]+[0-9]+", "a region, such as europe-west3")
GCP_ZONE = Format(r"[a-z]+-[a-z]+[0-9]+-(ai[0-9]+)?[a-z]", "a zone of the region, such as europe-west3-b")
GCP_KEY = Format(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
    "the id of a key, projects/…/locations/…/keyRings/…/cryptoKeys/…",
)
GCP_KEY_VERSION = Format(
    rf"{GCP_KEY.pattern}/cryptoKeyVersions/[0-9]+", "the version of a key, KEY/cryptoKeyVersions/NUMBER"
)
GCP_CA_POOL = Format(
    r"projects/[^/]+/locations/[^/]+/caPools/[^/]+",
    "the id of a pool of Certificate Authority Service, projects/…/locations/…/caPools/…",
)
GCE_DISK_TYPE = Format(
    r"pd-(standard|balanced|ssd)|hyperdisk-balanced", "pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced"
)
"""Boot disks of a node pool (pulumi-gcp 10.2.0, `NodePoolNodeConfigArgs.disk_type`)."""
GCP_LABEL_KEY = Format(r"[a-z][a-z0-9_-]{0,62}", "lowercase letters, digits, _ and -, at most 63")
GCP_LABEL_TEXT = Format(r"[a-z0-9_-]{0,63}", "lowercase letters, digits, _ and -, at most 63")
GCE_MACHINE = Format(r"[a-z][a-z0-9]*-[a-z0-9-]+", "FAMILY-SIZE, such as n2d-standard-4")
GKE_NAME = Format(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", "lowercase letters, digits and -, at most 30")
"""Shorter than GKE's own 40: names of what belongs to a cluster begin with its name."""
TIME_ZONE = Format(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", "a time zone of IANA, such as Europe/Berlin")
OBJECT_PREFIX = Format(
    r"(?=.{1,200}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*",
    "a prefix such as reports/2026: parts of a-z, 0-9, -, _ and ., with / between them",
)
BUCKET = Format(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "3 to 63 lower-case letters, digits, - and .")
BUCKET_ADDRESS = Format(
    rf"((s3|gs)://)?{BUCKET.pattern}", "s3://BUCKET, gs://BUCKET, or the name of a bucket of S3"
)
