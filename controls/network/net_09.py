"""Pods cannot become their node."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import NODE_CLASS, Table, limited, needed, required, true


def _metadata(mode: object) -> bool:
    return mode == "GKE_METADATA"


_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_POOL = "gcp:container/nodePool:NodePool"
_TOKENS = "is not required, so anybody on the node takes its role"
_REQUIRED = needed("metadataOptions.httpTokens", lambda one: one == "required", _TOKENS)
_HOPS = limited(
    "metadataOptions.httpPutResponseHopLimit", lambda one: str(one) == "1", "is above 1, so pods reach it"
)
_LEGACY = limited("nodeConfig.metadata.disable-legacy-endpoints", true, "is not true")
_TABLE: Table = {
    _TEMPLATE: (_REQUIRED, _HOPS),
    "aws:ec2/instance:Instance": (_REQUIRED, _HOPS),
    "aws:ec2/launchConfiguration:LaunchConfiguration": (_REQUIRED, _HOPS),
    "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults": (
        needed("httpTokens", lambda one: one == "required", _TOKENS),
    ),
    NODE_CLASS: (
        limited("spec.metadataOptions.httpTokens", lambda one: one == "required", _TOKENS),
        limited(
            "spec.metadataOptions.httpPutResponseHopLimit",
            lambda one: str(one) == "1",
            "is above 1, so pods reach it",
        ),
    ),
    _POOL: (needed("nodeConfig.workloadMetadataConfig.mode", _metadata, "is not GKE_METADATA"), _LEGACY),
    "gcp:container/cluster:Cluster": (
        limited("nodeConfig.workloadMetadataConfig.mode", _metadata, "is not GKE_METADATA"),
        _LEGACY,
    ),
}


def _template(**options: object) -> Resource:
    return Resource(_TEMPLATE, "t", {"metadataOptions": options})


CONTROL = Control(
    id="SOV-NET-09",
    title="Pods cannot take the identity of their node",
    severity=Severity.HIGH,
    sources=("CKV_AWS_79", "CKV_AWS_341", "CIS GKE 5.4.1"),
    remedy="EC2: `httpTokens: required` and a hop limit of 1; GKE: `workloadMetadataConfig` GKE_METADATA.",
    rule=required(_TABLE),
    cases=(
        Case("tokens required", Verdict.GOOD, _template(httpTokens="required", httpPutResponseHopLimit=1)),
        Case("Karpenter's default", Verdict.GOOD, Resource(NODE_CLASS, "c", {"spec": {}})),
        Case(
            "Karpenter, tokens optional",
            Verdict.BAD,
            Resource(NODE_CLASS, "c", {"spec": {"metadataOptions": {"httpTokens": "optional"}}}),
        ),
        Case("tokens optional", Verdict.BAD, _template(httpTokens="optional")),
        Case("nothing said", Verdict.BAD, Resource(_TEMPLATE, "t", {})),
        Case("two hops", Verdict.BAD, _template(httpTokens="required", httpPutResponseHopLimit=2)),
        Case(
            "tokens optional by default in a region",
            Verdict.BAD,
            Resource(
                "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "d", {"httpTokens": "optional"}
            ),
        ),
        Case(
            "GKE, with older endpoints",
            Verdict.BAD,
            Resource(
                _POOL,
                "p",
                {
                    "nodeConfig": {
                        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
                        "metadata": {"disable-legacy-endpoints": "false"},
                    }
                },
            ),
        ),
        Case("not known yet", Verdict.UNDECIDED, _template(httpTokens=UNKNOWN)),
        Case("GKE, nothing said", Verdict.BAD, Resource(_POOL, "p", {})),
        Case(
            "GKE, shielded",
            Verdict.GOOD,
            Resource(_POOL, "p", {"nodeConfig": {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}}),
        ),
    ),
)
