"""SeaweedFS as the store: its objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.stores import BATCHES
from corral.components._credentials import CREDENTIAL_REVISION, revision
from corral.components._kit import child, labels, name_of, selector
from corral.components._network import (
    SAME_NAMESPACE,
    SCRAPER_NAMESPACE,
    ingress,
    namespace_peer,
    policy,
)
from corral.components.model_storage.args import ModelStorageArgs
from corral.components.model_storage.encryption_key import ANNOTATION, keeping, key_revision
from corral.components.model_storage.job import credential_secret, tool_job
from corral.components.model_storage.names import BUCKET_JOB, CLAIM, COMPONENT, CONFIG, SERVICE
from corral.components.model_storage.seaweedfs import (
    METRICS_PORT,
    S3_PORT,
    config_files,
    pod_spec,
)
from corral.components.store import Store


@dataclass(frozen=True)
class Owner:
    """The component that the objects belong to, and the namespace they go to."""

    component: pulumi.Resource
    name: str
    namespace: pulumi.Output[str]

    def metadata(self, name: str, annotations: Mapping[str, pulumi.Input[str]] | None = None) -> Any:
        """Metadata of an object called `name`."""
        noted = {"annotations": annotations} if annotations else {}
        return {**noted, "name": name, "namespace": self.namespace, "labels": labels(COMPONENT, self.name)}


def deploy(owner: Owner, args: ModelStorageArgs) -> pulumi.Resource:
    """Volume, configuration, Service, network policy and the one pod; what is ready once S3 answers."""
    protect = args.get("protect", True)
    config = _config(owner, args, protect=protect)
    claim = _claim(owner, args, protect=protect)
    kubernetes.networking.v1.NetworkPolicy(
        f"{owner.name}-access",
        metadata=owner.metadata(SERVICE),
        spec=cast(Any, _access(owner, args)),
        opts=child(owner.component),
    )
    ports = {"s3": S3_PORT, "metrics": METRICS_PORT}
    kubernetes.core.v1.Service(
        f"{owner.name}-service",
        metadata=owner.metadata(SERVICE),
        spec={
            "selector": selector(COMPONENT, owner.name),
            "ports": [{"name": name, "port": port, "target_port": port} for name, port in ports.items()],
        },
        opts=child(owner.component),
    )
    return kubernetes.apps.v1.StatefulSet(
        f"{owner.name}-store",
        metadata=owner.metadata(SERVICE),
        spec=cast(
            Any,
            {
                "replicas": 1,
                "service_name": SERVICE,
                "selector": {"match_labels": selector(COMPONENT, owner.name)},
                "template": {
                    "metadata": {
                        "labels": labels(COMPONENT, owner.name),
                        # The store reads its identities when it starts.
                        "annotations": {
                            CREDENTIAL_REVISION: revision(
                                args.get("access_key", ""),
                                args.get("secret_key", ""),
                                *args.get("batch_tenants", []),
                            )
                        },
                    },
                    "spec": pod_spec(CONFIG, CLAIM, args["supply"]),
                },
            },
        ),
        opts=child(owner.component, depends_on=[config, claim], protect=protect),
    )


def ensure_buckets(
    owner: Owner, args: ModelStorageArgs, store: Store, deployed: pulumi.Resource
) -> tuple[pulumi.Output[str], pulumi.Output[str] | None]:
    """The bucket of models, and that of batches, each known once it is made and its settings are proven.

    None: there are no batches.
    """
    admin = credential_secret(
        owner.component,
        f"{owner.name}-admin",
        owner.metadata(f"{SERVICE}-admin"),
        args.get("access_key", ""),
        args.get("secret_key", ""),
    )

    def ensured(bucket: str, logical: str) -> pulumi.Output[str]:
        return _ensured(owner, args, store, deployed, name_of(admin), bucket, logical)

    models = ensured(str(args["bucket"]), "bucket")
    return models, ensured(BATCHES, "batches") if args.get("batch_tenants") else None


def _ensured(
    owner: Owner,
    args: ModelStorageArgs,
    store: Store,
    deployed: pulumi.Resource,
    admin: pulumi.Output[str],
    bucket: str,
    logical: str,
) -> pulumi.Output[str]:
    done = tool_job(
        owner.component,
        f"{owner.name}-{logical}",
        prefix=f"{SERVICE}-bucket",
        labels=labels(BUCKET_JOB, owner.name, job="bucket"),
        arguments=["bucket", "ensure", "--name", bucket],
        identity=["bucket", bucket],
        store=store,
        credential=admin,
        supply=args["supply"],
        depends_on=[deployed],
    )
    return done.id.apply(lambda _: bucket)


def _access(owner: Owner, args: ModelStorageArgs) -> dict[str, Any]:
    """NetworkPolicy: S3 for the own namespace and the clients', metrics for the scraper, nothing out."""
    clients = [namespace_peer(name) for name in args.get("clients", [])]
    scraper = namespace_peer(args.get("scraper", SCRAPER_NAMESPACE))
    return policy(
        pods=selector(COMPONENT, owner.name),
        ingress=[ingress([SAME_NAMESPACE, *clients], S3_PORT), ingress([scraper], METRICS_PORT)],
        egress=[],
    )


def _config(owner: Owner, args: ModelStorageArgs, *, protect: bool) -> kubernetes.core.v1.Secret:
    encryption_key = pulumi.Output.secret(args.get("encryption_key", ""))
    return kubernetes.core.v1.Secret(
        f"{owner.name}-config",
        metadata=owner.metadata(CONFIG, {ANNOTATION: key_revision(encryption_key)}),
        string_data=pulumi.Output.all(
            bucket=args["bucket"],
            access_key=args.get("access_key", ""),
            secret_key=args.get("secret_key", ""),
            encryption_key=encryption_key,
            tenants=args.get("batch_tenants", []),
        ).apply(lambda known: config_files(**known)),
        opts=child(owner.component, protect=protect, hooks=keeping(owner.name)),
    )


def _claim(
    owner: Owner, args: ModelStorageArgs, *, protect: bool
) -> kubernetes.core.v1.PersistentVolumeClaim:
    return kubernetes.core.v1.PersistentVolumeClaim(
        f"{owner.name}-data",
        metadata=owner.metadata(CLAIM),
        spec={
            "access_modes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{args.get('size_gib', 50)}Gi"}},
            "storage_class_name": args.get("storage_class"),
        },
        opts=child(owner.component, protect=protect),
    )
