"""The bucket that models are served from: versioned, encrypted by default, closed to anonymous callers."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.stores import CLOUD_STORAGE, SCHEMES, port_of
from corral.catalogue.vocabulary import StorageKind
from corral.components._kit import checked, child, name_of, refuse, selector, token
from corral.components._namespaces import namespace_of
from corral.components._signals import Monitor, watch
from corral.components.model_storage.args import ModelStorageArgs, problems
from corral.components.model_storage.deployment import Owner, deploy, ensure_buckets
from corral.components.model_storage.job import credential_secret
from corral.components.model_storage.names import CLAIM, COMPONENT, NAMESPACE, SERVICE, WRITER_ACCOUNT
from corral.components.model_storage.seaweedfs import READER, S3_PORT, WRITER, batch_key, derived
from corral.components.model_storage.signals import signals
from corral.components.store import BatchKey, BatchStore, Store


@dataclass(frozen=True)
class _Credential:
    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]


class ModelStorage(pulumi.ComponentResource):
    """A bucket for models, and two identities: imports write, servers read.

    Of kind `s3` or `gcs` the bucket is there already, such as an `EksModelBucket` or a `GkeModelBucket`, and
    lets pods in by their account: imports as `model-writer`, models as their own. With `monitors` the
    Prometheus operator's resource types must be there.
    """

    store: Store
    """How importers and models reach it; the bucket is known once it is there and proven."""
    batches: BatchStore | None
    """How batches reach theirs; None: it has none."""

    def __init__(self, name: str, args: ModelStorageArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelStorageArgs, name)
        refuse(problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        namespace = namespace_of(self, name, args.get("namespace", NAMESPACE), args, component=COMPONENT)
        owner = Owner(self, name, namespace)
        make = {
            StorageKind.SEAWEEDFS: self._deployed,
            StorageKind.EXISTING: self._existing,
            StorageKind.S3: self._keyless,
            StorageKind.GCS: self._keyless,
        }
        self.batches = None
        self.store = make[StorageKind(args["kind"])](owner, args)
        self.register_outputs({"store": self.store, "batches": self.batches})

    def _existing(self, owner: Owner, args: ModelStorageArgs) -> Store:
        """Somebody else's store: one account reads and writes, and its settings are theirs to keep."""
        account = (
            None
            if "secret_store" in args
            else _Credential(
                pulumi.Output.secret(args.get("access_key", "")),
                pulumi.Output.secret(args.get("secret_key", "")),
            )
        )
        endpoint = str(args.get("endpoint", ""))
        return self._store(
            owner,
            args,
            pulumi.Output.from_input(endpoint),
            port_of(endpoint),
            account,
            account,
        )

    def _keyless(self, owner: Owner, args: ModelStorageArgs) -> Store:
        """A bucket that the cloud opens to accounts of pods, so that nobody holds a key."""
        account = kubernetes.core.v1.ServiceAccount(
            f"{owner.name}-writer",
            metadata=owner.metadata(WRITER_ACCOUNT),
            automount_service_account_token=False,
            opts=child(self),
        )
        return {
            "scheme": SCHEMES[StorageKind(args["kind"])].value,
            "endpoint": args.get("endpoint", CLOUD_STORAGE),
            "port": port_of(CLOUD_STORAGE),
            "region": args.get("region", ""),
            "bucket": args["bucket"],
            "namespace": owner.namespace,
            "writer_account": name_of(account),
        }

    def _deployed(self, owner: Owner, args: ModelStorageArgs) -> Store:
        secret_key = pulumi.Output.secret(args.get("secret_key", ""))
        writer, reader = (
            _Credential(
                pulumi.Output.from_input(identity),
                secret_key.apply(lambda key, identity=identity: derived(key, identity)),
            )
            for identity in (WRITER, READER)
        )
        endpoint = pulumi.Output.concat(
            "http://", SERVICE, ".", owner.namespace, f".svc.cluster.local:{S3_PORT}"
        )
        deployed = deploy(owner, args)
        self._watched(owner.name, args, owner.namespace)
        store = self._store(owner, args, endpoint, S3_PORT, writer, reader)
        models, batches = ensure_buckets(owner, args, store, deployed)
        if batches is not None:
            self.batches = {
                "endpoint": endpoint,
                "region": store["region"],
                "bucket": batches,
                "keys": {one: self._batch_key(one, secret_key) for one in args.get("batch_tenants", [])},
            }
        return {**store, "bucket": models}

    def _batch_key(self, tenant: str, secret_key: pulumi.Output[str]) -> BatchKey:
        access_key = batch_key(tenant)
        return {
            "access_key": access_key,
            "secret_key": secret_key.apply(lambda key: derived(key, access_key)),
        }

    def _store(
        self,
        owner: Owner,
        args: ModelStorageArgs,
        endpoint: pulumi.Output[str],
        port: int,
        writer: _Credential | None,
        reader: _Credential | None,
    ) -> Store:
        """The store by its two identities; None: a store of secrets has the one that is both."""
        external = args.get("secret_store")
        secret = credential_secret(
            self,
            f"{owner.name}-writer",
            owner.metadata(f"{SERVICE}-writer"),
            writer and writer.access_key,
            writer and writer.secret_key,
            external,
        )
        store: Store = {
            "endpoint": endpoint,
            "port": port,
            "region": pulumi.Output.from_input(args.get("region", "us-east-1")),
            "bucket": pulumi.Output.from_input(args["bucket"]),
            "namespace": owner.namespace,
            "writer_secret": name_of(secret),
        }
        if reader is not None:
            store["reader_access_key"], store["reader_secret_key"] = reader.access_key, reader.secret_key
        if external is not None:
            store["reader_store"] = external
        return store

    def _watched(self, name: str, args: ModelStorageArgs, namespace: pulumi.Input[str]) -> None:
        watch(
            self,
            name,
            lambda space: signals(space, CLAIM),
            namespace=namespace,
            component=COMPONENT,
            args=args,
            scrape=Monitor(selector(COMPONENT, name), "metrics"),
        )
