"""EKS clusters of the test provider on an embedded plane: nodes, volumes of EBS, pods' own identities.

Pods of AWS's device plugin run nowhere; what they would tell the kubelet of their node is said in its place.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.providers.aws.account import Account
from tests.providers.aws.pod_identity import PodIdentity
from tests.providers.control_planes import PODS, Machine, taints_of
from tests.providers.control_planes import ControlPlane as AnyControlPlane

from corral.embedded.hardware.inventory import read

DRIVER = "ebs.csi.aws.com"
ZONE = f"topology.{DRIVER}/zone"
EFA = "vpc.amazonaws.com/efa"
"""Name under which AWS's device plugin announces interfaces of the fabric."""
EFA_PLUGIN = "/aws-efa-k8s-device-plugin:"
"""In the name of its image."""
FABRIC = ("efa", "efa-only")


@dataclass
class ControlPlane(AnyControlPlane):
    """One plane, as which the next cluster that is made comes up."""

    group_label: str = "eks.amazonaws.com/nodegroup"
    driver: str = DRIVER
    zone_label: str = ZONE
    identity: PodIdentity | None = None
    """Pod Identity of its cluster; None: there is none."""
    interfaces: dict[str, int] = field(default_factory=dict[str, int])
    """Interfaces of the fabric that a node has."""

    def nodes(self, account: Account, group: Mapping[str, Any]) -> None:
        """As many nodes of the group as it is to have, Ready."""
        name = group["nodeGroupName"]
        names = [_instance(name, index) for index in range(group["scalingConfig"]["desiredSize"])]
        zones = [
            one["AvailabilityZone"]
            for one in account.ec2.describe_subnets(SubnetIds=group["subnetIds"])["Subnets"]
        ]
        data = _template(account, group)
        machine = _instance_type(account, data)
        fabric = [one for one in data.get("NetworkInterfaces", []) if one.get("InterfaceType") in FABRIC]
        self.interfaces |= dict.fromkeys(names, len(fabric))
        hardware, taints = self._hardware(machine), taints_of(group.get("taints", []))
        self.join(
            name,
            [
                Machine(node, _labels(group, machine, zones[index % len(zones)]), taints, hardware)
                for index, node in enumerate(names)
            ],
        )

    def ebs(self, account: Account) -> None:
        """The add-on `aws-ebs-csi-driver`, simulated, from now on."""
        self.volumes(lambda parameters: account.kms.describe_key(KeyId=parameters["kmsKeyId"]))

    def _round(self, key: Callable[[Mapping[str, str]], object]) -> None:
        super()._round(key)
        plugins = [
            pod["spec"]["nodeName"]
            for pod in self.call("GET", "/api/v1/pods")["items"]
            if EFA_PLUGIN in pod["spec"]["containers"][0]["image"] and pod["status"]["phase"] == "Running"
        ]
        for node in plugins:
            self._announce(node, str(self.interfaces[node]))

    def _announce(self, node: str, count: str) -> None:
        path = f"/api/v1/nodes/{node}"
        if self.call("GET", path)["status"].get("allocatable", {}).get(EFA) != count:
            status = {"capacity": {EFA: count}, "allocatable": {EFA: count}}
            self.call("PATCH", f"{path}/status", {"status": status})

    def _hardware(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        made = {
            "cpu": str(machine["VCpuInfo"]["DefaultVCpus"]),
            "memory": f"{machine['MemoryInfo']['SizeInMiB']}Mi",
            "pods": PODS,
        }
        for gpu in machine.get("GpuInfo", {}).get("Gpus", []):
            fitting = [
                key
                for key, product in read(self.inventory).products.items()
                if gpu["Name"] in product.name and product.memory_mib == gpu["MemoryInfo"]["SizeInMiB"]
            ]
            made |= {"gpu": fitting[0], "gpus": gpu["Count"]}
        return made

    # What is about other resources of EKS that moto has no calls for.

    def made(self, account: Account, operation: str, inputs: Mapping[str, Any]) -> None:
        """What follows from a resource that is simulated."""
        cluster = inputs["clusterName"]
        if operation == "AssociateAccessPolicy":
            self.admit(cluster)
        elif operation == "CreateAddon" and inputs["addonName"] == "aws-ebs-csi-driver":
            self.ebs(account)
        elif operation == "CreateAddon" and inputs["addonName"] == "eks-pod-identity-agent" and self.identity:
            self.identity.installed()

    def removed(self, operation: str, inputs: Mapping[str, Any]) -> None:
        """What follows once it is gone."""
        if operation == "AssociateAccessPolicy":
            self.refuse(inputs["clusterName"])
        elif operation == "CreateAddon" and inputs["addonName"] == "aws-ebs-csi-driver":
            self.stop()


def _instance(group: str, index: int) -> str:
    """Name of a node, as those of instances by resource name are."""
    return f"i-{hashlib.sha256(f'{group}/{index}'.encode()).hexdigest()[:17]}"


def _template(account: Account, group: Mapping[str, Any]) -> Mapping[str, Any]:
    """Data of the group's launch template."""
    template: Mapping[str, Any] = account.ec2.describe_launch_template_versions(
        LaunchTemplateId=group["launchTemplate"]["id"], Versions=[str(group["launchTemplate"]["version"])]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return template


def _instance_type(account: Account, template: Mapping[str, Any]) -> dict[str, Any]:
    answer = account.ec2.describe_instance_types(InstanceTypes=[template["InstanceType"]])
    (machine,) = answer["InstanceTypes"]
    return machine


def _labels(group: Mapping[str, Any], machine: Mapping[str, Any], zone: str) -> dict[str, str]:
    return {
        **group.get("labels", {}),
        "eks.amazonaws.com/nodegroup": group["nodeGroupName"],
        "eks.amazonaws.com/capacityType": group["capacityType"],
        "node.kubernetes.io/instance-type": machine["InstanceType"],
        ZONE: zone,
        "topology.kubernetes.io/region": zone[:-1],
        "topology.kubernetes.io/zone": zone,
    }
