"""A model from import to answer: files checked and stored, then served on GPU devices of its own."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.disaggregation import prefill_name
from corral.catalogue.serving_kinds import prefill_names, served_names
from corral.catalogue.vocabulary import Addon, Engine, ServingKind, Weights
from corral.components._kit import (
    PACKAGE,
    QUEUE_LABEL,
    checked,
    child,
    fingerprint,
    labels,
    name_of,
    prerequisite,
    refuse,
    token,
)
from corral.components._signals import Monitor, watch
from corral.components.model.adapters import AdapterFiles, adapter_files
from corral.components.model.args import (
    ModelArgs,
    Weighty,
    kind_of,
    names_of,
    weights_of,
)
from corral.components.model.availability import disruption_budget, topology_spread
from corral.components.model.cache import API as CACHE_API
from corral.components.model.cache import cache_spec, claim, folder
from corral.components.model.claim import claim_spec
from corral.components.model.imports import Import, import_job, prefix_of, uri_of
from corral.components.model.llm_service import llm_service
from corral.components.model.loader import loader
from corral.components.model.prefill import prefill_args, prefill_problems, services
from corral.components.model.problems import argument_problems, one_request, weighty
from corral.components.model.rollout import revision_annotations, rolled_out
from corral.components.model.scaling import ROUTES, SCALED, SETTLED, ModelScaling, counted, scaled
from corral.components.model.service import (
    NO_ADAPTERS,
    KeptFiles,
    annotations,
    inference_spec,
    register_labels,
)
from corral.components.model.signals import signals
from corral.components.model_storage.job import credential_secret
from corral.components.store import Store

COMPONENT = "model"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
HTTP = 80
READY = "60m"
"""Pulumi waits this long for the first replica: image, weights and warm-up."""


@dataclass(frozen=True)
class _Files:
    """A model's files on their way into its pods."""

    before: list[pulumi.Resource]
    """What must be there before a replica."""
    account: kubernetes.core.v1.ServiceAccount
    """Of its pods."""
    loader: dict[str, Any] | None = None
    """What brings or verifies them; None: there are none."""
    uri: pulumi.Output[str] | None = None
    """Where they are in the store."""
    kept: KeptFiles | None = None
    """Where they are on its node; None: each replica fetches them."""
    adapters: AdapterFiles = NO_ADAPTERS


class Model(pulumi.ComponentResource):
    """Serves one model, under the component's own name, on the cluster given as provider.

    KServe must be there with the engine's runtime, as component KServe makes it, with `monitors` the
    Prometheus operator's resource types, and with `scaling` KEDA with its HTTP add-on.
    """

    service: pulumi.Output[str]
    """Host name of its Service inside the cluster, known once a replica is ready."""
    url: pulumi.Output[str]
    """Base URL of its OpenAI-compatible API inside the cluster."""

    def __init__(self, name: str, args: ModelArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelArgs, name)
        one_request(name, args)
        refuse([*argument_problems(name, args), *prefill_problems(name, args)])
        if weights_of(args) is Weights.REAL:
            weighty(name, args)
        super().__init__(token(type(self)), name, {}, opts)
        types = prerequisite(self, name, Addon.KSERVE, args.get("runtime"))
        files = self._files(name, args)
        served = self._served(name, args, files, [*types, *files.before])
        names, most = names_of(name, args), args.get("replicas_max", args.get("replicas_min", 1))
        disruption_budget(self, f"{name}-budget", self._metadata(name, args, name), names.pods, most=most)
        if "prefill" in args:
            self._prefill_budget(name, args)
            served, _ = services(self, name, self._metadata(name, args, name), names, served)
        if "scaling" in args:
            self._scaled(name, args, args["scaling"], served)
        self._watched(name, args)
        # What it is called is known now; that it answers, once it is served.
        service = name_of(served).apply(lambda _: names.service)
        self.service = pulumi.Output.concat(service, ".", args["namespace"], ".svc.cluster.local")
        port = "" if names.port == HTTP else f":{names.port}"
        self.url = pulumi.Output.concat("http://", self.service, port, "/v1")
        self.register_outputs({"service": self.service, "url": self.url})

    def _labels(self, name: str, args: ModelArgs) -> dict[str, str]:
        optional = {"pool": args.get("pool"), "tenant": args.get("tenant")}
        more = {key: value for key, value in optional.items() if value is not None}
        return labels(COMPONENT, name, model=name, **more)

    def _metadata(self, name: str, args: ModelArgs, physical: str) -> dict[str, Any]:
        return {"name": physical, "namespace": args["namespace"], "labels": self._labels(name, args)}

    def _files(self, name: str, args: ModelArgs) -> _Files:
        if weights_of(args) is Weights.SIMULATED:
            return _Files([], self._account(name, args, []))
        real = weighty(name, args)
        path = args.get("path") or prefix_of(name, real)
        credentials = self._credentials(name, args, real["store"])
        names = [name_of(one) for one in credentials]
        imported = self._import(name, args, real, path)
        uri = uri_of(real["store"], path)
        account = self._account(name, args, [{"name": one} for one in names])
        adapters = adapter_files(
            self, name, args, real, labels=self._labels(name, args), credential=next(iter(names), None)
        )
        before: list[pulumi.Resource] = [imported, *adapters.before, *credentials]
        kept = None
        if "cache" in args:
            before.append(self._cache(name, args, uri, path, imported))
            kept = KeptFiles(claim(path, args["cache"]), uri.apply(folder))
        brought = loader(
            real["files"],
            uri,
            real["store"],
            next(iter(names), None),
            args["supply"],
            kept and kept.folder,
        )
        return _Files(before, account, brought, uri, kept, adapters)

    def _cache(
        self, name: str, args: ModelArgs, uri: pulumi.Output[str], path: str, imported: pulumi.Resource
    ) -> pulumi.Resource:
        """What has KServe fetch the files onto nodes, once they are in the store.

        Its name changes with the path, so that a new one is there before the old one goes.
        """
        return kubernetes.apiextensions.CustomResource(
            f"{name}-cache",
            api_version=CACHE_API,
            kind="LocalModelCache",
            metadata=cast(Any, {"name": path, "labels": self._labels(name, args)}),
            spec=cache_spec(uri, args["cache"]),  # pyright: ignore[reportTypedDictNotRequiredAccess]
            opts=child(self, depends_on=[imported], replace_on_changes=["spec.sourceModelUri"]),
        )

    def _import(self, name: str, args: ModelArgs, real: Weighty, path: str) -> kubernetes.batch.v1.Job:
        return import_job(
            self,
            Import(name, f"import-{name}", real, path, args.get("source_access")),
            labels=self._labels(name, args),
            supply=args["supply"],
            unsafe_files=args.get("unsafe_files", False),
            priority_class=args.get("import_priority_class"),
        )

    def _credentials(self, name: str, args: ModelArgs, store: Store) -> list[pulumi.Resource]:
        """The key that reads the store, in the model's namespace; none where the pods' account is let in."""
        if "reader_store" not in store and not {"reader_access_key", "reader_secret_key"} <= store.keys():
            return []
        metadata = self._metadata(name, args, f"{name}-store")
        secret = credential_secret(
            self,
            f"{name}-store",
            {**metadata, "annotations": _s3_annotations(store)},
            store.get("reader_access_key"),
            store.get("reader_secret_key"),
            store.get("reader_store"),
        )
        return [secret]

    def _account(
        self, name: str, args: ModelArgs, secrets: list[dict[str, pulumi.Output[str]]]
    ) -> kubernetes.core.v1.ServiceAccount:
        return kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=cast(Any, self._metadata(name, args, name)),
            automount_service_account_token=False,
            secrets=cast(Any, secrets),
            opts=child(self),
        )

    def _prefill_budget(self, name: str, args: ModelArgs) -> None:
        own, reading = prefill_name(name), prefill_names(name)
        most = prefill_args(args).get("replicas_min", 1)
        metadata = self._metadata(name, args, own)
        disruption_budget(self, f"{own}-budget", metadata, reading.pods, most=most)

    def _claim(self, name: str, args: ModelArgs) -> pulumi.Resource | None:
        if "claim" not in args:
            return None
        spec = claim_spec(args["claim"])
        # A template cannot change: another claim is another template. The SDK's own class has an alias for
        # each version that the type had before, which cost as much as the rest of a model.
        return kubernetes.apiextensions.CustomResource(
            f"{name}-claim",
            api_version="resource.k8s.io/v1",
            kind="ResourceClaimTemplate",
            metadata=cast(Any, self._metadata(name, args, f"{name}-{fingerprint(spec)}")),
            spec=spec,
            opts=child(self),
        )

    def _served(
        self,
        name: str,
        args: ModelArgs,
        files: _Files,
        before: list[pulumi.Resource],
    ) -> pulumi.Resource:
        """The model, served: the Deployment that has its Service's name."""
        metadata = self._metadata(name, args, name)
        # KServe passes labels on to the Deployment and its pods.
        metadata["labels"] = {**metadata["labels"], **_queue_labels(args)}
        spec = self._spec(name, args, files)
        served_labels = {**metadata["labels"], **register_labels(args)}
        if kind_of(args) is ServingKind.LLM_INFERENCE_SERVICE:
            return llm_service(
                self,
                name,
                args,
                metadata={**metadata, "labels": served_labels},
                predictor=spec["predictor"],
                prefill=self._prefill(name, args, files),
                uri=files.uri,
                before=before,
                timeout=READY,
            )
        known = revision_annotations(spec, served_labels, to_none=args.get("replicas_min", 1) == 0)
        spec["predictor"]["annotations"] = known
        served = kubernetes.apiextensions.CustomResource(
            f"{name}-service",
            api_version="serving.kserve.io/v1beta1",
            kind="InferenceService",
            metadata=cast(
                Any, {**metadata, "labels": served_labels, "annotations": annotations(args, files.uri)}
            ),
            spec=spec,
            opts=child(
                self,
                depends_on=before,
                custom_timeouts=pulumi.CustomTimeouts(create=READY, update=READY),
                # Kueue refuses another queue for a Deployment that has ready replicas.
                replace_on_changes=[f'metadata.labels["{QUEUE_LABEL}"]'],
                delete_before_replace=True,
            ),
        )
        return rolled_out(
            self,
            f"{name}-rollout",
            served,
            name=served_names(ServingKind.INFERENCE_SERVICE, name).workload,
            namespace=args["namespace"],
            annotations=known,
            timeout=READY,
        )

    def _spec(self, name: str, args: ModelArgs, files: _Files, owner: str | None = None) -> dict[str, Any]:
        """`spec` of an InferenceService; `owner`: what its claims are called by, the model when None."""
        template = self._claim(owner or name, args)
        return inference_spec(
            name,
            args,
            claim_template=None if template is None else name_of(template),
            account=name_of(files.account),
            uri=files.uri,
            loader=files.loader,
            kept=files.kept,
            adapters=files.adapters,
        )

    def _prefill(self, name: str, args: ModelArgs, files: _Files) -> dict[str, Any] | None:
        """The pods that read its prompts, as `spec.predictor` has pods."""
        if "prefill" not in args:
            return None
        predictor = self._spec(name, prefill_args(args), files, prefill_name(name))["predictor"]
        return {**predictor, "topologySpreadConstraints": topology_spread(prefill_names(name).pods)}

    def _scaled(self, name: str, args: ModelArgs, scaling: ModelScaling, served: pulumi.Resource) -> None:
        """Who counts and holds its calls, and who changes its replicas, once one has shown to answer."""
        types = prerequisite(self, name, Addon.KEDA, scaling.get("keda"))
        metadata, names = (
            self._metadata(name, args, name),
            names_of(name, args),
        )
        route = kubernetes.apiextensions.CustomResource(
            f"{name}-counted",
            api_version=ROUTES,
            kind="InterceptorRoute",
            metadata=cast(Any, metadata),
            spec=counted(name, args["namespace"], scaling, names),
            opts=child(self, depends_on=types),
        )
        least = args.get("replicas_min", 1)
        kubernetes.apiextensions.CustomResource(
            f"{name}-scaled",
            api_version=SCALED,
            kind="ScaledObject",
            metadata=cast(Any, {**metadata, "annotations": SETTLED}),
            spec=scaled(
                name,
                names,
                args["namespace"],
                Engine(args["engine"]),
                scaling,
                least=least,
                most=args.get("replicas_max", least),
            ),
            opts=child(self, depends_on=[route, served]),
        )

    def _watched(self, name: str, args: ModelArgs) -> None:
        engine, names, scraped = Engine(args["engine"]), names_of(name, args), {"corral.dev/model": name}
        reading = prefill_names(name) if "prefill" in args else None
        if reading is not None:
            # KServe's Service leads to the pods of both.
            scraped = {**scraped, "app.kubernetes.io/part-of": PACKAGE}
        objective = args.get("time_to_first_token_seconds")
        watch(
            self,
            name,
            lambda space: signals(name, names, space, engine, objective, reading),
            component=COMPONENT,
            namespace=args["namespace"],
            args=args,
            name=f"model-{name}",
            labels=self._labels(name, args),
            scrape=Monitor(scraped, "http"),
        )


def _queue_labels(args: ModelArgs) -> dict[str, pulumi.Input[str]]:
    optional = {QUEUE_LABEL: args.get("queue"), PRIORITY_LABEL: args.get("priority")}
    return {label: value for label, value in optional.items() if value is not None}


def _s3_annotations(store: Store) -> pulumi.Output[dict[str, str]]:
    """How KServe's storage initializer reaches the store."""
    return pulumi.Output.all(endpoint=store["endpoint"], region=store["region"]).apply(
        lambda known: _s3_settings(known["endpoint"], known["region"])
    )


def _s3_settings(endpoint: str, region: str) -> dict[str, str]:
    url = urlsplit(endpoint)
    encrypted = "1" if url.scheme == "https" else "0"
    prefix = "serving.kserve.io/s3"
    return {
        f"{prefix}-endpoint": url.netloc,
        f"{prefix}-usehttps": encrypted,
        f"{prefix}-verifyssl": encrypted,
        f"{prefix}-region": region,
        f"{prefix}-usevirtualbucket": "false",
    }
