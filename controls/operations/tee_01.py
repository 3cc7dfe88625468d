"""Memory of nodes is encrypted while it is in use."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import Table, needed, required, true

_POOL = "gcp:container/nodePool:NodePool"
_PLAIN = "is not set, so the host can read the machine's memory"
_TABLE: Table = {
    "aws:ec2/instance:Instance": (needed("cpuOptions.amdSevSnp", true, _PLAIN, "enclaveOptions.enabled"),),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        needed("cpuOptions.amdSevSnp", true, _PLAIN, "enclaveOptions.enabled"),
    ),
    _POOL: (needed("nodeConfig.confidentialNodes.enabled", true, _PLAIN),),
    "gcp:compute/instance:Instance": (
        needed(
            "confidentialInstanceConfig.enableConfidentialCompute",
            lambda one: true(one) or str(one) in ("SEV", "SEV_SNP", "TDX"),
            _PLAIN,
            "confidentialInstanceConfig.confidentialInstanceType",
        ),
    ),
}


CONTROL = Control(
    id="SOV-TEE-01",
    title="Memory of nodes is encrypted while it is in use",
    severity=Severity.HIGH,
    sources=("C5 OPS-32", "DORA RTS 6"),
    remedy="EC2: SEV-SNP or enclaves; GKE: `confidentialNodes`.",
    rule=required(_TABLE),
    cases=(
        Case(
            "a confidential pool",
            Verdict.GOOD,
            Resource(_POOL, "p", {"nodeConfig": {"confidentialNodes": {"enabled": True}}}),
        ),
        Case("a plain pool", Verdict.BAD, Resource(_POOL, "p", {"nodeConfig": {}})),
        Case("a plain machine", Verdict.BAD, Resource("aws:ec2/instance:Instance", "i", {})),
        Case(
            "a machine with enclaves",
            Verdict.GOOD,
            Resource("aws:ec2/instance:Instance", "i", {"enclaveOptions": {"enabled": True}}),
        ),
        Case("not known yet", Verdict.UNDECIDED, Resource(_POOL, "p", {"nodeConfig": UNKNOWN})),
    ),
)
