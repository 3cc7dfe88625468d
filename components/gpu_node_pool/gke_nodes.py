"""What a node of a GKE pool is: machine, GPUs, disk, identity and labels."""

from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_gcp as gcp

from corral.catalogue.gke import families, family
from corral.catalogue.vocabulary import Cloud, DriverSource
from corral.components._kit import child, fingerprint
from corral.components.gpu_node_pool.cloud import CloudPool, CloudRules, profile_of
from corral.components.gpu_node_pool.cloud_args import CloudPurchase
from corral.controls.cost.groups import NODE_HOUR

NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""What GKE needs of a node's identity: to write logs and metrics."""
SCOPES = tuple(
    f"https://www.googleapis.com/auth/{scope}"
    for scope in ("devstorage.read_only", "logging.write", "monitoring")
)
"""Pulling images, logs and metrics; whatever else a pod does, it does with an identity of its own."""
NO_PLUGIN_LABEL = {"gke-no-default-nvidia-gpu-device-plugin": "true"}
"""Keeps GKE's device plugin off, and with it GKE's installation of the driver."""
IMAGE_TYPE = {DriverSource.NODE_IMAGE: "COS_CONTAINERD", DriverSource.OPERATOR: "UBUNTU_CONTAINERD"}
"""The operator installs its driver on Ubuntu alone."""
INSTALLATION = {DriverSource.NODE_IMAGE: "DEFAULT", DriverSource.OPERATOR: "INSTALLATION_DISABLED"}
RESERVATION_KEY = "compute.googleapis.com/reservation-name"
RULES = CloudRules(
    cloud=Cloud.GCP,
    service="GKE",
    machine_key="machine_type",
    driver=DriverSource.OPERATOR,
    purchases=frozenset({CloudPurchase.ON_DEMAND, CloudPurchase.SPOT, CloudPurchase.RESERVED}),
)


def node_labels(pool: CloudPool) -> dict[str, str]:
    """Labels of each node; GKE's autoscaler takes them for those of a node that is not there yet."""
    operated = {**pool.mig_label, **NO_PLUGIN_LABEL} if pool.driver is DriverSource.OPERATOR else {}
    return {**pool.labels, **pool.product_label, **operated, **_priced(pool)}


def node_identity(
    parent: pulumi.Resource, name: str, pool: CloudPool
) -> tuple[gcp.serviceaccount.Account, pulumi.Resource]:
    """A service account of the pool's own, and what lets it do what GKE needs of a node and nothing else."""
    account = gcp.serviceaccount.Account(
        f"{name}-account",
        account_id=f"{pool.name[:19].rstrip('-')}-{fingerprint(name, pool.name)}",
        display_name=f"Nodes of GPU pool {pool.name}",
        opts=child(parent),
    )
    rights = gcp.projects.IAMMember(
        f"{name}-account-rights",
        project=account.project,
        role=NODE_ROLE,
        member=account.member,
        opts=child(parent),
    )
    return account, rights


def node_config(
    pool: CloudPool, account: gcp.serviceaccount.Account, *, secure_boot: bool
) -> gcp.container.NodePoolNodeConfigArgs:
    """How each machine of the pool is made."""
    return gcp.container.NodePoolNodeConfigArgs(
        machine_type=pool.machine,
        image_type=IMAGE_TYPE[pool.driver],
        disk_size_gb=pool.disk_gib,
        disk_type=family(pool.machine).boot_disk,
        boot_disk_kms_key=pool.disk_key,
        guest_accelerators=[_accelerator(pool)],
        labels=node_labels(pool),
        taints=[gcp.container.NodePoolNodeConfigTaintArgs(**taint) for taint in pool.taints],
        resource_labels={"corral-pool": pool.name},
        metadata={"disable-legacy-endpoints": "true"},
        service_account=account.email,
        oauth_scopes=SCOPES,
        shielded_instance_config=gcp.container.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=secure_boot, enable_integrity_monitoring=True
        ),
        workload_metadata_config=gcp.container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
            mode="GKE_METADATA"
        ),
        spot=pool.purchase is CloudPurchase.SPOT,
        reservation_affinity=_affinity(pool),
    )


def _priced(pool: CloudPool) -> dict[str, str]:
    """A label: GKE changes those of nodes that are there, and makes nodes anew for other metadata."""
    return {} if pool.node_hour is None else {NODE_HOUR: pool.node_hour.replace(" ", "-")}


def _accelerator(pool: CloudPool) -> gcp.container.NodePoolNodeConfigGuestAcceleratorArgs:
    by_gke = pool.driver is DriverSource.NODE_IMAGE
    return gcp.container.NodePoolNodeConfigGuestAcceleratorArgs(
        type=family(pool.machine).accelerator,
        count=pool.instance.gpus,
        gpu_partition_size=pool.profile if by_gke else None,
        gpu_driver_installation_config=gcp.container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
            gpu_driver_version=INSTALLATION[pool.driver]
        ),
    )


def _affinity(pool: CloudPool) -> gcp.container.NodePoolNodeConfigReservationAffinityArgs | None:
    """Nothing but the named reservation, or none: somebody else's is not used up by chance."""
    if pool.purchase is CloudPurchase.SPOT:
        return None
    if pool.reservation is None:
        return gcp.container.NodePoolNodeConfigReservationAffinityArgs(
            consume_reservation_type="NO_RESERVATION"
        )
    return gcp.container.NodePoolNodeConfigReservationAffinityArgs(
        consume_reservation_type="SPECIFIC_RESERVATION", key=RESERVATION_KEY, values=[pool.reservation]
    )


def driver_problems(
    gpu: str, machine: str, driver: DriverSource, mig_config: str | None, *, dra: bool, owner: str
) -> Iterator[str]:
    """What GKE's own installation of the driver does not go with."""
    if driver is not DriverSource.NODE_IMAGE:
        return
    if dra:
        yield (
            f"{owner}.devices.driver: 'node-image' is GKE's installation and comes with its device plugin; "
            "use operator, or devices.dra_driver off"
        )
    if mig_config is None or machine.rpartition("-")[0] not in families():
        return
    sizes = family(machine).partitions
    if profile_of(gpu, mig_config) not in sizes:
        known = ", ".join(f"all-{size}" for size in sizes) or "none"
        yield f"{owner}.devices.mig_config: GKE does not cut {gpu} into {mig_config!r}; it knows {known}"


def gke_warnings(pool: CloudPool, *, unsigned: bool) -> Iterator[str]:
    """What GKE takes, and what may then not work; `unsigned`: nodes boot securely, and the driver may not."""
    if pool.dra and pool.mig_config is not None:
        yield f"pool {pool.name}: GKE's own documentation rules out MIG under DRA; try it first"
    if unsigned and pool.driver is DriverSource.OPERATOR:
        yield (
            f"pool {pool.name}: secure boot loads signed kernel modules alone, and the operator's driver "
            "is signed only where it is precompiled; say so by signed_driver, or choose secure_boot False"
        )


def size_arguments(pool: CloudPool) -> dict[str, Any]:
    """Number of nodes: fixed, or left to GKE's autoscaler between two bounds."""
    if pool.minimum == pool.maximum:
        return {"node_count": pool.minimum}
    return {
        "initial_node_count": pool.desired,
        "autoscaling": gcp.container.NodePoolAutoscalingArgs(
            total_min_node_count=pool.minimum, total_max_node_count=pool.maximum, location_policy="ANY"
        ),
    }
