"""Resources that anybody reaches."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.cloud_parts import GKE, GKEY, KEY, merged, policy


def world() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for address in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"):
        v6 = ":" in address
        inline = {"ipv6CidrBlocks" if v6 else "cidrBlocks": ["10.0.0.0/8", address] if not v6 else [address]}
        for port in (22, 443, 0):
            yield (
                f"a group for {address}:{port}",
                "SOV-NET-03",
                "aws:ec2/securityGroup:SecurityGroup",
                {"ingress": [{"protocol": "tcp", "fromPort": port, "toPort": port, **inline}]},
            )
        yield (
            f"a rule for {address}",
            "SOV-NET-03",
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {
                "type": "ingress",
                "securityGroupId": "g",
                "protocol": "-1",
                "fromPort": 0,
                "toPort": 0,
                **inline,
            },
        )
        yield (
            f"an ingress rule for {address}",
            "SOV-NET-03",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"securityGroupId": "g", "ipProtocol": "-1", ("cidrIpv6" if v6 else "cidrIpv4"): address},
        )
        yield (
            f"a default group for {address}",
            "SOV-NET-03",
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, **inline}]},
        )
        yield (
            f"an ACL for {address}",
            "SOV-NET-03",
            "aws:ec2/networkAcl:NetworkAcl",
            {
                "vpcId": "v",
                "ingress": [
                    {
                        "protocol": "-1",
                        "ruleNo": 1,
                        "action": "allow",
                        "cidrBlock": address,
                        "fromPort": 0,
                        "toPort": 0,
                    }
                ],
            },
        )
        yield (
            f"an ACL's rule for {address}",
            "SOV-NET-03",
            "aws:ec2/networkAclRule:NetworkAclRule",
            {
                "networkAclId": "a",
                "egress": False,
                "protocol": "-1",
                "ruleNumber": 1,
                "ruleAction": "allow",
                ("ipv6CidrBlock" if v6 else "cidrBlock"): address,
            },
        )
        yield (
            f"a firewall for {address}",
            "SOV-NET-03",
            "gcp:compute/firewall:Firewall",
            {"network": "n", "allows": [{"protocol": "tcp", "ports": ["22"]}], "sourceRanges": [address]},
        )
        yield (
            f"a native group for {address}",
            "providers-are-known",
            "aws-native:ec2:SecurityGroup",
            {
                "groupDescription": "x",
                "securityGroupIngress": [{"ipProtocol": "-1", ("cidrIpv6" if v6 else "cidrIp"): address}],
            },
        )
        yield (
            f"masters for {address}",
            "SOV-NET-03",
            "gcp:container/cluster:Cluster",
            merged(GKE, masterAuthorizedNetworksConfig={"cidrBlocks": [{"cidrBlock": address}]}),
        )
    yield (
        "a prefix list of all",
        "SOV-NET-03",
        "aws:ec2/managedPrefixList:ManagedPrefixList",
        {"addressFamily": "IPv4", "maxEntries": 1, "entries": [{"cidr": "0.0.0.0/0"}]},
    )
    yield (
        "a listener of the internet",
        "SOV-NET-03|SOV-NET-02",
        "aws:lb/loadBalancer:LoadBalancer",
        {"loadBalancerType": "network", "internal": False},
    )
    yield (
        "a balancer by default",
        "SOV-NET-03|SOV-NET-02",
        "aws:lb/loadBalancer:LoadBalancer",
        {"loadBalancerType": "application"},
    )
    yield "an old balancer", "SOV-NET-03|SOV-NET-02", "aws:elb/loadBalancer:LoadBalancer", {"listeners": []}
    yield (
        "a public forwarding rule",
        "SOV-NET-03|SOV-NET-02",
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
        {"target": "t", "loadBalancingScheme": "EXTERNAL_MANAGED", "portRange": "443"},
    )
    yield (
        "a public database",
        "SOV-NET-03",
        "aws:rds/instance:Instance",
        {"publiclyAccessible": True, "storageEncrypted": True, "kmsKeyId": KEY, "deletionProtection": True},
    )
    yield (
        "a public database of Google",
        "SOV-NET-03",
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "region": "europe-west3",
            "encryptionKeyName": GKEY,
            "deletionProtection": True,
            "settings": {
                "ipConfiguration": {"ipv4Enabled": True, "authorizedNetworks": [{"value": "0.0.0.0/0"}]}
            },
        },
    )
    yield from (
        ("a job's machines", "SOV-NET-02", "gcp:dataflow/job:Job", {"region": "europe-west3"}),
        (
            "machines of Dataproc",
            "SOV-NET-02",
            "gcp:dataproc/cluster:Cluster",
            {
                "region": "europe-west3",
                "clusterConfig": {
                    "encryptionConfig": {"kmsKeyName": GKEY},
                    "gceClusterConfig": {"internalIpOnly": False},
                },
            },
        ),
        (
            "a template of a region",
            "SOV-NET-02",
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
            {"region": "europe-west3", "networkInterfaces": [{"ipv6AccessConfigs": [{}]}]},
        ),
        (
            "a workstation",
            "SOV-NET-02",
            "gcp:workstations/workstationConfig:WorkstationConfig",
            {"location": "europe-west3", "host": {"gceInstance": {}}},
        ),
        (
            "ports of Lightsail",
            "SOV-NET-03",
            "aws:lightsail/instancePublicPorts:InstancePublicPorts",
            {"portInfos": [{"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrs": ["0.0.0.0/0"]}]},
        ),
        (
            "a web server of Composer",
            "SOV-NET-03",
            "gcp:composer/environment:Environment",
            {
                "region": "europe-west3",
                "config": {
                    "encryptionConfig": {"kmsKeyName": GKEY},
                    "webServerNetworkAccessControl": {"allowedIpRanges": [{"value": "0.0.0.0/0"}]},
                },
            },
        ),
        (
            "tags of registries to be",
            "SOV-SUP-09",
            "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
            {"imageTagMutability": "MUTABLE", "encryptionConfigurations": [{"kmsKey": KEY}]},
        ),
    )
    yield (
        "a public OpenSearch",
        "SOV-NET-14",
        "aws:opensearch/domain:Domain",
        {"accessPolicies": policy({"AWS": "*"}), "encryptAtRest": {"enabled": True, "kmsKeyId": KEY}},
    )
    yield (
        "a public API gateway",
        "SOV-NET-03|SOV-NET-02|SOV-RES-10|SOV-NET-14",
        "aws:apigateway/restApi:RestApi",
        {"endpointConfiguration": {"types": "EDGE"}},
    )
