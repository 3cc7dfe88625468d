"""Where logs, metrics, traces, alerts and prompts may go, and where not."""

from corral.controls.control import UNKNOWN, Case, Resource, Verdict


def _pod(value: object) -> Resource:
    return _variable("OTEL_EXPORTER_OTLP_ENDPOINT", value)


def _variable(name: str, value: object) -> Resource:
    env = [{"name": name, "value": value}]
    return Resource("kubernetes:core/v1:Pod", "p", {"spec": {"containers": [{"name": "c", "env": env}]}})


def _push(address: str) -> Resource:
    return Resource(
        "gcp:pubsub/subscription:Subscription", "s", {"topic": "t", "pushConfig": {"pushEndpoint": address}}
    )


def _at(token: str, **props: object) -> Resource:
    return Resource(token, "r", props)


CASES = (
    *(
        Case(f"pushed to {title}", verdict, _push(address), profile="mirrored")
        for title, verdict, address in (
            ("anybody", Verdict.BAD, "https://hooks.example.com/x"),
            ("a service of the own domain", Verdict.GOOD, "https://intake.example.eu/x"),
            ("a name that only ends alike", Verdict.BAD, "https://anotherexample.eu/x"),
            ("a region of the profile", Verdict.GOOD, "https://intake-123.europe-west3.run.app"),
            ("a region elsewhere", Verdict.BAD, "https://intake-123.us-central1.run.app"),
        )
    ),
    Case("a collector of the cluster's", Verdict.GOOD, _pod("http://otel.monitoring.svc:4317")),
    Case("a collector of one's own", Verdict.GOOD, _pod("https://otel.example.eu")),
    *(
        Case(f"traces to {title}", verdict, _pod(address), profile="mirrored")
        for title, verdict, address in (
            ("a host of no service that is listed", Verdict.BAD, "https://traces.example.com:4317"),
            ("an address of the world", Verdict.BAD, "http://8.8.8.8:4317"),
            ("a host of the own domain", Verdict.GOOD, "https://otel.example.eu"),
            ("a service of another namespace", Verdict.GOOD, "http://otel-collector.observability:4317"),
            ("an address of the own network", Verdict.GOOD, "http://10.0.0.7:4317"),
            ("a region of the profile", Verdict.GOOD, "https://xray.eu-central-1.amazonaws.com"),
            ("a region elsewhere", Verdict.BAD, "https://xray.us-east-1.amazonaws.com"),
        )
    ),
    Case(
        "mail that anybody has",
        Verdict.BAD,
        _at("aws:sns/topicSubscription:TopicSubscription", protocol="email", endpoint="a@gmail.com"),
    ),
    Case(
        "mail of one's own",
        Verdict.GOOD,
        _at("aws:sns/topicSubscription:TopicSubscription", protocol="email", endpoint="a@example.eu"),
    ),
    Case(
        "an engine's option",
        Verdict.BAD,
        _at(
            "kubernetes:core/v1:Pod",
            spec={"containers": [{"args": ["--otlp-traces-endpoint", "https://traces.example.com"]}]},
        ),
        profile="mirrored",
    ),
    Case(
        "a remote write to a host that is not listed",
        Verdict.BAD,
        _at(
            "kubernetes:monitoring.coreos.com/v1:Prometheus",
            spec={"remoteWrite": [{"url": "https://metrics.example.com/push"}]},
        ),
        profile="mirrored",
    ),
    *(
        Case(f"variable {name} is {value}", verdict, _variable(name, value))
        for name, value, verdict in (
            ("S3_ENDPOINT", "https://s3.us-east-1.amazonaws.com", Verdict.BAD),
            ("S3_ENDPOINT", "https://s3.eu-central-1.amazonaws.com", Verdict.GOOD),
            ("AWS_REGION", "us-west-2", Verdict.BAD),
            ("AWS_DEFAULT_REGION", "eu-west-1", Verdict.GOOD),
            ("LOGICAL_REGION", "us-west-2", Verdict.GOOD),
        )
    ),
    *(
        Case(f"{title}", verdict, _at(token, **props), profile="mirrored")
        for title, verdict, token, props in (
            (
                "files copied to a store of strangers",
                Verdict.BAD,
                "aws:datasync/locationObjectStorage:LocationObjectStorage",
                {"serverHostname": "s3.us-west-004.backblazeb2.com"},
            ),
            (
                "files copied from a machine of one's own",
                Verdict.GOOD,
                "aws:datasync/nfsLocation:NfsLocation",
                {"serverHostname": "10.0.0.7"},
            ),
            (
                "files copied to a partner of the EU",
                Verdict.GOOD,
                "aws:transfer/connector:Connector",
                {"url": "sftp://files.example.eu"},
            ),
            (
                "a collector that exports to strangers",
                Verdict.BAD,
                "kubernetes:opentelemetry.io/v1beta1:OpenTelemetryCollector",
                {"spec": {"config": {"exporters": {"otlphttp": {"endpoint": "https://otlp.example.com"}}}}},
            ),
            (
                "a collector that exports to another",
                Verdict.GOOD,
                "kubernetes:opentelemetry.io/v1beta1:OpenTelemetryCollector",
                {"spec": {"config": {"exporters": {"otlp": {"endpoint": "tempo.monitoring.svc:4317"}}}}},
            ),
            (
                "backups of a database to a store of strangers",
                Verdict.BAD,
                "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
                {"spec": {"configuration": {"endpointURL": "https://s3.wasabisys.com"}}},
            ),
            (
                "backups of a database to the cluster",
                Verdict.GOOD,
                "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
                {"spec": {"configuration": {"endpointURL": "http://store.models.svc:8333"}}},
            ),
            *(
                (
                    f"a {kind} {title}",
                    verdict,
                    token,
                    {key: [{"clientConfig": client}]}
                    if key == "webhooks"
                    else {"spec": {"conversion": {key: {"clientConfig": client}}}},
                )
                for kind, token, key in (
                    (
                        "webhook",
                        "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration",
                        "webhooks",
                    ),
                    (
                        "conversion",
                        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
                        "webhook",
                    ),
                )
                for title, verdict, client in (
                    ("of strangers", Verdict.BAD, {"url": "https://hook.example.com/x"}),
                    ("of one's own", Verdict.GOOD, {"url": "https://hook.example.eu/x"}),
                    ("of the cluster", Verdict.GOOD, {"service": {"name": "a", "namespace": "b"}}),
                )
            ),
            (
                "answers of a model to a log of strangers",
                Verdict.BAD,
                "kubernetes:serving.kserve.io/v1beta1:InferenceService",
                {"spec": {"predictor": {"logger": {"mode": "all", "url": "https://log.example.com"}}}},
            ),
            (
                "manifests of a bucket of strangers",
                Verdict.BAD,
                "kubernetes:source.toolkit.fluxcd.io/v1:Bucket",
                {"spec": {"bucketName": "b", "endpoint": "s3.example.com"}},
            ),
            (
                "manifests of a bucket of the region",
                Verdict.GOOD,
                "kubernetes:source.toolkit.fluxcd.io/v1:Bucket",
                {"spec": {"bucketName": "b", "endpoint": "s3.amazonaws.com", "region": "eu-west-1"}},
            ),
            (
                "logs to strangers",
                Verdict.BAD,
                "kubernetes:fluentbit.fluent.io/v1alpha2:ClusterOutput",
                {"spec": {"http": {"host": "logs.example.com"}}},
            ),
            (
                "logs to the cluster",
                Verdict.GOOD,
                "kubernetes:fluentbit.fluent.io/v1alpha2:ClusterOutput",
                {"spec": {"http": {"host": "loki.monitoring.svc"}}},
            ),
            (
                "a gateway to a model of strangers",
                Verdict.BAD,
                "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend",
                {"spec": {"endpoints": [{"fqdn": {"hostname": "api.openai.com", "port": 443}}]}},
            ),
        )
    ),
    *(
        Case(f"prompts to {value} by {name}", verdict, _variable(name, value), profile="mirrored")
        for name, value, verdict in (
            ("OPENAI_API_BASE_URL", "https://api.openai.com/v1", Verdict.BAD),
            ("OPENAI_BASE_URL", "https://models.example.com/v1", Verdict.BAD),
            ("OPENAI_BASE_URL", "http://chat.team.svc/v1", Verdict.GOOD),
            ("LLM_ENDPOINT", "https://chat.example.eu/v1", Verdict.GOOD),
            ("BASE_URL", "https://shop.example.com", Verdict.GOOD),
        )
    ),
    Case("a service elsewhere", Verdict.BAD, _pod("https://otlp.nr-data.net:4317")),
    Case(
        "a service's site in the EU",
        Verdict.GOOD,
        _pod("https://otlp-gateway-prod-eu-west-2.grafana.net"),
    ),
    Case(
        "a name that only ends alike",
        Verdict.GOOD,
        _pod("https://my-honeycomb.io.example.eu"),
    ),
    Case(
        "a remote write of Prometheus",
        Verdict.BAD,
        _at(
            "kubernetes:monitoring.coreos.com/v1:Prometheus",
            spec={"remoteWrite": [{"url": "https://prometheus-us-central1.grafana.net/api/prom/push"}]},
        ),
    ),
    Case(
        "a receiver of alerts in a file",
        Verdict.BAD,
        _at(
            "kubernetes:core/v1:Secret",
            stringData={"alertmanager.yaml": "slack_configs: [{api_url: https://hooks.slack.com/x}]"},
        ),
    ),
    Case(
        "values of a release",
        Verdict.BAD,
        _at("kubernetes:helm.sh/v3:Release", values={"datadog": {"site": "datadoghq.com"}}),
    ),
    Case(
        "a subscription",
        Verdict.BAD,
        _at(
            "aws:sns/topicSubscription:TopicSubscription",
            protocol="https",
            endpoint="https://events.pagerduty.com/integration/x/enqueue",
        ),
    ),
    Case(
        "an annotation for people",
        Verdict.GOOD,
        _at("kubernetes:core/v1:Pod", metadata={"annotations": {"runbook": "https://x.pagerduty.com"}}),
    ),
    Case("not known yet beside nothing", Verdict.GOOD, _pod(UNKNOWN)),
    Case("profile open", Verdict.GOOD, _pod("https://otlp.nr-data.net:4317"), profile="open"),
)
