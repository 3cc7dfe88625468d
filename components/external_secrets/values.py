"""Values of the chart of External Secrets."""

from typing import Any

from corral.catalogue.images import image
from corral.catalogue.secret_stores import ACCOUNT
from corral.components.supply import Supply, pull_secrets, repository_and_tag

RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def external_secrets_values(*, replicas: int, supply: Supply) -> dict[str, Any]:
    """Values of `external-secrets`: no writing to stores, and nothing that tenants could read secrets by."""
    repository, tag = repository_and_tag(image("external-secrets"), supply)
    own = {"repository": repository, "tag": tag}
    secrets = pull_secrets(supply)
    common = {"image": own, "resources": RESOURCES, **({"imagePullSecrets": secrets} if secrets else {})}
    return {
        **common,
        "replicaCount": replicas,
        "leaderElect": replicas > 1,
        "serviceAccount": {"name": ACCOUNT},
        "crds": {
            "createClusterExternalSecret": False,
            "createPushSecret": False,
            "createClusterPushSecret": False,
        },
        "processClusterExternalSecret": False,
        "processPushSecret": False,
        "processClusterPushSecret": False,
        # Who may edit a namespace would else read the store by an ExternalSecret of his own. The store is
        # entered by the token that the pod has: tokens of other accounts are nobody's to make.
        "rbac": {
            "aggregateToView": False,
            "aggregateToEdit": False,
            "aggregateToAdmin": False,
            "serviceAccountTokenCreate": False,
        },
        "webhook": {**common, "replicaCount": replicas},
        "certController": common,
    }
