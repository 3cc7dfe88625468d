"""The control plane, its logs, and who reaches it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp

from corral.components._gcp import GcpSite
from corral.components.gke_cluster.args import (
    GkeChannel,
    GkeClusterArgs,
    GkeControlPlaneKeys,
    GkeMaintenance,
)
from corral.components.gke_cluster.keys import ClusterKeys
from corral.components.gke_cluster.network import POD_RANGE, SERVICE_RANGE, ClusterNetwork

LOGS = ("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "WORKLOADS")
"""All that a cluster without GKE's own extras has."""
METRICS = ("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")


def control_plane(
    site: GcpSite,
    args: GkeClusterArgs,
    keys: ClusterKeys,
    network: ClusterNetwork,
    first_nodes: Mapping[str, Any],
    after: Sequence[pulumi.Resource],
) -> gcp.container.Cluster:
    """A cluster in all zones of the region, whose API has an address in the network alone."""
    clients = args.get("network", {}).get("api_clients", [])
    return gcp.container.Cluster(
        f"{site.name}-cluster",
        name=site.title,
        project=site.project,
        location=site.region,
        node_locations=args.get("zones"),
        min_master_version=args["version"],
        release_channel=gcp.container.ClusterReleaseChannelArgs(
            channel=GkeChannel(args.get("channel", GkeChannel.REGULAR)).value.upper()
        ),
        maintenance_policy=_maintenance(args.get("maintenance")),
        network=network.network,
        subnetwork=network.subnet,
        networking_mode="VPC_NATIVE",
        datapath_provider="ADVANCED_DATAPATH",
        enable_intranode_visibility=True,
        in_transit_encryption_config="IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT",
        ip_allocation_policy=gcp.container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name=POD_RANGE, services_secondary_range_name=SERVICE_RANGE
        ),
        private_cluster_config=gcp.container.ClusterPrivateClusterConfigArgs(
            enable_private_nodes=True, enable_private_endpoint=True
        ),
        control_plane_endpoints_config=gcp.container.ClusterControlPlaneEndpointsConfigArgs(
            dns_endpoint_config=gcp.container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=False
            )
        ),
        master_authorized_networks_config=gcp.container.ClusterMasterAuthorizedNetworksConfigArgs(
            cidr_blocks=[
                gcp.container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=client)
                for client in dict.fromkeys(clients)
            ],
            gcp_public_cidrs_access_enabled=False,
            private_endpoint_enforcement_enabled=True,
        ),
        master_auth=gcp.container.ClusterMasterAuthArgs(
            client_certificate_config=gcp.container.ClusterMasterAuthClientCertificateConfigArgs(
                issue_client_certificate=False
            )
        ),
        enable_legacy_abac=False,
        identity_service_config=gcp.container.ClusterIdentityServiceConfigArgs(
            enabled=args.get("own_issuer", False)
        ),
        workload_identity_config=gcp.container.ClusterWorkloadIdentityConfigArgs(
            workload_pool=f"{site.project}.svc.id.goog"
        ),
        database_encryption=gcp.container.ClusterDatabaseEncryptionArgs(
            state="ENCRYPTED", key_name=keys.secrets
        ),
        user_managed_keys_config=_control_plane_keys(args.get("control_plane_keys")),
        enable_shielded_nodes=True,
        logging_config=gcp.container.ClusterLoggingConfigArgs(enable_components=list(LOGS)),
        # The platform has a Prometheus of its own.
        monitoring_config=gcp.container.ClusterMonitoringConfigArgs(
            enable_components=list(METRICS),
            managed_prometheus=gcp.container.ClusterMonitoringConfigManagedPrometheusArgs(enabled=False),
        ),
        # The pool that a cluster begins with goes at once, and is made as safe as those that stay: an
        # organization policy may refuse it otherwise. Read back are the pools that are there then.
        remove_default_node_pool=True,
        node_pools=[
            gcp.container.ClusterNodePoolArgs(
                name="default-pool", initial_node_count=1, node_config=cast(Any, first_nodes)
            )
        ],
        resource_labels=site.labelled,
        deletion_protection=site.protect,
        opts=site.child(
            depends_on=[*network.ways, *after],
            protect=site.protect,
            ignore_changes=["nodePools"],
        ),
    )


def _maintenance(window: GkeMaintenance | None) -> gcp.container.ClusterMaintenancePolicyArgs | None:
    if window is None:
        return None
    return gcp.container.ClusterMaintenancePolicyArgs(
        recurring_window=gcp.container.ClusterMaintenancePolicyRecurringWindowArgs(
            start_time=window["start"], end_time=window["end"], recurrence=window["recurrence"]
        )
    )


def _control_plane_keys(
    keys: GkeControlPlaneKeys | None,
) -> gcp.container.ClusterUserManagedKeysConfigArgs | None:
    return None if keys is None else gcp.container.ClusterUserManagedKeysConfigArgs(**keys)
