"""The bucket that models are served from: versioned, encrypted by default, closed to anonymous callers."""

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import StorageKind
from corral.components._kit import (
    checked,
    child,
    labels,
    name_of,
    namespace,
    refuse,
    selector,
    token,
)
from corral.components._signals import alerts, dashboard, service_monitor
from corral.components.model_storage.job import tool_job
from corral.components.model_storage.seaweedfs import (
    METRICS_PORT,
    READER,
    S3_PORT,
    WRITER,
    access,
    config_files,
    derived,
    pod_spec,
)
from corral.components.model_storage.signals import alerts_of, panels
from corral.components.supply import Supply

COMPONENT = "model-storage"
# The names of what holds data: another name is another, empty, store.
SERVICE = "model-storage"
CLAIM = "model-storage-data"
CONFIG = "model-storage-config"


class ModelStorageArgs(TypedDict):
    """What model storage needs to know."""

    kind: StorageKind
    """Whether the store is deployed, or there."""
    bucket: str
    """Bucket that holds the models."""
    access_key: pulumi.Input[str]
    """Access key of the store's administrator, or of an account for an existing bucket; a secret."""
    secret_key: pulumi.Input[str]
    """Secret key that belongs to it, a secret."""
    supply: Supply
    """Where images come from."""
    encryption_key: NotRequired[pulumi.Input[str]]
    """64 hex digits that encrypt the objects' keys, a secret; needed to deploy a store. It never changes."""
    endpoint: NotRequired[str]
    """URL of an existing store."""
    region: NotRequired[str]
    """Region that clients sign for; `us-east-1`, the default of S3 clients, when omitted."""
    size_gib: NotRequired[int]
    """Size of the volume in GiB, 50 when omitted. It can grow, not shrink."""
    storage_class: NotRequired[str]
    """Storage class of the volume; the cluster's default when omitted."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may read models."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    protect: NotRequired[bool]
    """False: the models may be deleted with the stack; true when omitted."""
    namespace: NotRequired[str]
    """Where the store and the import Jobs run; `model-storage` when omitted."""


class ModelStorage(pulumi.ComponentResource):
    """A bucket for models, and two identities: imports write, servers read."""

    namespace: pulumi.Output[str]
    """Where the store and the import Jobs run."""
    endpoint: pulumi.Output[str]
    """URL of the store inside the cluster."""
    bucket: pulumi.Output[str]
    """Bucket, known once it is there and proven."""
    region: pulumi.Output[str]
    """Region that clients sign for."""
    writer_secret: pulumi.Output[str]
    """Secret in its namespace with the credential of imports, as AWS_* keys."""
    reader_access_key: pulumi.Output[str]
    """Access key of the identity that only reads, a secret."""
    reader_secret_key: pulumi.Output[str]
    """Secret key of the identity that only reads, a secret."""

    def __init__(self, name: str, args: ModelStorageArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelStorageArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        space = namespace(
            self, f"{name}-namespace", args.get("namespace", "model-storage"), component=COMPONENT
        )
        self.namespace = name_of(space)
        self.region = pulumi.Output.from_input(args.get("region", "us-east-1"))
        make = {StorageKind.SEAWEEDFS: self._deployed, StorageKind.EXISTING: self._found}
        make[StorageKind(args["kind"])](name, args)
        self.writer_secret = name_of(
            self._credential(name, "writer", self._writer_access_key, self._writer_secret_key)
        )
        self.register_outputs(
            {
                "namespace": self.namespace,
                "endpoint": self.endpoint,
                "bucket": self.bucket,
                "region": self.region,
                "writer_secret": self.writer_secret,
                "reader_access_key": self.reader_access_key,
                "reader_secret_key": self.reader_secret_key,
            }
        )

    def _found(self, name: str, args: ModelStorageArgs) -> None:
        """The store is somebody else's: one account reads and writes, and its settings are theirs to keep."""
        self.endpoint = pulumi.Output.from_input(args.get("endpoint", ""))
        self.bucket = pulumi.Output.from_input(args["bucket"])
        self.reader_access_key = self._writer_access_key = pulumi.Output.secret(args["access_key"])
        self.reader_secret_key = self._writer_secret_key = pulumi.Output.secret(args["secret_key"])

    def _deployed(self, name: str, args: ModelStorageArgs) -> None:
        secret_key = pulumi.Output.secret(args["secret_key"])
        self.endpoint = pulumi.Output.concat(
            "http://", SERVICE, ".", self.namespace, f".svc.cluster.local:{S3_PORT}"
        )
        self._writer_access_key = pulumi.Output.from_input(WRITER)
        self._writer_secret_key = secret_key.apply(lambda key: derived(key, WRITER))
        self.reader_access_key = pulumi.Output.from_input(READER)
        self.reader_secret_key = secret_key.apply(lambda key: derived(key, READER))
        store = self._store(name, args, args.get("encryption_key", ""))
        self._watched(name, args)
        self.bucket = self._bucket(name, args, store)

    def _metadata(self, name: str, physical: str) -> dict[str, Any]:
        return {"name": physical, "namespace": self.namespace, "labels": labels(COMPONENT, name)}

    def _credential(
        self, name: str, identity: str, access_key: pulumi.Input[str], secret_key: pulumi.Input[str]
    ) -> kubernetes.core.v1.Secret:
        content: Mapping[str, pulumi.Input[str]] = {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
        }
        return kubernetes.core.v1.Secret(
            f"{name}-{identity}",
            metadata=cast(Any, self._metadata(name, f"{SERVICE}-{identity}")),
            string_data=content,
            opts=child(self),
        )

    def _store(
        self, name: str, args: ModelStorageArgs, encryption_key: pulumi.Input[str]
    ) -> kubernetes.apps.v1.StatefulSet:
        protect = args.get("protect", True)
        config = kubernetes.core.v1.Secret(
            f"{name}-config",
            metadata=cast(Any, self._metadata(name, CONFIG)),
            string_data=pulumi.Output.all(
                bucket=args["bucket"],
                access_key=args["access_key"],
                secret_key=args["secret_key"],
                encryption_key=pulumi.Output.secret(encryption_key),
            ).apply(lambda given: config_files(**given)),
            opts=child(self, protect=protect),
        )
        claim = self._claim(name, args, protect=protect)
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-access",
            metadata=cast(Any, self._metadata(name, SERVICE)),
            spec=cast(
                Any,
                access(COMPONENT, name, args.get("clients", []), args.get("scraper", "monitoring")),
            ),
            opts=child(self),
        )
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=cast(Any, self._metadata(name, SERVICE)),
            spec={
                "selector": selector(COMPONENT, name),
                "ports": [
                    {"name": "s3", "port": S3_PORT, "target_port": S3_PORT},
                    {"name": "metrics", "port": METRICS_PORT, "target_port": METRICS_PORT},
                ],
            },
            opts=child(self),
        )
        return kubernetes.apps.v1.StatefulSet(
            f"{name}-store",
            metadata=cast(Any, self._metadata(name, SERVICE)),
            spec=cast(
                Any,
                {
                    "replicas": 1,
                    "service_name": SERVICE,
                    "selector": {"match_labels": selector(COMPONENT, name)},
                    "template": {
                        "metadata": {"labels": labels(COMPONENT, name)},
                        "spec": pod_spec(CONFIG, CLAIM, args["supply"]),
                    },
                },
            ),
            opts=child(self, depends_on=[config, claim], protect=protect),
        )

    def _claim(
        self, name: str, args: ModelStorageArgs, *, protect: bool
    ) -> kubernetes.core.v1.PersistentVolumeClaim:
        return kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-data",
            metadata=cast(Any, self._metadata(name, CLAIM)),
            spec={
                "access_modes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": f"{args.get('size_gib', 50)}Gi"}},
                "storage_class_name": args.get("storage_class"),
            },
            opts=child(self, protect=protect),
        )

    def _bucket(self, name: str, args: ModelStorageArgs, store: pulumi.Resource) -> pulumi.Output[str]:
        """Make the bucket and prove its settings; the output is known when that is done."""
        admin = self._credential(name, "admin", args["access_key"], args["secret_key"])
        done = tool_job(
            self,
            f"{name}-bucket",
            prefix=f"{SERVICE}-bucket",
            namespace=self.namespace,
            labels=labels(COMPONENT, name, job="bucket"),
            arguments=["bucket", "ensure", "--name", args["bucket"]],
            identity=["bucket", args["bucket"]],
            endpoint=self.endpoint,
            region=self.region,
            credential=name_of(admin),
            supply=args["supply"],
            depends_on=[store],
        )
        return done.id.apply(lambda _: args["bucket"])

    def _watched(self, name: str, args: ModelStorageArgs) -> None:
        wanted = args.get("namespace", "model-storage")
        own = labels(COMPONENT, name)
        dashboard(
            self,
            f"{name}-dashboard",
            name=f"corral-{COMPONENT}",
            namespace=self.namespace,
            labels=own,
            title="Model storage",
            panels=panels(wanted, CLAIM),
        )
        if not args.get("monitors", True):
            return
        service_monitor(
            self,
            f"{name}-monitor",
            name=SERVICE,
            namespace=self.namespace,
            labels=own,
            match=selector(COMPONENT, name),
            port="metrics",
        )
        alerts(
            self,
            f"{name}-alerts",
            name=SERVICE,
            namespace=self.namespace,
            labels=own,
            rules=alerts_of(wanted, CLAIM),
        )


def _problems(name: str, args: ModelStorageArgs) -> Iterator[str]:
    match StorageKind(args["kind"]):
        case StorageKind.EXISTING if "endpoint" not in args:
            yield f"{name}: 'endpoint' is missing; an existing store has one"
        case StorageKind.SEAWEEDFS if "encryption_key" not in args:
            yield f"{name}: 'encryption_key' is missing; a deployed store encrypts with it"
        case _:
            pass
