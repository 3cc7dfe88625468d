"""Values of chart `kueue`, and the configuration of its manager."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from corral.catalogue.images import image
from corral.components.fair_sharing.args import CountedClass
from corral.components.supply import Supply, pull_secrets, repository_and_tag
from corral.controls.scope import NAMESPACE_NAME

UNCOUNTED = ("cpu", "memory", "ephemeral-storage", "hugepages-")
"""Beginnings of names of resources that no quota counts; what is left are GPUs and other devices."""
FRAMEWORKS = ("batch/job", "pod", "deployment")
"""What is queued: Jobs as a whole, and every pod on its own, those of Deployments among them."""
# As upstream's chart has it; a configuration of one's own takes the place of all of it.
CONCURRENCY = {
    "Job.batch": 5,
    "Pod": 5,
    "Workload.kueue.x-k8s.io": 10,
    "LocalQueue.kueue.x-k8s.io": 5,
    "ClusterQueue.kueue.x-k8s.io": 5,
    "ResourceFlavor.kueue.x-k8s.io": 1,
}
# As patient as the chart's own probe, but a manager that is up is seen within two seconds instead of ten.
READINESS = {"initialDelaySeconds": 0, "periodSeconds": 2, "failureThreshold": 15}
STRATEGIES = ("LessThanOrEqualToFinalShare", "LessThanInitialShare")


def kueue_values(
    configuration: Mapping[str, Any], *, replicas: int, monitors: bool, supply: Supply
) -> dict[str, Any]:
    """Values of the chart; it makes a new manager where the configuration is another.

    The chart in the project's repository names an image of its staging registry, so ours is always named.
    """
    repository, tag = repository_and_tag(image("kueue"), supply)
    secrets = pull_secrets(supply)
    return {
        "enablePrometheus": monitors,
        "controllerManager": {
            "replicas": replicas,
            "readinessProbe": READINESS,
            "podDisruptionBudget": {"enabled": replicas > 1},
            "manager": {
                "image": {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"},
            },
            **({"imagePullSecrets": secrets} if secrets else {}),
        },
        "managerConfig": {
            "controllerManagerConfigYaml": yaml.safe_dump(dict(configuration), sort_keys=False)
        },
    }


def manager_configuration(
    namespaces: Sequence[str],
    classes: Sequence[CountedClass],
    *,
    borrowing: bool,
    ready_within_minutes: int,
) -> dict[str, Any]:
    """`config.kueue.x-k8s.io/v1beta2` Configuration: tenants' namespaces alone, and no resource but devices.

    Certificates of the webhook are the manager's own, which is the chart's default. A workload gets all its
    devices at once or none; one whose pods are not all ready in time gives them back. Others are admitted
    meanwhile: quotas are no larger than the pools, so two workloads never hold half of what each needs.
    """
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": ":8443", "enableClusterQueueResources": True},
        "webhook": {"port": 9443},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "controller": {"groupKindConcurrency": dict(CONCURRENCY)},
        "manageJobsWithoutQueueName": False,
        "managedJobsNamespaceSelector": {
            "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "In", "values": list(namespaces)}]
        },
        "waitForPodsReady": {"timeout": f"{ready_within_minutes}m", "blockAdmission": False},
        "integrations": {"frameworks": list(FRAMEWORKS)},
        **({"fairSharing": {"preemptionStrategies": list(STRATEGIES)}} if borrowing else {}),
        "resources": resources(classes),
    }


def resources(classes: Sequence[CountedClass]) -> dict[str, Any]:
    """What is counted: all but `UNCOUNTED`, devices of a class under the class's name in queues."""
    mappings = [{"name": one["resource"], "deviceClassNames": [one["device_class"]]} for one in classes]
    return {
        "excludeResourcePrefixes": list(UNCOUNTED),
        **({"deviceClassMappings": mappings} if mappings else {}),
    }
