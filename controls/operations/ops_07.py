"""No security property is exempt from the program."""

import re
from collections.abc import Iterator, Sequence

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import FREE_TEXT

_WITHIN = (
    "encrypt",
    "kms",
    "keyarn",
    "public",
    "endpointprivate",
    "policy",
    "policies",
    "acl",
    "securitycontext",
    "ingress",
    "egress",
    "image",
    "taint",
    "toleration",
    "nodeselector",
    "affinity",
    "webhook",
    "rules",
    "logging",
    "logtypes",
    "versioning",
    "hostnetwork",
    "hostpid",
    "hostipc",
    "hostpath",
    "hostuser",
    "serviceaccount",
    "storageuri",
    "modeluri",
    "region",
    "location",
    "zone",
    "replication",
    "metadataoptions",
    "vpcconfig",
    "privatecluster",
    "deletionprotection",
    "deletionwindow",
    "rotation",
    "retention",
    "principal",
    "cidr",
    "sourceranges",
    "userdata",
    "privileged",
    "capabilities",
    "subjects",
    "externalip",
    "externalname",
    "stringdata",
    "roleref",
    "securitygroup",
    "tlsversion",
    "accessconfig",
    "authenticationmode",
    "objectlock",
)
"""Words within names of security properties."""
_WHOLE = frozenset(
    (
        "args",
        "command",
        "env",
        "envfrom",
        "uri",
        "uris",
        "type",
        "member",
        "members",
        "tls",
        "binding",
        "bindings",
    )
)
"""Whole names of security properties."""
_COPIES = "replicas"
"""Copies of data at a cloud, and a mere number at Kubernetes."""
_HOLDERS = frozenset(
    [
        "*",
        "spec",
        "data",
        "template",
        "jobtemplate",
        "containers",
        "initcontainers",
        "ephemeralcontainers",
        "volumes",
        "predictor",
        "transformer",
        "explainer",
        "prefill",
        "worker",
        "workerspec",
        "model",
        "values",
        "vpcconfig",
        "settings",
        "nodeconfig",
    ]
)
"""Last names of paths that hold security properties."""


_NAMESPACE = "kubernetes:core/v1:Namespace"
_SCOPE_LABELS = ("pod-security.kubernetes.io/", "corral.dev/")


def _ignored(resource: Resource, profile: Profile) -> Iterator[str]:
    for path in resource.ignore_changes:
        names = [re.sub("[_-]", "", name).lower() for name in re.findall(r"[A-Za-z_-]+|\*", path)]
        if resource.type == _NAMESPACE and _scope(path):
            yield f"`ignoreChanges` names {path!r}, which has the policies that hold in the namespace"
        if not names or _harmless(resource, names):
            continue
        copies = names[0] == _COPIES and not resource.type.startswith("kubernetes:")
        if names[-1] in _HOLDERS:
            yield f"`ignoreChanges` names {path!r}, which holds security properties"
        elif copies or _WHOLE & set(names) or any(word in name for name in names for word in _WITHIN):
            yield f"`ignoreChanges` names the security property {path!r}"


def _scope(path: str) -> bool:
    """Whether a path of a namespace is to labels by which Pod Security and policies hold, or to all."""
    keys = [first or second for first, second in re.findall(r"([A-Za-z*]+)|\[[\"'](.*?)[\"']\]", path)]
    if keys[:1] != ["metadata"] or keys[1:2] not in ([], ["*"], ["labels"]):
        return False
    return not keys[2:] or keys[2] == "*" or keys[2].startswith(_SCOPE_LABELS)


def _harmless(resource: Resource, names: Sequence[str]) -> bool:
    """Whether a path is to labels, or to a certificate that a controller fills in."""
    kubernetes = resource.type.startswith("kubernetes:")
    labels = len(names) > 1 and names[0] == "metadata" if kubernetes else names[0] in FREE_TEXT
    return labels or names[-1] == "cabundle"


def _with(*paths: str) -> Resource:
    return Resource("kubernetes:apps/v1:Deployment", "d", {}, ignore_changes=paths)


def _namespace(*paths: str) -> Resource:
    return Resource(_NAMESPACE, "n", {}, ignore_changes=paths)


def _cloud(*paths: str) -> Resource:
    return Resource("aws:dynamodb/table:Table", "t", {}, ignore_changes=paths)


CONTROL = Control(
    id="SOV-OPS-07",
    title="No security property is exempt from the program",
    severity=Severity.HIGH,
    sources=("SOV-4",),
    remedy="Take the property out of `ignoreChanges`; let the program own it.",
    rule=ResourceRule(lambda token: True, _ignored),
    cases=(
        Case("nothing ignored", Verdict.GOOD, _with()),
        Case("a count", Verdict.GOOD, _with("spec.replicas")),
        Case("an annotation", Verdict.GOOD, _with('metadata.annotations["x"]')),
        Case("everything", Verdict.BAD, _with("*")),
        Case("the whole template", Verdict.BAD, _with("spec.template")),
        Case("a container", Verdict.BAD, _with("spec.template.spec.containers[0]")),
        Case("a predictor", Verdict.BAD, _with("spec.predictor")),
        Case("values of a release", Verdict.BAD, _with("values")),
        Case("an image", Verdict.BAD, _with("spec.template.spec.containers[0].image")),
        Case("encryption", Verdict.BAD, _with("encryptionConfig")),
        Case("a public endpoint", Verdict.BAD, _with("vpcConfig.endpointPublicAccess")),
        Case("a label that is called like one", Verdict.GOOD, _with('metadata.labels["example.com/zone"]')),
        Case("a certificate that is filled in", Verdict.GOOD, _with("webhooks[0].clientConfig.caBundle")),
        Case("tags", Verdict.GOOD, _cloud("tags", "scalingConfig.desiredSize", "version")),
        Case("a label of a namespace", Verdict.GOOD, _namespace('metadata.labels["example.com/team"]')),
        Case("annotations of a namespace", Verdict.GOOD, _namespace("metadata.annotations")),
        *(
            Case(f"`{path}` of a namespace", Verdict.BAD, _namespace(path))
            for path in (
                "metadata",
                "metadata.labels",
                "metadata['labels']",
                "metadata.labels[*]",
                'metadata.labels["pod-security.kubernetes.io/enforce"]',
                'metadata["labels"]["corral.dev/policies"]',
            )
        ),
        *(
            Case(f"`{path}` of a workload", Verdict.BAD, _with(path))
            for path in (
                'spec["template"]',
                "spec.template.spec.containers[*].args",
                "spec.template.spec.containers[0].env",
                "spec.template.spec.hostNetwork",
                "spec.predictor.model.storageUri",
                "spec.model.uri",
                "spec.type",
                "spec.template.spec.serviceAccountName",
                "spec.template.spec.tolerations",
                "spec.template.spec.service_account_name",
                "stringData",
                "roleRef",
            )
        ),
        *(
            Case(f"`{path}` of a cloud's resource", Verdict.BAD, _cloud(path))
            for path in (
                "vpcConfig",
                "region",
                "location",
                "replicas",
                "storageEncrypted",
                "metadataOptions",
                "multiRegion",
                "deletionProtection",
                "deletion_protection",
                "vpcSecurityGroupIds",
                "minTlsVersion",
                "accessConfig.authenticationMode",
                "objectLockEnabled",
                "members",
            )
        ),
        Case("among others", Verdict.BAD, _with("tags", "serverSideEncryptionConfiguration")),
    ),
)
