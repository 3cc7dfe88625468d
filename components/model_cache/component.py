"""Files of models on the disks of nodes, which KServe fetches before a replica comes."""

from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import (
    checked,
    child,
    existing_api,
    install,
    labels,
    name_of,
    prerequisite,
    refuse,
    token,
)
from corral.components.kyverno.known import started_anew
from corral.components.model_cache.args import ModelCacheArgs
from corral.components.model_cache.objects import API, chart_values, download, node_group, scheduling
from corral.components.model_storage.job import credential_secret

COMPONENT = "model-cache"
CACHES = definition(Addon.MODEL_CACHE)
NAMESPACE = descriptor(Addon.MODEL_CACHE).namespace


class ModelCache(pulumi.ComponentResource):
    """Lets models with `cache` be kept by the nodes of pools, on the cluster given as provider.

    KServe must be there with `cache_jobs`, which runs downloads in the namespace of the store's imports, and
    cert-manager, for the certificate of a webhook, and Kyverno, which lets downloads run on GPU nodes. Nodes
    need the label `kserve/localmodel: worker`, and a folder `/models/models` of user and group 65532. The
    chart's agent may read every Secret of the cluster.
    """

    node_groups: pulumi.Output[dict[str, str]]
    """Name of the LocalModelNodeGroup by pool, known once caches can be made."""

    def __init__(self, name: str, args: ModelCacheArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelCacheArgs, name)
        if "reader_access_key" not in args["store"]:
            refuse([f"{name}.store: 'reader_access_key' is missing; downloads have no identity but a key"])
        super().__init__(token(type(self)), name, {}, opts)
        types = self._controllers(name, args)
        before = self._downloads(name, args, types)
        groups = {
            one["pool"]: kubernetes.apiextensions.CustomResource(
                f"{name}-{one['pool']}",
                api_version=API,
                kind="LocalModelNodeGroup",
                metadata={"name": one["pool"], "labels": labels(COMPONENT, name, pool=one["pool"])},
                spec=node_group(one["pool"], one["room_gib"]),
                opts=child(self, depends_on=before),
            )
            for one in args["pools"]
        }
        self.node_groups = pulumi.Output.all(**{pool: name_of(one) for pool, one in groups.items()})
        self.register_outputs({"node_groups": self.node_groups})

    def _controllers(self, name: str, args: ModelCacheArgs) -> pulumi.Resource:
        if args.get("existing", False):
            return existing_api(self, f"{name}-caches", *CACHES)
        supply, space = args["supply"], args.get("namespace", NAMESPACE)
        certificates = prerequisite(self, name, Addon.CERT_MANAGER, args.get("cert_manager"))
        types = install(
            self, f"{name}-crds", chart("kserve-localmodel-crd-minimal"), {}, namespace=space, supply=supply
        )
        return install(
            self,
            f"{name}-chart",
            chart("kserve-localmodel-resources"),
            chart_values(supply),
            namespace=space,
            supply=supply,
            depends_on=[*certificates, types],
        )

    def _downloads(self, name: str, args: ModelCacheArgs, types: pulumi.Resource) -> list[pulumi.Resource]:
        """What a download needs: credential, container, and nodes that its pods bear."""
        store, supply = args["store"], args["supply"]
        policies = prerequisite(self, name, Addon.KYVERNO, args.get("kyverno_types"))
        credential = credential_secret(
            self,
            f"{name}-store",
            {"name": f"{name}-store", "namespace": store["namespace"], "labels": labels(COMPONENT, name)},
            store["reader_access_key"],  # pyright: ignore[reportTypedDictNotRequiredAccess]  # seen before
            pulumi.Output.secret(store["reader_secret_key"]),  # pyright: ignore[reportTypedDictNotRequiredAccess]
        )
        specs: dict[str, tuple[str, dict[str, Any], list[pulumi.Resource]]] = {
            "ClusterStorageContainer": (API, download(store, name_of(credential), supply), [types]),
            "MutatingPolicy": (
                "policies.kyverno.io/v1",
                scheduling(store["namespace"], supply),
                [*policies],
            ),
        }
        made = [
            kubernetes.apiextensions.CustomResource(
                f"{name}-{kind.lower()}",
                api_version=version,
                kind=kind,
                metadata=cast(Any, {"name": f"corral-{name}", "labels": labels(COMPONENT, name)}),
                spec=spec,
                opts=child(self, depends_on=before),
            )
            for kind, (version, spec, before) in specs.items()
        ]
        return [types, credential, *made, *self._known(name, args, types)]

    def _known(self, name: str, args: ModelCacheArgs, types: pulumi.Resource) -> list[pulumi.Resource]:
        """Kyverno, once it knows the types of caches."""
        if "kyverno_types" not in args:
            return []
        return [started_anew(self, f"{name}-kyverno", args["kyverno_types"], CACHES[0], [types])]
