"""A vector database with TLS, a credential from a Secret, closed network, alerts and a dashboard."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import checked, child, name_of, namespace, refuse, selector, token
from corral.components.vector_db import shared
from corral.components.vector_db.args import VectorDatabaseArgs, problems
from corral.components.vector_db.names import COMPONENT, CREDENTIAL, DOORS, SERVICE
from corral.components.vector_db.pgvector import builder as pgvector
from corral.components.vector_db.qdrant import builder as qdrant

BUILDERS = {VectorEngine.PGVECTOR: pgvector.build, VectorEngine.QDRANT: qdrant.build}


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
        args = checked(args, VectorDatabaseArgs, name)
        refuse(problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        engine = VectorEngine(args["engine"])
        wanted = args.get("namespace", "vector-db")
        if args.get("existing", False):
            kubernetes.core.v1.Service.get(f"{name}-service", f"{wanted}/{SERVICE}", opts=child(self))
            self.namespace = pulumi.Output.from_input(wanted)
        else:
            self.namespace = self._installed(name, args, wanted)
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

    def _installed(self, name: str, args: VectorDatabaseArgs, wanted: str) -> pulumi.Output[str]:
        engine = VectorEngine(args["engine"])
        space = name_of(namespace(self, f"{name}-namespace", wanted, component=COMPONENT))
        before = [
            shared.credential(self, name, args, space),
            shared.certificate(self, name, wanted, space),
        ]
        pods = qdrant.QDRANT_PODS if engine is VectorEngine.QDRANT else selector(COMPONENT, name)
        shared.network_policy(self, name, args, space, pods)
        BUILDERS[engine](self, name, args, space, before)
        shared.watch(self, name, args, wanted, space)
        return space
