"""A Job of our tools image beside the store."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.images import image
from corral.components._kit import child, fingerprint
from corral.components._pods import ALONE, restricted_container, restricted_pod
from corral.components._secrets import secret_object
from corral.components.secret_store import SecretStore
from corral.components.store import Store, variables
from corral.components.supply import Supply, on_nodes, pull_secrets, reference

CREDENTIAL_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
STORED = {"access_key": "storage-access-key", "secret_key": "storage-secret-key"}
"""Keys of a store's account in a store of secrets."""
SCRATCH = "/scratch"
USER = 1000
TIMEOUT = "120m"
"""Pulumi waits this long; a model of hundreds of GiB takes its time."""


def credential_secret(
    parent: pulumi.Resource,
    logical: str,
    metadata: Mapping[str, Any],
    access_key: pulumi.Input[str] | None,
    secret_key: pulumi.Input[str] | None,
    store: SecretStore | None = None,
) -> pulumi.Resource:
    """Secret with the credential of one identity, as AWS_* keys; None of it where `store` has it."""
    return secret_object(
        parent,
        logical,
        metadata,
        values={"access_key": access_key, "secret_key": secret_key},
        keys=STORED,
        store=store,
        texts=lambda known: dict(zip(CREDENTIAL_KEYS, known.values(), strict=True)),
    )


def tool_job(
    parent: pulumi.Resource,
    logical: str,
    *,
    prefix: str,
    labels: dict[str, str],
    arguments: Sequence[pulumi.Input[str]],
    identity: Sequence[str],
    store: Store,
    credential: pulumi.Input[str] | None,
    supply: Supply,
    settings: Mapping[str, pulumi.Input[str]] | None = None,
    secrets: Mapping[str, tuple[pulumi.Input[str], str]] | None = None,
    scratch_gib: int = 1,
    priority_class: pulumi.Input[str] | None = None,
    depends_on: Sequence[pulumi.Resource] = (),
) -> kubernetes.batch.v1.Job:
    """Run `corral <arguments>` beside `store` to its end.

    Another `identity` (of what is done) or image is another Job.
    The credential's Secret gives the AWS_* variables; nothing secret stands in the arguments. None: the pod
    is let in as the store's `writer_account`. The tools
    repeat by themselves what may pass, so a Job that failed stays failed until a later `up` replaces it.

    Args:
        settings: further variables.
        secrets: further variables, each by Secret and key in it.
        scratch_gib: what the tool keeps on the node at most.
        priority_class: PriorityClass of its pod; the cluster's default when None.
    """
    tools = reference(image("tools"), supply)
    keys = {} if credential is None else {key: (credential, key) for key in CREDENTIAL_KEYS}
    taken = keys | dict(secrets or {})
    account = {"service_account_name": store["writer_account"]} if "writer_account" in store else {}
    credentials: list[dict[str, Any]] = [
        {"name": variable, "value_from": {"secret_key_ref": {"name": name, "key": key}}}
        for variable, (name, key) in taken.items()
    ]
    plain = {
        **variables(store),
        **(settings or {}),
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
    }
    pod: dict[str, Any] = {
        "restart_policy": "Never",
        **ALONE,
        **account,
        **({} if priority_class is None else {"priority_class_name": priority_class}),
        "security_context": restricted_pod(USER),
        "image_pull_secrets": pull_secrets(supply),
        **on_nodes(supply),
        "containers": [
            {
                "name": "tool",
                "image": tools,
                "command": ["corral"],
                "args": list(arguments),
                "env": [
                    *credentials,
                    *({"name": variable, "value": value} for variable, value in plain.items()),
                ],
                # The last words of a tool that failed stand in the pod's status, where Pulumi shows them.
                "termination_message_policy": "FallbackToLogsOnError",
                "resources": {
                    "requests": {
                        "cpu": "250m",
                        "memory": "256Mi",
                    },
                    "limits": {"memory": "1Gi"},
                },
                "security_context": restricted_container(),
                "volume_mounts": [{"name": "scratch", "mount_path": SCRATCH}],
            }
        ],
        "volumes": [{"name": "scratch", "empty_dir": {"size_limit": f"{scratch_gib}Gi"}}],
    }
    spec: dict[str, Any] = {
        "backoff_limit": 0,
        # A pod that its node had to give up is no failure of the tool.
        "pod_failure_policy": {
            "rules": [
                {"action": "Ignore", "on_pod_conditions": [{"type": "DisruptionTarget", "status": "True"}]}
            ]
        },
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return kubernetes.batch.v1.Job(
        logical,
        metadata={
            "name": f"{prefix}-{fingerprint(list(identity), tools)}",
            "namespace": store["namespace"],
            "labels": labels,
            # A Job that failed is made anew by the next `up`.
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        spec=cast(Any, spec),
        opts=child(
            parent,
            depends_on=list(depends_on),
            custom_timeouts=pulumi.CustomTimeouts(create=TIMEOUT),
        ),
    )
