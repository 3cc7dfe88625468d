"""A vector database with TLS, a credential from a Secret, closed network, alerts and a dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import (
    checked,
    child,
    fingerprint,
    install,
    labels,
    name_of,
    namespace,
    selector,
    token,
)
from corral.components._signals import alerts, dashboard, pod_monitor
from corral.components.supply import Supply
from corral.components.vector_db import network, pgvector, signals
from corral.components.vector_db.names import (
    COMPONENT,
    CREDENTIAL,
    DOORS,
    EXPORTER,
    EXPORTER_PORT,
    SERVICE,
    TLS,
)
from corral.components.vector_db.qdrant import qdrant_values

QDRANT_PODS = {"app.kubernetes.io/name": "qdrant", "app.kubernetes.io/instance": "qdrant"}


class VectorDatabaseArgs(TypedDict):
    """What a vector database needs to know."""

    engine: VectorEngine
    """Which program stores the vectors."""
    supply: Supply
    """Where charts and images come from."""
    credential: NotRequired[pulumi.Input[str]]
    """Password of user `vectors` (pgvector) or API key (qdrant), a secret; needed unless `existing`."""
    size_gib: NotRequired[int]
    """Size of each replica's volume in GiB; 10 when omitted. It can grow, not shrink."""
    memory_mib: NotRequired[int]
    """Memory of each replica in MiB; 1024 when omitted."""
    replicas: NotRequired[int]
    """Copies of the database, 1 when omitted; pgvector has one."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may connect."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    storage_class: NotRequired[str]
    """Storage class of the volumes; the cluster's default when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    protect: NotRequired[bool]
    """False: the data may be deleted with the stack; true when omitted."""
    existing: NotRequired[bool]
    """True: the database is there, with our Service name; its Service is read and nothing is installed."""
    namespace: NotRequired[str]
    """Where it runs; `vector-db` when omitted."""


class VectorDatabase(pulumi.ComponentResource):
    """Vectors stored and searched on the cluster given as provider."""

    namespace: pulumi.Output[str]
    """Where it runs."""
    service: pulumi.Output[str]
    """Host name inside the cluster."""
    port: pulumi.Output[int]
    """Port of that host: PostgreSQL's, or Qdrant's HTTP over TLS."""
    secret: pulumi.Output[str]
    """Secret in its namespace with the credential; the CA certificate is `ca.crt` of `vector-db-tls`."""

    def __init__(self, name: str, args: VectorDatabaseArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__(token(type(self)), name, {}, opts)
        args = checked(args, VectorDatabaseArgs, name)
        engine = VectorEngine(args["engine"])
        wanted = args.get("namespace", "vector-db")
        if args.get("existing", False):
            kubernetes.core.v1.Service.get(f"{name}-service", f"{wanted}/{SERVICE}", opts=child(self))
            self.namespace = pulumi.Output.from_input(wanted)
        else:
            self.namespace = self._installed(name, args, engine, wanted)
        self.service = pulumi.Output.concat(SERVICE, ".", self.namespace, ".svc")
        self.port = pulumi.Output.from_input(DOORS[engine].port)
        self.secret = pulumi.Output.from_input(CREDENTIAL)
        self.register_outputs(
            {
                "namespace": self.namespace,
                "service": self.service,
                "port": self.port,
                "secret": self.secret,
            }
        )

    def _installed(
        self, name: str, args: VectorDatabaseArgs, engine: VectorEngine, wanted: str
    ) -> pulumi.Output[str]:
        replicas = args.get("replicas", 1)
        if engine is VectorEngine.PGVECTOR and replicas != 1:
            raise pulumi.RunError(
                f"{name}: {replicas} replicas; pgvector runs on one node, qdrant on several"
            )
        if "credential" not in args:
            raise pulumi.RunError(f"{name}: 'credential' is missing; only `existing` does without it")
        space = name_of(namespace(self, f"{name}-namespace", wanted, component=COMPONENT))
        credential = self._credential(name, args, engine, args["credential"], space)
        certificate = self._certificate(name, wanted, space, replicas)
        pods = {VectorEngine.PGVECTOR: selector(COMPONENT, name), VectorEngine.QDRANT: QDRANT_PODS}[engine]
        self._network(name, args, engine, space, pods)
        make = {VectorEngine.PGVECTOR: self._pgvector, VectorEngine.QDRANT: self._qdrant}[engine]
        make(name, args, space, [credential, certificate])
        self._watched(name, args, engine, wanted, space)
        return space

    def _credential(
        self,
        name: str,
        args: VectorDatabaseArgs,
        engine: VectorEngine,
        value: pulumi.Input[str],
        space: pulumi.Input[str],
    ) -> pulumi.Resource:
        return kubernetes.core.v1.Secret(
            f"{name}-credential",
            metadata={"name": CREDENTIAL, "namespace": space, "labels": labels(COMPONENT, name)},
            string_data={DOORS[engine].key: pulumi.Output.secret(value)},
            opts=child(self, protect=args.get("protect", True)),
        )

    def _certificate(
        self, name: str, wanted: str, space: pulumi.Input[str], replicas: int
    ) -> pulumi.Resource:
        issuer = _custom(
            self,
            f"{name}-issuer",
            "cert-manager.io/v1",
            "Issuer",
            {"name": "vector-db-self-signed", "namespace": space, "labels": labels(COMPONENT, name)},
            {"selfSigned": {}},
        )
        hosts = [f"{SERVICE}.{wanted}.svc", f"{SERVICE}.{wanted}.svc.cluster.local", SERVICE]
        return _custom(
            self,
            f"{name}-certificate",
            "cert-manager.io/v1",
            "Certificate",
            {"name": TLS, "namespace": space, "labels": labels(COMPONENT, name)},
            {
                "secretName": TLS,
                "dnsNames": hosts,
                "duration": "8760h",
                "renewBefore": "720h",
                "usages": ["server auth", "digital signature", "key encipherment"],
                "issuerRef": {"name": "vector-db-self-signed", "kind": "Issuer"},
            },
            depends_on=[issuer],
        )

    def _network(
        self,
        name: str,
        args: VectorDatabaseArgs,
        engine: VectorEngine,
        space: pulumi.Input[str],
        pods: Mapping[str, str],
    ) -> None:
        spec = network.database(
            pods, args.get("clients", []), DOORS[engine].ports, args.get("scraper", "monitoring")
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata={"name": SERVICE, "namespace": space, "labels": labels(COMPONENT, name)},
            spec=cast(Any, spec),
            opts=child(self),
        )

    def _pgvector(
        self,
        name: str,
        args: VectorDatabaseArgs,
        space: pulumi.Output[str],
        before: Sequence[pulumi.Resource],
    ) -> None:
        memory = args.get("memory_mib", 1024)
        config = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata={"name": pgvector.CONFIG, "namespace": space, "labels": labels(COMPONENT, name)},
            data=pgvector.configuration(),
            opts=child(self),
        )
        claim = self._claim(name, args, space)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={
                "name": SERVICE,
                "namespace": space,
                "labels": labels(COMPONENT, name),
                # The StatefulSet behind it is awaited itself, and waits for this Service.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                "selector": selector(COMPONENT, name),
                "ports": [{"name": "postgres", "port": 5432, "target_port": "postgres"}],
            },
            opts=child(self),
        )
        # A new name of this object is a new, empty database pod beside the old volume.
        database = kubernetes.apps.v1.StatefulSet(
            f"{name}-database",
            metadata={"name": SERVICE, "namespace": space, "labels": labels(COMPONENT, name)},
            spec={
                "service_name": SERVICE,
                "replicas": 1,
                "selector": {"match_labels": selector(COMPONENT, name)},
                "template": {
                    "metadata": {
                        "labels": labels(COMPONENT, name),
                        "annotations": {"corral.dev/configuration": fingerprint(pgvector.configuration())},
                    },
                    "spec": cast(Any, pgvector.pod(memory_mib=memory, supply=args["supply"])),
                },
            },
            opts=child(
                self,
                protect=args.get("protect", True),
                depends_on=[*before, config, claim, service],
            ),
        )
        if args.get("monitors", True):
            self._exporter(name, args, space, [database])

    def _claim(self, name: str, args: VectorDatabaseArgs, space: pulumi.Input[str]) -> pulumi.Resource:
        spec: dict[str, Any] = {
            "access_modes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{args.get('size_gib', 10)}Gi"}},
        }
        if "storage_class" in args:
            spec["storage_class_name"] = args["storage_class"]
        # A new name of this object is a new, empty volume.
        return kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-data",
            metadata={
                "name": pgvector.CLAIM,
                "namespace": space,
                "labels": labels(COMPONENT, name),
                # Many storage classes bind a claim only once a pod wants it.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec=cast(Any, spec),
            opts=child(self, protect=args.get("protect", True)),
        )

    def _exporter(
        self,
        name: str,
        args: VectorDatabaseArgs,
        space: pulumi.Output[str],
        before: Sequence[pulumi.Resource],
    ) -> None:
        own = labels(EXPORTER, name)
        wanted = args.get("namespace", "vector-db")
        kubernetes.apps.v1.Deployment(
            f"{name}-exporter",
            metadata={"name": EXPORTER, "namespace": space, "labels": own},
            spec={
                "replicas": 1,
                "selector": {"match_labels": selector(EXPORTER, name)},
                "template": {
                    "metadata": {"labels": own},
                    "spec": cast(Any, pgvector.exporter_pod(namespace=wanted, supply=args["supply"])),
                },
            },
            opts=child(self, depends_on=list(before)),
        )
        pod_monitor(
            self,
            f"{name}-monitor",
            name=EXPORTER,
            namespace=space,
            labels=own,
            match=selector(EXPORTER, name),
            port=EXPORTER_PORT,
        )

    def _qdrant(
        self,
        name: str,
        args: VectorDatabaseArgs,
        space: pulumi.Output[str],
        before: Sequence[pulumi.Resource],
    ) -> None:
        values = qdrant_values(
            replicas=args.get("replicas", 1),
            size_gib=args.get("size_gib", 10),
            memory_mib=args.get("memory_mib", 1024),
            storage_class=args.get("storage_class"),
            supply=args["supply"],
        )
        install(
            self,
            f"{name}-chart",
            chart("qdrant"),
            values,
            namespace=space,
            supply=args["supply"],
            depends_on=before,
        )
        if args.get("monitors", True):
            self._qdrant_monitor(name, args.get("namespace", "vector-db"), space)

    def _qdrant_monitor(self, name: str, wanted: str, space: pulumi.Input[str]) -> None:
        key = DOORS[VectorEngine.QDRANT].key
        _custom(
            self,
            f"{name}-monitor",
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            {"name": SERVICE, "namespace": space, "labels": labels(COMPONENT, name)},
            {
                "selector": {
                    "matchLabels": {**QDRANT_PODS, "app.kubernetes.io/component": "cluster-discovery"}
                },
                "endpoints": [
                    {
                        "port": "http",
                        "path": "/metrics",
                        "interval": "30s",
                        "scheme": "https",
                        "authorization": {"type": "Bearer", "credentials": {"name": CREDENTIAL, "key": key}},
                        "tlsConfig": {
                            "ca": {"secret": {"name": TLS, "key": "ca.crt"}},
                            "serverName": f"{SERVICE}.{wanted}.svc",
                        },
                    }
                ],
            },
        )

    def _watched(
        self,
        name: str,
        args: VectorDatabaseArgs,
        engine: VectorEngine,
        wanted: str,
        space: pulumi.Input[str],
    ) -> None:
        own = labels(COMPONENT, name)
        dashboard(
            self,
            f"{name}-dashboard",
            name="corral-vector-db",
            namespace=space,
            labels=own,
            title="Vector database",
            panels=signals.panels(engine, wanted),
        )
        if args.get("monitors", True):
            alerts(
                self,
                f"{name}-alerts",
                name="corral-vector-db",
                namespace=space,
                labels=own,
                rules=signals.rules(engine, wanted),
            )


def _custom(
    parent: pulumi.Resource,
    logical: str,
    api_version: str,
    kind: str,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version=api_version,
        kind=kind,
        metadata=dict(metadata),
        spec=dict(spec),
        opts=child(parent, depends_on=list(depends_on)),
    )
