"""Batch inference: CronJobs that have models answer files of requests in the store."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.cron import problem
from corral.catalogue.formats import OBJECT_PREFIX
from corral.catalogue.images import image
from corral.components._kit import checked, child, labels, name_of, refuse, token
from corral.components._pods import ALONE, restricted_container, restricted_pod
from corral.components.model_storage.job import CREDENTIAL_KEYS, SCRATCH, USER, credential_secret
from corral.components.store import BatchStore
from corral.components.supply import Supply, on_nodes, pull_secrets, reference

COMPONENT = "batch-inference"
SCRATCH_GIB = 4
"""Answers of one file, which stay on the node until they are whole."""
WRITING_SECONDS = 600
"""Beyond the deadline, in which what was answered is written."""
LATE_SECONDS = 3600
"""A run that could not start so long after its time is left out."""


class Batch(TypedDict):
    """Files of requests that one model answers."""

    name: str
    """Name of the CronJob, and of the Secret with the tenant's key as `batch-NAME`."""
    namespace: pulumi.Input[str]
    """Namespace of the model and of its tenant."""
    tenant: str
    """Tenant, one of the store's keys."""
    model: str
    """Name that requests ask for."""
    url: pulumi.Input[str]
    """`Model.url` of what answers."""
    schedule: str
    """When, as CronJobs have it."""
    time_zone: str
    """Time zone of the schedule."""
    input: str
    """Key prefix of the requests."""
    output: str
    """Key prefix of the answers."""
    concurrency: int
    """Requests at a time."""
    deadline_seconds: int
    """Time in which lines are asked."""


class BatchInferenceArgs(TypedDict):
    """The batches, and what they share."""

    batches: list[Batch]
    """All of them."""
    store: BatchStore
    """Where requests and answers are, such as `ModelStorage.batches`."""
    supply: Supply
    """Where the tools image comes from."""
    priority_class: NotRequired[pulumi.Input[str]]
    """PriorityClass of their pods, such as `PriorityClasses.names["batch"]`; the cluster's default when
    omitted."""


class BatchInference(pulumi.ComponentResource):
    """A CronJob per batch on the cluster given as provider, each in its model's namespace.

    Requests and answers have the format of OpenAI's Batch API. Tenants' namespaces must let their pods reach
    each other and the store, as component Tenancy does.
    """

    def __init__(self, name: str, args: BatchInferenceArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, BatchInferenceArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        for batch in args["batches"]:
            self._scheduled(name, batch, args)
        self.register_outputs({})

    def _scheduled(self, name: str, batch: Batch, args: BatchInferenceArgs) -> None:
        own = labels(COMPONENT, batch["name"], tenant=batch["tenant"])
        key = args["store"]["keys"][batch["tenant"]]
        secret = credential_secret(
            self,
            f"{name}-{batch['name']}-store",
            {"name": f"batch-{batch['name']}", "namespace": batch["namespace"], "labels": own},
            key["access_key"],
            pulumi.Output.secret(key["secret_key"]),
        )
        kubernetes.batch.v1.CronJob(
            f"{name}-{batch['name']}",
            metadata=cast(Any, {"name": batch["name"], "namespace": batch["namespace"], "labels": own}),
            spec=cast(Any, _spec(batch, args, own, name_of(secret))),
            opts=child(self),
        )


def _problems(name: str, args: BatchInferenceArgs) -> Iterator[str]:
    for batch in args["batches"]:
        owner = f"{name}.{batch['name']}"
        if batch["tenant"] not in args["store"]["keys"]:
            known = ", ".join(args["store"]["keys"]) or "none"
            yield f"{owner}: tenant {batch['tenant']!r} has no key in 'store'; there are {known}"
        wrong = problem(batch["schedule"])
        if wrong is not None:
            yield f"{owner}.schedule: {wrong}"
        for key, prefix in (("input", batch["input"]), ("output", batch["output"])):
            if not OBJECT_PREFIX.matches(prefix):
                yield f"{owner}.{key}: {prefix!r}; use {OBJECT_PREFIX.words}"


def _spec(
    batch: Batch, args: BatchInferenceArgs, own: dict[str, str], secret: pulumi.Output[str]
) -> dict[str, Any]:
    return {
        "schedule": batch["schedule"],
        "time_zone": batch["time_zone"],
        "concurrency_policy": "Forbid",
        "starting_deadline_seconds": LATE_SECONDS,
        "successful_jobs_history_limit": 3,
        "failed_jobs_history_limit": 3,
        "job_template": {
            "metadata": {"labels": own},
            "spec": {
                # The next run takes up what a failed one left.
                "backoff_limit": 0,
                "active_deadline_seconds": batch["deadline_seconds"] + WRITING_SECONDS,
                "pod_failure_policy": {
                    "rules": [
                        {
                            "action": "Ignore",
                            "on_pod_conditions": [{"type": "DisruptionTarget", "status": "True"}],
                        }
                    ]
                },
                "template": {"metadata": {"labels": own}, "spec": _pod(batch, args, secret)},
            },
        },
    }


def _pod(batch: Batch, args: BatchInferenceArgs, secret: pulumi.Output[str]) -> dict[str, Any]:
    store, supply = args["store"], args["supply"]
    plain = {
        "AWS_ENDPOINT_URL_S3": store["endpoint"],
        "AWS_REGION": store["region"],
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
    }
    return {
        "restart_policy": "Never",
        **ALONE,
        **({"priority_class_name": args["priority_class"]} if "priority_class" in args else {}),
        "security_context": restricted_pod(USER),
        "image_pull_secrets": pull_secrets(supply),
        **on_nodes(supply),
        "containers": [
            {
                "name": "tool",
                "image": reference(image("tools"), supply),
                "command": ["corral"],
                "args": [
                    "batch",
                    *("--model", batch["model"], "--url", batch["url"]),
                    *("--from", pulumi.Output.concat("s3://", store["bucket"], "/", batch["input"])),
                    *("--to", pulumi.Output.concat("s3://", store["bucket"], "/", batch["output"])),
                    *("--concurrency", str(batch["concurrency"])),
                    *("--deadline", str(batch["deadline_seconds"])),
                ],
                "env": [
                    *(
                        {"name": key, "value_from": {"secret_key_ref": {"name": secret, "key": key}}}
                        for key in CREDENTIAL_KEYS
                    ),
                    *({"name": key, "value": value} for key, value in plain.items()),
                ],
                "termination_message_policy": "FallbackToLogsOnError",
                "resources": {
                    "requests": {"cpu": "100m", "memory": "256Mi"},
                    "limits": {"memory": "1Gi"},
                },
                "security_context": restricted_container(read_only_root=True),
                "volume_mounts": [{"name": "scratch", "mount_path": SCRATCH}],
            }
        ],
        "volumes": [{"name": "scratch", "empty_dir": {"size_limit": f"{SCRATCH_GIB}Gi"}}],
    }
