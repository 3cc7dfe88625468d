"""A bucket for models in Frankfurt, which pods of namespace `chat` read and imports write."""

import pulumi
import pulumi_gcp as gcp

from corral import GkeModelBucket

models = GkeModelBucket(
    "models",
    {
        "project": "acme-models",
        "region": "europe-west3",
        "key_project": "acme-keys",
        "readers": [{"namespace": "chat", "service_account": "models"}],
        "writers": [{"namespace": "model-storage", "service_account": "import"}],
    },
    pulumi.ResourceOptions(provider=gcp.Provider("frankfurt", project="acme-models")),
)
pulumi.export("bucket", models.url)
