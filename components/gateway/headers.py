"""Headers of calls on their way to models."""

from typing import Any

import pulumi

from corral.catalogue.disaggregation import PREFILL_HEADER
from corral.catalogue.serving_kinds import prefill_names
from corral.components.gateway.args import RoutedTenant


def headers(tenant: RoutedTenant, model: str) -> dict[str, Any]:
    """What a model of `tenant` sees: not what proves who calls, and where its prompt is read, if apart."""
    shown: dict[str, Any] = {"remove": ["Authorization"]}
    if model in tenant.get("disaggregated", []):
        names = prefill_names(model)
        host = pulumi.Output.concat(
            names.service, ".", tenant["namespace"], f".svc.cluster.local:{names.port}"
        )
        shown["set"] = [{"name": PREFILL_HEADER, "value": host}]
    return shown
