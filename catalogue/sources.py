"""Kinds of sources of models: what an import is told of each beside the URI, and by which variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.formats import BUCKET, Format
from corral.catalogue.vocabulary import SourceScheme

ACCESS_KEY, SECRET_KEY = "access-key", "secret-key"
KEYS = (ACCESS_KEY, SECRET_KEY)
TOKEN = "token"
SECRET = re.compile(rf"source-[a-z][-a-z0-9]*-({'|'.join((*KEYS, TOKEN))})")
"""Key of encrypted configuration that opens a source."""


@dataclass(frozen=True)
class SourceKind:
    """Sources of one scheme that are opened by an entry of `model-sources`."""

    settings: Mapping[str, str]
    """Key of the entry -> variable of the importer."""
    secrets: Mapping[str, str]
    """Last words of the key of encrypted configuration -> variable of the importer."""


_AWS = "SOURCE_AWS_"
_BUCKET_SECRETS: Mapping[str, str] = {
    ACCESS_KEY: f"{_AWS}ACCESS_KEY_ID",
    SECRET_KEY: f"{_AWS}SECRET_ACCESS_KEY",
}
SOURCE_KINDS: Mapping[SourceScheme, SourceKind] = {
    SourceScheme.S3: SourceKind(
        {"endpoint": f"{_AWS}ENDPOINT_URL_S3", "region": f"{_AWS}REGION"}, _BUCKET_SECRETS
    ),
    SourceScheme.GCS: SourceKind({"endpoint": f"{_AWS}ENDPOINT_URL_S3"}, _BUCKET_SECRETS),
    SourceScheme.OCI: SourceKind({}, {ACCESS_KEY: "OCI_USERNAME", SECRET_KEY: "OCI_PASSWORD"}),
    SourceScheme.HUB: SourceKind({"endpoint": "HF_ENDPOINT"}, {TOKEN: "HF_TOKEN"}),
}

_NO_STEPS = r"(?!(?:.*[/@:])?\.\.?(?:[/@:]|$))"
"""No part of a path is one that leads elsewhere."""
_BUCKET = rf"{_NO_STEPS}{BUCKET.pattern}(?:/[^\s?#]*)?"
_PART = r"[A-Za-z0-9_.-]+"
SOURCE_FORMS: Mapping[SourceScheme, Format] = {
    SourceScheme.S3: Format(_BUCKET, "s3://BUCKET/PREFIX, without spaces, ?, # and .."),
    SourceScheme.GCS: Format(_BUCKET, "gs://BUCKET/PREFIX, without spaces, ?, # and .."),
    SourceScheme.OCI: Format(
        rf"{_NO_STEPS}"
        r"(?=.*(?::[\w.-]+|@sha256:[0-9a-f]{64})$)(?P<host>[\w.-]+(?::\d+)?)/(?P<path>[a-z0-9._/-]+?)"
        r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
        "oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:DIGEST",
    ),
    SourceScheme.HUB: Format(
        rf"{_NO_STEPS}(?P<name>{_PART}/{_PART})(?:@(?P<revision>[A-Za-z0-9_./-]+))?/?",
        "hf://ORGANISATION/NAME[@REVISION]",
    ),
    SourceScheme.PACKAGE: Format(
        rf"{_NO_STEPS}(?P<package>[^/]+)/(?P<version>[^/]+)/(?P<path>[^/].*)", "package://NAME/VERSION/PATH"
    ),
    SourceScheme.FILE: Format(rf"{_NO_STEPS}(?P<path>/.*[^/].*)", "file:///PATH"),
}
"""What follows `SCHEME://` in the source of a model, and how to write the whole."""


def source_form(uri: str) -> Format | None:
    """The form that the URI has not; None: it has it, or no import reads its scheme."""
    scheme = scheme_of(uri)
    form = SOURCE_FORMS[scheme] if scheme else None
    return None if form is None or form.matches(uri.partition("://")[2]) else form


def secret_key(source: str, part: str) -> str:
    """Key of encrypted configuration of a source, without namespace: `source-intake-access-key`."""
    return f"source-{source}-{part}"


def secret_part(key: str) -> str:
    """The last words of such a key: `access-key`, `secret-key` or `token`."""
    return next(part for part in (*KEYS, TOKEN) if key.endswith(f"-{part}"))


def scheme_of(uri: str) -> SourceScheme | None:
    """The scheme of a source's URI; None: it is none that an import reads."""
    word, separator, _ = uri.partition("://")
    return next((one for one in SourceScheme if separator and one.value == word), None)
