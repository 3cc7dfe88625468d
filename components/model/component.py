"""A model from import to answer: files checked and stored, then served on GPU devices of its own."""

from typing import Any, cast
from urllib.parse import urlsplit

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import Engine, Weights
from corral.components._kit import QUEUE_LABEL, checked, child, fingerprint, labels, name_of, token
from corral.components._signals import alerts, dashboard, service_monitor
from corral.components.model.args import ModelArgs, ModelStore, Weighty, one_request, weighty
from corral.components.model.claim import claim_spec
from corral.components.model.service import annotations, inference_spec
from corral.components.model.signals import alerts_of, panels
from corral.components.model_storage.job import tool_job

COMPONENT = "model"
PRIORITY_LABEL = "kueue.x-k8s.io/priority-class"
READY = "60m"
"""Pulumi waits this long for the first replica: image, weights and warm-up."""


class Model(pulumi.ComponentResource):
    """Serves one model, under the component's own name, on the cluster given as provider."""

    service: pulumi.Output[str]
    """Host name of its Service inside the cluster, known once a replica is ready."""
    url: pulumi.Output[str]
    """Base URL of its OpenAI-compatible API inside the cluster."""

    def __init__(self, name: str, args: ModelArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ModelArgs, name)
        one_request(name, args)
        if Weights(args.get("weights", Weights.REAL)) is Weights.REAL:
            weighty(name, args)
        super().__init__(token(type(self)), name, {}, opts)
        before, uri, account = self._files(name, args)
        template = self._claim(name, args)
        served = self._served(name, args, uri, account, template, before)
        self._watched(name, args)
        self.service = pulumi.Output.concat(
            name_of(served), "-predictor.", args["namespace"], ".svc.cluster.local"
        )
        self.url = pulumi.Output.concat("http://", self.service, "/v1")
        self.register_outputs({"service": self.service, "url": self.url})

    def _labels(self, name: str, args: ModelArgs) -> dict[str, str]:
        told = {"pool": args.get("pool"), "tenant": args.get("tenant")}
        more = {key: value for key, value in told.items() if value is not None}
        return labels(COMPONENT, name, model=name, **more)

    def _metadata(self, name: str, args: ModelArgs, physical: str) -> dict[str, Any]:
        return {"name": physical, "namespace": args["namespace"], "labels": self._labels(name, args)}

    def _files(
        self, name: str, args: ModelArgs
    ) -> tuple[list[pulumi.Resource], pulumi.Output[str] | None, kubernetes.core.v1.ServiceAccount]:
        """What must be there before a replica, where the model lies, and the account that may read it."""
        if Weights(args.get("weights", Weights.REAL)) is Weights.SIMULATED:
            return [], None, self._account(name, args, [])
        real = weighty(name, args)
        path = args.get("path", name)
        credential = self._credential(name, args, real["store"])
        imported = self._import(name, args, real, path)
        uri = pulumi.Output.concat("s3://", real["store"]["bucket"], "/", path)
        return [imported, credential], uri, self._account(name, args, [{"name": name_of(credential)}])

    def _import(self, name: str, args: ModelArgs, real: Weighty, path: str) -> kubernetes.batch.v1.Job:
        store = real["store"]
        sums = [f"{file['name']}={file['sha256']}" for file in real["files"]]
        options = ["--source", real["source"], "--license", real["license"]]
        options += [word for one in sums for word in ("--sha256", one)]
        target = pulumi.Output.concat("s3://", store["bucket"], "/", path)
        return tool_job(
            self,
            f"{name}-import",
            prefix=f"import-{name}",
            namespace=store["namespace"],
            labels={**self._labels(name, args), "corral.dev/job": "import"},
            arguments=["import", *options, "--to", target],
            identity=["import", *options, path],
            endpoint=store["endpoint"],
            region=store["region"],
            credential=store["writer_secret"],
            supply=args["supply"],
        )

    def _credential(self, name: str, args: ModelArgs, store: ModelStore) -> kubernetes.core.v1.Secret:
        metadata = self._metadata(name, args, f"{name}-store")
        content = {
            "AWS_ACCESS_KEY_ID": store["reader_access_key"],
            "AWS_SECRET_ACCESS_KEY": pulumi.Output.secret(store["reader_secret_key"]),
        }
        return kubernetes.core.v1.Secret(
            f"{name}-store",
            metadata=cast(Any, {**metadata, "annotations": _s3_annotations(store)}),
            string_data=content,
            opts=child(self),
        )

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

    def _claim(self, name: str, args: ModelArgs) -> kubernetes.resource.v1.ResourceClaimTemplate | None:
        if "claim" not in args:
            return None
        spec = claim_spec(args["claim"])
        # A template cannot change: another claim is another template.
        return kubernetes.resource.v1.ResourceClaimTemplate(
            f"{name}-claim",
            metadata=cast(Any, self._metadata(name, args, f"{name}-{fingerprint(spec)}")),
            spec=cast(Any, spec),
            opts=child(self),
        )

    def _served(
        self,
        name: str,
        args: ModelArgs,
        uri: pulumi.Output[str] | None,
        account: kubernetes.core.v1.ServiceAccount,
        template: kubernetes.resource.v1.ResourceClaimTemplate | None,
        before: list[pulumi.Resource],
    ) -> kubernetes.apiextensions.CustomResource:
        metadata = self._metadata(name, args, name)
        # KServe passes labels on to the Deployment and its pods.
        metadata["labels"] = {**metadata["labels"], **_queue_labels(args)}
        return kubernetes.apiextensions.CustomResource(
            f"{name}-service",
            api_version="serving.kserve.io/v1beta1",
            kind="InferenceService",
            metadata=cast(Any, {**metadata, "annotations": annotations(args)}),
            spec=inference_spec(
                args,
                claim_template=None if template is None else name_of(template),
                account=name_of(account),
                uri=uri,
            ),
            opts=child(
                self,
                depends_on=before,
                custom_timeouts=pulumi.CustomTimeouts(create=READY, update=READY),
                # Kueue refuses another queue for a Deployment that has ready replicas.
                replace_on_changes=[f'metadata.labels["{QUEUE_LABEL}"]'],
                delete_before_replace=True,
            ),
        )

    def _watched(self, name: str, args: ModelArgs) -> None:
        engine = Engine(args["engine"])
        own = self._labels(name, args)
        space = pulumi.Output.from_input(args["namespace"])
        # Titles and queries name the namespace: made once it is known.
        dashboard(
            self,
            f"{name}-dashboard",
            name=f"model-{name}",
            namespace=space,
            labels=own,
            title=f"Model {name}",
            panels=space.apply(lambda known: panels(name, known, engine)),
        )
        if not args.get("monitors", True):
            return
        service_monitor(
            self,
            f"{name}-monitor",
            name=f"model-{name}",
            namespace=space,
            labels=own,
            match={"corral.dev/model": name},
            port="http",
        )
        alerts(
            self,
            f"{name}-alerts",
            name=f"model-{name}",
            namespace=space,
            labels=own,
            rules=space.apply(lambda known: alerts_of(name, known, engine)),
        )


def _queue_labels(args: ModelArgs) -> dict[str, pulumi.Input[str]]:
    told = {QUEUE_LABEL: args.get("queue"), PRIORITY_LABEL: args.get("priority")}
    return {label: value for label, value in told.items() if value is not None}


def _s3_annotations(store: ModelStore) -> pulumi.Output[dict[str, str]]:
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
