"""Plain values of a stack file, each with the words that a wrong one is answered with."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from corral.catalogue.adapters import MOST_RANK
from corral.catalogue.formats import (
    ADDRESS,
    ADMIN,
    AWS_ZONE,
    BASE64,
    CERTIFICATES,
    CIDR,
    CONTROL_ID,
    COUNTRY,
    EKS_NAME,
    GCE_DISK_TYPE,
    GCE_MACHINE,
    GCP_CA_POOL,
    GCP_KEY,
    GCP_KEY_VERSION,
    GCP_LABEL_KEY,
    GCP_LABEL_TEXT,
    GCP_PROJECT,
    GCP_ZONE,
    GKE_NAME,
    HOST_NAME,
    HTTPS_URL,
    IAM_PRINCIPAL,
    IMAGE,
    INSTANCE_TYPE,
    KMS_KEY,
    LABEL_KEY,
    LABEL_VALUE,
    MODULE,
    PROVIDER_URL,
    PUBLIC_KEY,
    REGISTRY,
    RESOURCE_NAME,
    SERVER_URL,
    SOURCE_PREFIX,
    STACK,
    SUBDOMAIN,
    TAG,
    TAG_TEXT,
    Format,
)
from corral.catalogue.formats import LABEL as NAMESPACE
from corral.catalogue.quantities import amount, gibibytes
from corral.controls.exceptions import parse_day
from corral.controls.levels import Level

INT32 = 2**31 - 1
"""Largest whole number of most fields of Kubernetes."""
Positive = Annotated[int, Field(strict=True, ge=1, le=INT32)]
"""A whole number of 1 or more."""
TokenCount = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
"""Tokens, as many as the rate limit service can count."""
Count = Annotated[int, Field(strict=True, ge=0, le=INT32)]
"""A whole number of 0 or more."""
Sequences = Annotated[int, Field(strict=True, ge=1, le=65536)]
"""Sequences that an engine runs at once."""
Pods = Annotated[int, Field(strict=True, ge=1, le=5000)]
"""Pods of one part: one on each node of the largest cluster that Kubernetes is tested with."""
Days = Annotated[int, Field(strict=True, ge=1, le=36500)]
"""Days, a hundred years at most: Prometheus counts no more than 292 in nanoseconds."""
Years = Annotated[int, Field(strict=True, ge=1, le=100)]
"""Years, a hundred at most."""
Minutes = Annotated[int, Field(strict=True, ge=1, le=525_600)]
"""Minutes, a year at most."""
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
"""A share in percent."""
StepTokens = Annotated[int, Field(strict=True, ge=1, le=1 << 20)]
"""Tokens of one step of an engine."""
LoraRank = Annotated[int, Field(strict=True, ge=1, le=MOST_RANK)]
"""Rank of a LoRA adapter."""
MOST_GPUS = 16
MOST_NODES = 16
"""GPUs of one node."""
TensorParallel = Annotated[int, Field(strict=True, ge=1, le=MOST_GPUS)]
"""GPUs of one node that share a model."""
PipelineParallel = Annotated[int, Field(strict=True, ge=1, le=MOST_NODES)]
"""Nodes that share a model."""
SIZE = "[1-9][0-9]{0,9}(Gi|Ti)"
MOST_GIB = 1 << 30
"""GiB of a volume; an exbibyte, beyond which no volume goes."""
MOST_MIB = 1024
"""MiB of one request, all of which a proxy holds."""
LEAST_AMOUNT, MOST_AMOUNT = Decimal("1e-9"), Decimal(10**12)
"""Bounds of an amount of money or power."""
MOST = 10**15
"""No count is larger."""
LABEL = r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"


SHARED = ("time-slicing", "mps")
WHOLE = "whole"
"""In place of a profile: a GPU of a MIG pool that is not cut."""
DYNAMIC = "dynamic"
"""Word in place of a layout: the DRA driver cuts slices when pods come."""
WAYS = frozenset({"mig", *SHARED})
"""Keys of `sharing`; a GPU is divided one way."""
Share = Annotated[int, Field(strict=True, ge=2, le=48)]
"""Into how many equal shares each GPU goes; MPS serves at most 48 clients."""


def _refuse(pattern_name: str, text: str) -> PydanticCustomError:
    return PydanticCustomError(pattern_name, text)  # type: ignore[arg-type]  # wants a literal


def _gib(value: str) -> str:
    if not re.fullmatch(SIZE, value):
        raise _refuse("size", "use a whole number of Gi or Ti, such as 50Gi")
    if gibibytes(value) > MOST_GIB:
        raise _refuse("size", f"use {MOST_GIB}Gi at most")
    return value


def _mib(value: str) -> str:
    if not re.fullmatch("[1-9][0-9]{0,3}Mi", value) or int(value.removesuffix("Mi")) > MOST_MIB:
        raise _refuse("size", f"use a whole number of Mi, {MOST_MIB}Mi at most, such as 10Mi")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise _refuse("number", "use a whole number, or one with k, M or G such as 5M")
    if not isinstance(value, str):
        return value
    if not re.fullmatch("[0-9]{1,12}[kMG]", value):
        raise _refuse("number", "use a whole number, or one with k, M or G such as 5M")
    return int(amount(value))


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _refuse("amount", "use a number above 0, such as 1.25")
    exact = Decimal(str(value))
    if exact.is_finite() and (0 < exact < LEAST_AMOUNT or exact > MOST_AMOUNT):
        raise _refuse("amount", f"use a number from {LEAST_AMOUNT} to {MOST_AMOUNT:,}")
    return exact


def replicas_value(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if value < 1:
        raise _refuse("replicas", "use 1 or more, or {min, max}")
    return {"min": value, "max": value}


def sharing_value(value: Any) -> Any:
    if value == "whole":
        return {}
    if isinstance(value, dict) and len(value) == 1 and set(value) <= WAYS:  # pyright: ignore[reportUnknownArgumentType]
        return value  # pyright: ignore[reportUnknownVariableType]
    twice = isinstance(value, dict) and len(value) > 1 and set(value) <= WAYS  # pyright: ignore[reportUnknownArgumentType]
    once = "a GPU is divided one way, and neither slices nor shares are divided again: " if twice else ""
    raise _refuse(
        "sharing",
        f"{once}use one of whole, {{mig: auto}}, {{mig: dynamic}}, {{mig: NAME}}, "
        "{mig: [{PROFILE: COUNT}]}, {time-slicing: N}, {mps: N}",
    )


def mig_value(value: Any) -> Any:
    """A word, or slices per profile; anything else is answered in the words of the stack file."""
    if value is None or isinstance(value, str):
        return value
    layouts = cast("list[Any]", value) if isinstance(value, list | tuple) else [None]
    for layout in layouts:
        counts = cast("dict[Any, Any]", layout) if isinstance(layout, dict) else {"": layout}
        if not counts or any(type(count) is not int or count < 1 for count in counts.values()):
            raise _refuse(
                "mig", "use auto, dynamic, NAME, or a list of {PROFILE: COUNT} with counts of 1 or more"
            )
    return cast("Any", value)


def _devices(value: Any) -> Any:
    counts = cast("dict[Any, Any]", value) if isinstance(value, dict) else {"": value}
    if not counts or any(type(count) is not int or count < 1 for count in counts.values()):
        raise _refuse(
            "devices", "use a number of 1 or more, or {PROFILE: N} of a pool that is cut into slices"
        )
    return cast("Any", value)


def _version(value: Any) -> Any:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and text.isascii() and all(part.isdecimal() for part in text.split(".")):
        return text
    raise _refuse("version", 'use numbers and points, in quotes, such as "1.35" or "580.95.05"')


Version = Annotated[
    str,
    BeforeValidator(_version),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)*$"}, {"type": "integer", "minimum": 0}]}
    ),
]
"""A version such as `1.34.2`; text, since YAML reads 1.30 as 1.3."""
Name = Annotated[str, Field(pattern=LABEL)]
"""A name of 1 to 40 of a-z, 0-9 and '-', beginning with a letter."""
Size = Annotated[str, AfterValidator(_gib), WithJsonSchema({"type": "string", "pattern": f"^{SIZE}$"})]
"""A size such as `50Gi`."""
BodySize = Annotated[
    str, AfterValidator(_mib), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,3}Mi$"})
]
"""A size such as `10Mi`."""
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
"""A TCP port."""
Seconds = Annotated[int, Field(strict=True, ge=1, le=86400)]
"""Seconds, a day at most."""
Annotation = Annotated[str, Field(max_length=1024)]
"""Value of an annotation."""
Number = Annotated[
    int,
    Field(ge=1, le=MOST),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MOST},
                {"type": "string", "pattern": "^[0-9]{1,12}[kMG]$"},
            ]
        }
    ),
]
"""A whole number, or text such as `5M`."""


Amount = Annotated[
    Decimal,
    Field(gt=0),
    BeforeValidator(_decimal),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": int(MOST_AMOUNT)}),
]
"""An exact number above 0, with or without decimals."""


def _utilisation(value: Any) -> Any:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not LEAST_SHARE <= value <= MOST_SHARE
    ):
        raise _refuse("utilisation", f"use a share from {LEAST_SHARE} to {MOST_SHARE}")
    return float(value)


LEAST_SHARE, MOST_SHARE = 0.1, 0.99
Utilisation = Annotated[
    float,
    BeforeValidator(_utilisation),
    WithJsonSchema({"type": "number", "minimum": LEAST_SHARE, "maximum": MOST_SHARE}),
]
"""Share of a device that an engine may fill."""


def _block_size(value: Any) -> Any:
    if isinstance(value, bool) or value not in BLOCK_SIZES:
        raise _refuse("block-size", f"use one of {', '.join(map(str, BLOCK_SIZES))}")
    return value


BLOCK_SIZES = (16, 32, 64, 128)
BlockSize = Annotated[int, BeforeValidator(_block_size), WithJsonSchema({"enum": list(BLOCK_SIZES)})]
"""Tokens of one block of a cache."""


Devices = Annotated[
    int | dict[str, int],
    BeforeValidator(_devices),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 1},
                    "minProperties": 1,
                },
            ]
        }
    ),
]
"""A number of GPUs or shares, or one of slices for each MIG profile."""


def _format(allowed: Format) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not allowed.matches(value):
            raise _refuse("format", f"use {allowed.words}")
        return value

    return check


def _text(allowed: Format) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{allowed.pattern})$"}


ObjectName = Annotated[str, AfterValidator(_format(SUBDOMAIN)), WithJsonSchema(_text(SUBDOMAIN))]
"""Name of a Kubernetes object."""
HostName = Annotated[str, AfterValidator(_format(HOST_NAME)), WithJsonSchema(_text(HOST_NAME))]
"""Name by which callers reach something."""
NodeName = ObjectName
"""Name of a Kubernetes node."""
LabelKey = Annotated[str, AfterValidator(_format(LABEL_KEY)), WithJsonSchema(_text(LABEL_KEY))]
"""Key of a label or taint."""
LabelValue = Annotated[str, AfterValidator(_format(LABEL_VALUE)), WithJsonSchema(_text(LABEL_VALUE))]
"""Value of a label or taint."""
SpaceName = Annotated[str, AfterValidator(_format(NAMESPACE)), WithJsonSchema(_text(NAMESPACE))]
"""Name of a Kubernetes namespace."""
ModuleName = Annotated[str, AfterValidator(_format(MODULE)), WithJsonSchema(_text(MODULE))]
"""Name of a module of a model."""
Registry = Annotated[str, AfterValidator(_format(REGISTRY)), WithJsonSchema(_text(REGISTRY))]
"""A registry, with the path of a mirror."""
PublicKey = Annotated[str, AfterValidator(_format(PUBLIC_KEY)), WithJsonSchema(_text(PUBLIC_KEY))]
"""A public key in PEM."""
Certificates = Annotated[str, AfterValidator(_format(CERTIFICATES)), WithJsonSchema(_text(CERTIFICATES))]
"""Certificates in PEM."""
Base64 = Annotated[str, AfterValidator(_format(BASE64)), WithJsonSchema(_text(BASE64))]
"""Bytes in base64."""
Image = Annotated[str, AfterValidator(_format(IMAGE)), WithJsonSchema(_text(IMAGE))]
"""A container image, by digest or tag."""
SourcePrefix = Annotated[str, AfterValidator(_format(SOURCE_PREFIX)), WithJsonSchema(_text(SOURCE_PREFIX))]
"""The beginning of the URI of a model's source."""
ServerUrl = Annotated[str, AfterValidator(_format(SERVER_URL)), WithJsonSchema(_text(SERVER_URL))]
"""URL of a server, without a path."""
HttpsUrl = Annotated[str, AfterValidator(_format(HTTPS_URL)), WithJsonSchema(_text(HTTPS_URL))]
"""URL of something that is reached with TLS alone."""
ProviderUrl = Annotated[str, AfterValidator(_format(PROVIDER_URL)), WithJsonSchema(_text(PROVIDER_URL))]
"""URL of a provider of tokens or of its keys."""
InstanceType = Annotated[str, AfterValidator(_format(INSTANCE_TYPE)), WithJsonSchema(_text(INSTANCE_TYPE))]
"""An instance type of EC2."""
EksName = Annotated[str, AfterValidator(_format(EKS_NAME)), WithJsonSchema(_text(EKS_NAME))]
"""Name of a cluster on EKS."""
AwsZone = Annotated[str, AfterValidator(_format(AWS_ZONE)), WithJsonSchema(_text(AWS_ZONE))]
"""An availability zone of AWS."""
AdminName = Annotated[str, AfterValidator(_format(ADMIN)), WithJsonSchema(_text(ADMIN))]
"""Name by which a stack file calls one who administers a cluster."""
Principal = Annotated[str, AfterValidator(_format(IAM_PRINCIPAL)), WithJsonSchema(_text(IAM_PRINCIPAL))]
"""ARN of a role or user."""
KmsKey = Annotated[str, AfterValidator(_format(KMS_KEY)), WithJsonSchema(_text(KMS_KEY))]
"""ARN of a key."""
Tag = Annotated[str, AfterValidator(_format(TAG)), WithJsonSchema(_text(TAG))]
"""Key of a tag of AWS."""
TagText = Annotated[str, AfterValidator(_format(TAG_TEXT)), WithJsonSchema(_text(TAG_TEXT))]
"""Value of a tag of AWS."""

StackName = Annotated[str, AfterValidator(_format(STACK)), WithJsonSchema(_text(STACK))]
"""Another stack, by its whole name."""
Project = Annotated[str, AfterValidator(_format(GCP_PROJECT)), WithJsonSchema(_text(GCP_PROJECT))]
"""A project of Google Cloud."""
GkeName = Annotated[str, AfterValidator(_format(GKE_NAME)), WithJsonSchema(_text(GKE_NAME))]
"""Name of a cluster on GKE."""
GoogleZone = Annotated[str, AfterValidator(_format(GCP_ZONE)), WithJsonSchema(_text(GCP_ZONE))]
"""A zone of Google Cloud."""
MachineType = Annotated[str, AfterValidator(_format(GCE_MACHINE)), WithJsonSchema(_text(GCE_MACHINE))]
"""A machine type of Compute Engine."""
DiskType = Annotated[str, AfterValidator(_format(GCE_DISK_TYPE)), WithJsonSchema(_text(GCE_DISK_TYPE))]
"""A type of disk of Compute Engine."""
CloudKey = Annotated[str, AfterValidator(_format(GCP_KEY)), WithJsonSchema(_text(GCP_KEY))]
"""Id of a key of Cloud KMS."""
CloudKeyVersion = Annotated[
    str, AfterValidator(_format(GCP_KEY_VERSION)), WithJsonSchema(_text(GCP_KEY_VERSION))
]
"""Version of a key of Cloud KMS."""
AuthorityPool = Annotated[str, AfterValidator(_format(GCP_CA_POOL)), WithJsonSchema(_text(GCP_CA_POOL))]
"""Id of a pool of Certificate Authority Service."""
CloudLabelKey = Annotated[str, AfterValidator(_format(GCP_LABEL_KEY)), WithJsonSchema(_text(GCP_LABEL_KEY))]
"""Key of a label of Google Cloud."""
CloudLabel = Annotated[str, AfterValidator(_format(GCP_LABEL_TEXT)), WithJsonSchema(_text(GCP_LABEL_TEXT))]
"""Value of a label of Google Cloud."""


Address = Annotated[str, AfterValidator(_format(ADDRESS)), WithJsonSchema(_text(ADDRESS))]
"""An address of IPv4."""


def _cidr(value: str) -> str:
    try:
        if not CIDR.matches(value):
            raise ValueError
        IPv4Network(value)
    except ValueError:
        raise _refuse("format", f"use {CIDR.words}, without bits of a host") from None
    return value


Cidr = Annotated[str, AfterValidator(_cidr), WithJsonSchema(_text(CIDR))]
"""Addresses of a network."""


Country = Annotated[str, AfterValidator(_format(COUNTRY)), WithJsonSchema(_text(COUNTRY))]
"""Code of a country."""
ControlId = Annotated[str, AfterValidator(_format(CONTROL_ID)), WithJsonSchema(_text(CONTROL_ID))]
"""ID of a control."""
ResourceName = Annotated[str, AfterValidator(_format(RESOURCE_NAME)), WithJsonSchema(_text(RESOURCE_NAME))]
"""Names of resources, with a star for any part of one."""
Tightened = Annotated[Level, WithJsonSchema({"enum": [Level.MANDATORY.value, Level.ADVISORY.value]})]
"""Enforcement level that a control is raised to."""


def _day(value: Any) -> date:
    day = parse_day(value)
    if day is None:
        raise _refuse("day", "use a date as YYYY-MM-DD")
    return day


Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}),
]
"""A date."""


def kebab(name: str) -> str:
    return name.replace("_", "-")
