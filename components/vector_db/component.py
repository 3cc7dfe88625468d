"""A vector database with TLS, a credential from a Secret, closed network, alerts and a dashboard."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import Addon, VectorEngine
from corral.components._kit import checked, child, prerequisite, refuse, selector, token
from corral.components._namespaces import namespace_of
from corral.components.vector_db import shared
from corral.components.vector_db.args import VectorDatabaseArgs, problems
from corral.components.vector_db.names import COMPONENT, CREDENTIAL, ENDPOINTS, NAMESPACE, SERVICE
from corral.components.vector_db.pgvector import builder as pgvector
from corral.components.vector_db.qdrant import builder as qdrant

BUILDERS = {VectorEngine.PGVECTOR: pgvector.build, VectorEngine.QDRANT: qdrant.build}


class VectorDatabase(pulumi.ComponentResource):
    """Vectors stored and searched on the cluster given as provider.

    cert-manager must be there, which makes its certificate, and with `monitors` the Prometheus operator's
    resource types.
    """

    namespace: pulumi.Output[str]
    """Where it runs."""
    service: pulumi.Output[str]
    """Host name inside the cluster."""
    port: pulumi.Output[int]
    """Port of that host: PostgreSQL's, or Qdrant's HTTP over TLS."""
    secret: pulumi.Output[str]
    """Secret in its namespace with the credential; the CA certificate is `ca.crt` of `vector-db-tls`."""

    def __init__(self, name: str, args: VectorDatabaseArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, VectorDatabaseArgs, name)
        refuse(problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        engine = VectorEngine(args["engine"])
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            kubernetes.core.v1.Service.get(f"{name}-service", f"{space}/{SERVICE}", opts=child(self))
            self.namespace = pulumi.Output.from_input(space)
        else:
            self.namespace = self._installed(name, args, space)
        self.service = pulumi.Output.concat(SERVICE, ".", self.namespace, ".svc")
        self.port = pulumi.Output.from_input(ENDPOINTS[engine].port)
        self.secret = pulumi.Output.from_input(CREDENTIAL)
        self.register_outputs(
            {
                "namespace": self.namespace,
                "service": self.service,
                "port": self.port,
                "secret": self.secret,
            }
        )

    def _installed(self, name: str, args: VectorDatabaseArgs, space: str) -> pulumi.Output[str]:
        engine = VectorEngine(args["engine"])
        certificates = prerequisite(self, name, Addon.CERT_MANAGER, args.get("cert_manager"))
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        before = [
            shared.credential(self, name, args, namespace),
            shared.certificate(self, name, space, namespace, certificates),
        ]
        clustered = engine is VectorEngine.QDRANT
        pods = qdrant.QDRANT_PODS if clustered else selector(COMPONENT, name)
        shared.network_policy(self, name, args, namespace, pods)
        BUILDERS[engine](self, name, args, namespace, before)
        scrape = qdrant.monitor(args) if clustered else pgvector.monitor(name)
        shared.watched(self, name, args, namespace, scrape)
        return namespace
