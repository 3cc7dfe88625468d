"""Arguments of VectorDatabase."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.vector_db import VectorDatabase, VectorDatabaseArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import Wiring


def vector_db_args(context: DeployContext) -> VectorDatabaseArgs | None:
    """The vector database; None: the stack file describes none."""
    database, addon = context.plan.vector_db, Addon.VECTOR_DB
    if database is None:
        return None
    args: VectorDatabaseArgs = {
        **context.installed(addon),
        **context.volumes,
        **context.caches,
        "engine": database.engine,
        "size_gib": database.size_gib,
        "memory_mib": database.memory_mib,
        "replication_factor": database.replication_factor,
        "replicas": database.replicas,
        "clients": context.tenant_namespaces,
        "scraper": context.scraper,
        **context.watched(addon),
        "protect": context.capabilities.protects_data,
        "namespace": database.namespace,
    }
    cert_manager = context.built.get(CertManager)
    if cert_manager is not None:
        args["cert_manager"] = cert_manager.namespace
    if not context.existing(addon):
        store = context.secret_store
        if store is None:
            args["credential"] = secret(database.secret)
        else:
            args["secret_store"] = store
    return args


WIRING = Wiring(VectorDatabase, vector_db_args)
