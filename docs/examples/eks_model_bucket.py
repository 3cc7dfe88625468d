"""A bucket for models, which pods of namespace `chat` read and imports write."""

import pulumi
import pulumi_aws as aws

from corral import EksModelBucket

config = pulumi.Config()
models = EksModelBucket(
    "models",
    {
        "region": "eu-central-1",
        "cluster": config.require("cluster"),
        "readers": [{"namespace": "chat", "service_account": "models"}],
        "writers": [{"namespace": "model-storage", "service_account": "import"}],
    },
    pulumi.ResourceOptions(provider=aws.Provider("frankfurt", region="eu-central-1")),
)
pulumi.export("bucket", models.bucket)
