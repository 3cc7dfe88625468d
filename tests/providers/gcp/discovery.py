"""Inputs against Google's own discovery documents, as the package google-api-python-client carries them.

terraform-provider-google calls a few fields otherwise than Google does, or has them elsewhere: `BODIES` says
which. Every other input is a field of Google's by its own name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.providers.schema import OWN, UNKNOWN

PACKAGE = "googleapiclient"
Schema = Mapping[str, Any]
DURATION = re.compile(r"\d+(\.\d{1,9})?s")
LIMITS = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
KINDS = {"boolean": (bool, "true or false"), "string": (str, "text"), "number": ((int, float), "a number")}


@dataclass(frozen=True)
class Body:
    """What a call that makes a resource sends, in a document of Google's."""

    document: str
    schema: str
    """Name of its schema, and a way from there: `Policy.bindings[]`."""
    method: str = ""
    """Id of the method, whose required fields must be there, where the document says which they are."""
    names: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Google's name, from the same place, of an input by its path; None: it is in no body."""
    filled: frozenset[str] = frozenset()
    """Required fields that the provider itself fills in."""


IN_URL: Mapping[str, str | None] = {"project": None, "location": None}
NODES: Mapping[str, str | None] = {
    "nodeConfig": "config",
    "nodeConfig.guestAccelerators": "accelerators",
    "nodeConfig.guestAccelerators.type": "acceleratorType",
    "nodeConfig.guestAccelerators.count": "acceleratorCount",
    "nodeLocations": "locations",
}
BODIES: Mapping[str, Body] = {
    "gcp:compute/network:Network": Body(
        "compute.v1",
        "Network",
        "compute.networks.insert",
        {**IN_URL, "routingMode": "routingConfig.routingMode", "deleteDefaultRoutesOnCreate": None},
    ),
    "gcp:compute/subnetwork:Subnetwork": Body(
        "compute.v1", "Subnetwork", "compute.subnetworks.insert", IN_URL
    ),
    "gcp:compute/route:Route": Body(
        "compute.v1", "Route", "compute.routes.insert", IN_URL, filled=frozenset({"priority"})
    ),
    "gcp:compute/router:Router": Body("compute.v1", "Router", "compute.routers.insert", IN_URL),
    "gcp:compute/routerNat:RouterNat": Body(
        "compute.v1", "RouterNat", names={**IN_URL, "router": None, "region": None}
    ),
    "gcp:dns/managedZone:ManagedZone": Body("dns.v1", "ManagedZone", names=IN_URL),
    "gcp:dns/recordSet:RecordSet": Body("dns.v1", "ResourceRecordSet", names={**IN_URL, "managedZone": None}),
    "gcp:kms/keyRing:KeyRing": Body("cloudkms.v1", "KeyRing", names={**IN_URL, "name": None}),
    "gcp:kms/cryptoKey:CryptoKey": Body("cloudkms.v1", "CryptoKey", names={"keyRing": None, "name": None}),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": Body(
        "cloudkms.v1", "Binding", names={"cryptoKeyId": None, "member": "members[]"}
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Body(
        "logging.v2", "LogBucket", names={**IN_URL, "bucketId": None}
    ),
    "gcp:logging/projectSink:ProjectSink": Body(
        "logging.v2", "LogSink", names={**IN_URL, "uniqueWriterIdentity": None}
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Body("logging.v2", "LogExclusion", names=IN_URL),
    "gcp:orgpolicy/policy:Policy": Body(
        "orgpolicy.v2", "GoogleCloudOrgpolicyV2Policy", names={"parent": None}
    ),
    "gcp:projects/iAMMember:IAMMember": Body(
        "cloudresourcemanager.v1", "Binding", names={**IN_URL, "member": "members[]"}
    ),
    "gcp:serviceaccount/account:Account": Body(
        "iam.v1",
        "CreateServiceAccountRequest",
        names={
            **IN_URL,
            "displayName": "serviceAccount.displayName",
            "description": "serviceAccount.description",
        },
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": Body(
        "artifactregistry.v1", "Binding", names={**IN_URL, "repository": None, "member": "members[]"}
    ),
    "gcp:storage/bucket:Bucket": Body(
        "storage.v1",
        "Bucket",
        "storage.buckets.insert",
        {
            "project": None,
            "forceDestroy": None,
            "publicAccessPrevention": "iamConfiguration.publicAccessPrevention",
            "uniformBucketLevelAccess": "iamConfiguration.uniformBucketLevelAccess.enabled",
            "lifecycleRules": "lifecycle.rule",
            "lifecycleRules.condition.withState": None,
        },
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": Body(
        "storage.v1", "Policy.bindings[]", names={"bucket": None, "member": "members[]"}
    ),
    "gcp:container/cluster:Cluster": Body(
        "container.v1",
        "Cluster",
        names={
            **IN_URL,
            **{f"nodePools.{key}": one for key, one in NODES.items()},
            "datapathProvider": "networkConfig.datapathProvider",
            "deletionProtection": None,
            "enableIntranodeVisibility": "networkConfig.enableIntraNodeVisibility",
            "enableLegacyAbac": "legacyAbac.enabled",
            "enableShieldedNodes": "shieldedNodes.enabled",
            "inTransitEncryptionConfig": "networkConfig.inTransitEncryptionConfig",
            "loggingConfig.enableComponents": "componentConfig.enableComponents",
            "maintenancePolicy.recurringWindow": "window.recurringWindow",
            "maintenancePolicy.recurringWindow.endTime": "window.endTime",
            "maintenancePolicy.recurringWindow.startTime": "window.startTime",
            "minMasterVersion": "initialClusterVersion",
            "monitoringConfig.enableComponents": "componentConfig.enableComponents",
            "monitoringConfig.managedPrometheus": "managedPrometheusConfig",
            "networkingMode": None,
            "nodeLocations": "locations",
            "removeDefaultNodePool": None,
        },
    ),
    "gcp:container/nodePool:NodePool": Body(
        "container.v1",
        "NodePool",
        names={**IN_URL, **NODES, "cluster": None, "nodeCount": "initialNodeCount"},
    ),
}
"""By type of resource, which are all that the test provider makes."""


def documents() -> Path | None:
    """The folder of documents; None where the package is not installed."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0]) / "discovery_cache" / "documents"


@cache
def schemas(document: str) -> Mapping[str, Schema]:
    """Schemas of a document by name."""
    folder = documents()
    assert folder is not None, PACKAGE
    return json.loads((folder / f"{document}.json").read_text())["schemas"]


def refusals(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and reason of each input that Google's document does not take; none without the package."""
    if documents() is None:
        return
    body = BODIES[token]
    whole = _step({"properties": schemas(body.document)}, body.schema, body)
    assert whole is not None, f"{token}: {body.document} has no {body.schema}"
    yield from _object("", {key: one for key, one in inputs.items() if key != OWN}, whole, body)
    for key, one in whole["properties"].items():
        stated = [name for name in inputs if body.names.get(name, name) == key]
        required = body.method in one.get("annotations", {}).get("required", ())
        if required and not stated and key not in body.filled:
            yield key, f"missing, and required by {body.method}"


def _object(path: str, value: Mapping[str, Any], schema: Schema, body: Body) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        where = f"{path}.{key}" if path else key
        target = body.names.get(re.sub(r"\[\d+\]", "", where), key)
        if target is None or one is None:
            continue
        found = _step(schema, target, body)
        if found is None:
            yield where, f"no field {target} in Google's {body.document}, {body.schema}"
        elif found.get("readOnly"):
            yield where, f"{target} is for Google alone to write in {body.document}, {body.schema}"
        else:
            yield from _value(where, one, found, body)


def _step(schema: Schema, target: str, body: Body) -> Schema | None:
    """The schema at a dotted way from another; `[]` is an element of a list."""
    read_only = False
    for part in target.split("."):
        name, _, element = part.partition("[")
        found = schema.get("properties", {}).get(name)
        if found is None:
            return None
        read_only = read_only or bool(found.get("readOnly"))
        schema = _whole(_whole(found, body)["items"], body) if element else _whole(found, body)
    return {**schema, "readOnly": True} if read_only else schema


def _whole(schema: Schema, body: Body) -> Schema:
    return schemas(body.document)[schema["$ref"]] if "$ref" in schema else schema


def _value(path: str, value: Any, schema: Schema, body: Body) -> Iterator[tuple[str, str]]:
    schema = _whole(schema, body)
    kind, form = schema.get("type"), schema.get("format")
    if value == UNKNOWN or kind == "any":
        return
    if kind == "array":
        if not isinstance(value, list):
            yield path, f"{value!r} is no list"
            return
        for index, one in enumerate(value):
            yield from _value(f"{path}[{index}]", one, schema["items"], body)
    elif kind == "object":
        if not isinstance(value, dict):
            yield path, f"{value!r} is no object"
        elif "additionalProperties" in schema:
            for key, one in value.items():
                yield from _value(f"{path}[{key!r}]", one, schema["additionalProperties"], body)
        else:
            yield from _object(path, value, schema, body)
    elif form in LIMITS:
        # In JSON, whole numbers of 64 bits are text.
        yield from _number(path, value, form)
    elif not isinstance(value, KINDS[kind][0]) or (kind == "number" and isinstance(value, bool)):
        yield path, f"{value!r} is not {KINDS[kind][1]}"
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"{value!r} is none of Google's: {', '.join(schema['enum'])}"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield path, f"{value!r} does not match {schema['pattern']}"
    elif form == "google-duration" and not DURATION.fullmatch(value):
        yield path, f"{value!r} is no duration, such as 86400s"


def _number(path: str, value: Any, form: str) -> Iterator[tuple[str, str]]:
    least, most = LIMITS[form]
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        yield path, f"{value!r} is not a whole number"
    elif not least <= int(value) <= most:
        yield path, f"{value} is not from {least} to {most}, {form}"
