"""Arguments of Observability."""

from corral.catalogue.vocabulary import Addon
from corral.components.observability import Observability, ObservabilityArgs
from corral.stacks.config.stack_config import ALERTS_URL
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import Wiring


def observability_args(context: DeployContext) -> ObservabilityArgs | None:
    """Metrics, dashboards and alerts; None: the stack file describes none."""
    watch, addon = context.plan.observability, Addon.OBSERVABILITY
    if watch is None:
        return None
    args: ObservabilityArgs = {
        **context.installed(addon),
        **context.volumes,
        "retention_days": watch.retention_days,
        "size_gib": watch.size_gib,
        "control_plane": watch.control_plane,
        "monitor_types": context.watched()["monitor_types"],
        "namespace": watch.namespace,
    }
    if watch.alerts is not None:
        args["alerts"] = watch.alerts
    if context.existing(addon):
        return args
    store = context.secret_store
    if store is not None:
        args["secret_store"] = store
        return args
    args["grafana_password"] = secret("grafana-password")
    if watch.alerts is not None:
        args["alerts_url"] = secret(ALERTS_URL)
    return args


WIRING = Wiring(Observability, observability_args)
