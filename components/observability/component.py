"""Prometheus, Alertmanager and Grafana, which find what every other component declares about itself."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.secret_keys import ALERTS_URL
from corral.catalogue.vocabulary import Addon, AlertReceiver
from corral.components._kit import (
    PodSecurity,
    checked,
    existing_api,
    install,
    labels,
    prerequisite,
    refuse,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._secrets import either, revision_of, secret_object
from corral.components._words import AlertReceiverWord
from corral.components.observability.alerts import ALERTS_SECRET, alertmanager_config
from corral.components.observability.values import (
    ADMIN_PASSWORD_KEY,
    ADMIN_SECRET,
    ADMIN_USER_KEY,
    FULL_NAME,
    GRAFANA,
    GRAFANA_PORT,
    PROMETHEUS_PORT,
    operated,
    stack_values,
)
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply

COMPONENT = "observability"
NAMESPACE = descriptor(Addon.OBSERVABILITY).namespace
PROMETHEUSES = definition(Addon.OBSERVABILITY)
ADMIN_USER = "admin"
(PASSWORD,) = (one.key for one in descriptor(Addon.OBSERVABILITY).secrets)


class ObservabilityArgs(TypedDict):
    """What observability needs to know."""

    supply: Supply
    """Where the chart and its images come from."""
    grafana_password: NotRequired[pulumi.Input[str]]
    """Password of Grafana's user `admin`, a secret; needed unless `existing` or with `secret_store`."""
    retention_days: NotRequired[int]
    """Days that samples are kept; 15 when omitted."""
    size_gib: NotRequired[int]
    """Size of Prometheus' volume in GiB; 20 when omitted. The oldest samples go when it fills up."""
    control_plane: NotRequired[bool]
    """True where the cluster's scheduler, controller manager, etcd and kube-proxy can be scraped; false when
    omitted: their alerts would fire for ever."""
    storage_class: NotRequired[str]
    """Storage class of that volume; the cluster's default when omitted."""
    alerts: NotRequired[AlertReceiverWord]
    """Who alerts are sent to; nobody when omitted."""
    alerts_url: NotRequired[pulumi.Input[str]]
    """Address of that receiver, a secret."""
    secret_store: NotRequired[SecretStore]
    """What has both, as `grafana-password` and `alerts-url`."""
    existing: NotRequired[bool]
    """True: Prometheus' operator is there; its resource types are checked and nothing is installed."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `monitoring` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class Observability(pulumi.ComponentResource):
    """Metrics, alerts and dashboards of the cluster given as provider.

    The Prometheus operator's resource types must be there, as component Crds makes them.
    """

    namespace: pulumi.Output[str]
    """Where it runs; scrapers come from here."""
    grafana: pulumi.Output[str]
    """Host and port of the Grafana Service inside the cluster."""
    prometheus: pulumi.Output[str]
    """URL of Prometheus inside the cluster; of one that was there already by the Service that its operator
    makes."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ObservabilityArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            existing_api(self, f"{name}-prometheuses", *PROMETHEUSES)
            self.namespace = pulumi.Output.from_input(space)
            self.prometheus = pulumi.Output.from_input(operated(space))
        else:
            self.namespace = self._installed(name, args, space)
            self.prometheus = pulumi.Output.concat(
                "http://", FULL_NAME, "-prometheus.", self.namespace, f".svc:{PROMETHEUS_PORT}"
            )
        self.grafana = pulumi.Output.concat(GRAFANA, ".", self.namespace, f".svc:{GRAFANA_PORT}")
        self.register_outputs(
            {"namespace": self.namespace, "grafana": self.grafana, "prometheus": self.prometheus}
        )

    def _installed(self, name: str, args: ObservabilityArgs, space: str) -> pulumi.Output[str]:
        types = prerequisite(self, name, Addon.PROMETHEUS_CRDS, args.get("monitor_types"))
        # The node exporter reads the host: its namespace cannot be restricted.
        namespace = namespace_of(self, name, space, args, component=COMPONENT, level=PodSecurity.PRIVILEGED)
        store = args.get("secret_store")
        admin = secret_object(
            self,
            f"{name}-grafana-admin",
            {"name": ADMIN_SECRET, "namespace": namespace, "labels": labels(COMPONENT, name)},
            values={"password": args.get("grafana_password")},
            keys={"password": PASSWORD},
            store=store,
            texts=lambda known: {ADMIN_USER_KEY: ADMIN_USER, ADMIN_PASSWORD_KEY: known["password"]},
        )
        before = [admin]
        if "alerts" in args:
            receiver = AlertReceiver(args["alerts"])
            before.append(
                secret_object(
                    self,
                    f"{name}-alerts",
                    {"name": ALERTS_SECRET, "namespace": namespace, "labels": labels(COMPONENT, name)},
                    values={"url": args.get("alerts_url")},
                    keys={"url": ALERTS_URL},
                    store=store,
                    texts=lambda known: {"alertmanager.yaml": alertmanager_config(receiver, known["url"])},
                    quoted=True,
                )
            )
        values = stack_values(
            retention_days=args.get("retention_days", 15),
            size_gib=args.get("size_gib", 20),
            storage_class=args.get("storage_class"),
            control_plane=args.get("control_plane", False),
            credential_revision=revision_of(store, args.get("grafana_password", "")),
            alerts="alerts" in args,
            supply=args["supply"],
        )
        install(
            self,
            f"{name}-chart",
            chart("kube-prometheus-stack"),
            values,
            namespace=namespace,
            supply=args["supply"],
            depends_on=[*types, *before],
        )
        return namespace


def _problems(name: str, args: ObservabilityArgs) -> Iterator[str]:
    if not args.get("existing", False):
        yield from either(name, args, "grafana_password")
    if "secret_store" in args:
        if "alerts_url" in args:
            yield f"{name}: 'alerts_url' is in 'secret_store': leave one of them out"
    elif ("alerts" in args) != ("alerts_url" in args):
        yield f"{name}: give both 'alerts' and 'alerts_url', or none"
    if "alerts" in args and args.get("existing", False):
        yield f"{name}: 'alerts' is for an Alertmanager of its own; leave it out with `existing`"
