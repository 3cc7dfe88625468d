"""Nodes have no public addresses."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import NODE_CLASS, Table, false, limited, needed, required, true

_PUBLIC = "is true, so machines get public addresses"
_CLUSTER = "gcp:container/cluster:Cluster"
_POOL = "gcp:container/nodePool:NodePool"
_TABLE: Table = {
    "aws:ec2/subnet:Subnet": (limited("mapPublicIpOnLaunch", false, _PUBLIC),),
    "aws:ec2/defaultSubnet:DefaultSubnet": (needed("mapPublicIpOnLaunch", false, _PUBLIC),),
    "aws:ec2/instance:Instance": (limited("associatePublicIpAddress", false, _PUBLIC),),
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": (limited("associatePublicIpAddress", false, _PUBLIC),),
    "aws:ec2/launchConfiguration:LaunchConfiguration": (limited("associatePublicIpAddress", false, _PUBLIC),),
    NODE_CLASS: (limited("spec.associatePublicIPAddress", false, _PUBLIC),),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        limited("networkInterfaces.associatePublicIpAddress", false, _PUBLIC),
    ),
    "aws:sagemaker/notebookInstance:NotebookInstance": (
        needed("directInternetAccess", false, "is not Disabled (absent means open)"),
    ),
    "aws:sagemaker/domain:Domain": (
        needed(
            "appNetworkAccessType",
            lambda value: value == "VpcOnly",
            "is not VpcOnly (absent means by way of the internet)",
        ),
    ),
    **dict.fromkeys(
        (
            "gcp:compute/instance:Instance",
            "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage",
            "gcp:compute/instanceFromTemplate:InstanceFromTemplate",
            "gcp:compute/instanceTemplate:InstanceTemplate",
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        ),
        tuple(
            limited(f"networkInterfaces.{key}", lambda one: False, "gives machines public addresses")
            for key in ("accessConfigs", "ipv6AccessConfigs")
        ),
    ),
    **dict.fromkeys(
        ("gcp:dataflow/flexTemplateJob:FlexTemplateJob", "gcp:dataflow/job:Job"),
        (
            needed(
                "ipConfiguration",
                lambda one: one == "WORKER_IP_PRIVATE",
                "is not WORKER_IP_PRIVATE (absent means public addresses)",
            ),
        ),
    ),
    "gcp:dataproc/cluster:Cluster": (
        limited(
            "clusterConfig.gceClusterConfig.internalIpOnly",
            true,
            "is false, so machines get public addresses",
        ),
    ),
    "gcp:workstations/workstationConfig:WorkstationConfig": (
        needed("host.gceInstance.disablePublicIpAddresses", true, "is not true"),
    ),
    _CLUSTER: (
        needed(
            "privateClusterConfig.enablePrivateNodes",
            true,
            "is not true, so nodes get public addresses",
            "networkConfig.enablePrivateNodes",
        ),
    ),
    _POOL: (limited("networkConfig.enablePrivateNodes", true, "is false, so nodes get public addresses"),),
    "gcp:workbench/instance:Instance": (needed("gceSetup.disablePublicIp", true, "is not true"),),
}


_SUBNET = "aws:ec2/subnet:Subnet"

CONTROL = Control(
    id="SOV-NET-02",
    title="Nodes have no public addresses",
    severity=Severity.HIGH,
    sources=("CIS EKS 5.4.3", "CIS GKE 5.6.5"),
    remedy="Keep nodes in private subnets; GKE: `enablePrivateNodes: true`.",
    rule=required(_TABLE),
    cases=(
        Case(
            "machines of Karpenter's",
            Verdict.BAD,
            Resource(NODE_CLASS, "c", {"spec": {"associatePublicIPAddress": True}}),
        ),
        Case("a private subnet", Verdict.GOOD, Resource(_SUBNET, "s", {})),
        Case("a public subnet", Verdict.BAD, Resource(_SUBNET, "s", {"mapPublicIpOnLaunch": True})),
        Case("not known yet", Verdict.UNDECIDED, Resource(_SUBNET, "s", {"mapPublicIpOnLaunch": UNKNOWN})),
        *(
            Case(title, verdict, Resource("aws:sagemaker/domain:Domain", "d", props))
            for title, verdict, props in (
                ("a studio within its network", Verdict.GOOD, {"appNetworkAccessType": "VpcOnly"}),
                ("a studio of which nothing is said", Verdict.BAD, {}),
            )
        ),
        Case(
            "a template with public addresses",
            Verdict.BAD,
            Resource(
                "aws:ec2/launchTemplate:LaunchTemplate",
                "t",
                {"networkInterfaces": [{"associatePublicIpAddress": "true"}]},
            ),
        ),
        Case("GKE, nothing said", Verdict.BAD, Resource(_CLUSTER, "c", {})),
        Case(
            "GKE, private nodes",
            Verdict.GOOD,
            Resource(_CLUSTER, "c", {"privateClusterConfig": {"enablePrivateNodes": True}}),
        ),
        Case(
            "a pool of public nodes",
            Verdict.BAD,
            Resource(_POOL, "p", {"networkConfig": {"enablePrivateNodes": False}}),
        ),
        Case(
            "a machine with an address",
            Verdict.BAD,
            Resource("gcp:compute/instance:Instance", "i", {"networkInterfaces": [{"accessConfigs": [{}]}]}),
        ),
        Case(
            "a machine without",
            Verdict.GOOD,
            Resource("gcp:compute/instance:Instance", "i", {"networkInterfaces": [{"network": "n"}]}),
        ),
    ),
)
