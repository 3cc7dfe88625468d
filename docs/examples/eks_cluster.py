"""A private cluster in two zones, whose API a company's network reaches."""

import pulumi
import pulumi_aws as aws

from corral import EksCluster

frankfurt = aws.Provider("frankfurt", region="eu-central-1")
cluster = EksCluster(
    "models",
    {
        "region": "eu-central-1",
        "zones": ["eu-central-1a", "eu-central-1b"],
        "version": "1.35",
        "admins": {"platform": "arn:aws:iam::111122223333:role/platform"},
        "nodes": {"instance_type": "m7i.xlarge"},
        "network": {"api_clients": ["192.0.2.0/24"]},
    },
    pulumi.ResourceOptions(provider=frankfurt),
)
pulumi.export("kubeconfig", cluster.kubeconfig)
