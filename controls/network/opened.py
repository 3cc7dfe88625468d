"""Resources of AWS that let anybody in by one property of theirs."""

from collections.abc import Iterator, Mapping

from corral.controls.control import UNKNOWN, Resource, Undecided
from corral.controls.settings import true

PERMISSION = "aws:lambda/permission:Permission"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
IMAGE = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
LAYER = "aws:lambda/layerVersionPermission:LayerVersionPermission"
IDENTITIES = "aws:cognito/identityPool:IdentityPool"
IMAGES = "aws:imagebuilder/distributionConfiguration:DistributionConfiguration"
SERVICE = "aws:ec2/vpcEndpointService:VpcEndpointService"
CALLER = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
SNAPSHOTS = (
    "aws:rds/snapshot:Snapshot",
    "aws:rds/clusterSnapshot:ClusterSnapshot",
    "aws:rds/snapshotCopy:SnapshotCopy",
)
OPENED: Mapping[str, tuple[str, str, str]] = {
    PERMISSION: ("principal", "*", "anybody calls the function"),
    LAYER: ("principal", "*", "anybody reads the layer"),
    FUNCTION_URL: ("authorizationType", "NONE", "anybody calls the function"),
    IMAGE: ("group", "all", "anybody starts the image"),
    IMAGES: (
        "distributions.amiDistributionConfiguration.launchPermission.userGroups",
        "all",
        "anybody starts the image",
    ),
    SERVICE: ("allowedPrincipals", "*", "anybody reaches the service"),
    CALLER: ("principalArn", "*", "anybody reaches the service"),
    IDENTITIES: ("allowUnauthenticatedIdentities", "true", "anybody gets credentials"),
    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess": (
        "state",
        "unblocked",
        "the public may be let in",
    ),
    "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess": (
        "state",
        "unblocked",
        "the public may be let in",
    ),
    "aws:emr/blockPublicAccessConfiguration:BlockPublicAccessConfiguration": (
        "blockPublicSecurityGroupRules",
        "false",
        "the public may be let in",
    ),
    **dict.fromkeys(SNAPSHOTS, ("sharedAccounts", "all", "anybody restores the snapshot")),
}
"""Property by which a type lets anybody in, the value that does, and what comes of it."""
_ORGANISATION = ("principalOrgId", "organizationId")
"""Properties that narrow everybody to those of an organisation."""


def opened(subject: Resource) -> Iterator[str]:
    """How a resource of a type in `OPENED` lets anybody in.

    Raises:
        Undecided: what it says is not known yet.
    """
    path, opens, says = OPENED[subject.type]
    values = subject.values(path)
    if any(str(one).lower() == opens.lower() for one in values):
        accepted = subject.type == SERVICE and true(subject.value("acceptanceRequired", False))
        if not accepted and not any(subject.value(key) for key in _ORGANISATION):
            yield f"`{path}` is {opens}, so {says}"
    elif UNKNOWN in values:
        raise Undecided(f"`{path}` is not known yet")
