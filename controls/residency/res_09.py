"""What is measured and logged goes to nobody outside."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from corral.controls.cloud import is_cloud
from corral.controls.control import UNKNOWN, Control, Resource, ResourceRule
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves
from corral.controls.residency.sink_cases import CASES
from corral.controls.residency.sinks import elsewhere, is_own, reached, told

_SERVICES = (
    "datadoghq.com",
    "ddog-gov.com",
    "newrelic.com",
    "nr-data.net",
    "honeycomb.io",
    "splunkcloud.com",
    "signalfx.com",
    "sentry.io",
    "logz.io",
    "loggly.com",
    "papertrailapp.com",
    "sumologic.com",
    "dynatrace.com",
    "lightstep.com",
    "logdna.com",
    "mezmo.com",
    "rollbar.com",
    "bugsnag.com",
    "grafana.net",
    "pagerduty.com",
    "opsgenie.com",
    "victorops.com",
    "hooks.slack.com",
    "slack.com",
    "discord.com",
    "discordapp.com",
    "api.telegram.org",
    "webhook.office.com",
    "zapier.com",
    "ifttt.com",
    "sendgrid.net",
    "mailgun.org",
    "segment.io",
    "segment.com",
    "mixpanel.com",
    "amplitude.com",
    "posthog.com",
    "google-analytics.com",
    "wandb.ai",
    "comet.com",
    "neptune.ai",
    "smith.langchain.com",
    "us.cloud.langfuse.com",
    "heliconeai.com",
    "helicone.ai",
    "api.openai.com",
    "api.anthropic.com",
    "api.cohere.com",
    "api.deepseek.com",
    "api.groq.com",
    "api.together.xyz",
    "api.x.ai",
    "generativelanguage.googleapis.com",
    "openrouter.ai",
    "stats.vllm.ai",
    "telemetry.huggingface.co",
)
"""Hosts of services that take logs, traces, alerts, mail or prompts, outside every profile with regions."""
_HOST = re.compile(
    r"(?:^|[/@\s\"'=,:(\[])(?:[a-z0-9*-]+\.)*("
    + "|".join(map(re.escape, _SERVICES))
    + r")(?=[:/\s\"',)\]?]|$)",
    re.IGNORECASE,
)
_EUROPE = re.compile(
    r"(?:^|[/.@\s])(?:eu|eu1|de|prod-eu[a-z0-9-]*|[a-z0-9-]*-eu-[a-z0-9-]+)\.", re.IGNORECASE
)
"""Part of a host that says that its service is in the EU."""
_AWS = re.compile(
    r"(?<![a-z0-9.-])(?:[a-z0-9-]+\.)*([a-z]{2,4}(?:-[a-z]+)+-\d)\.(?:[a-z]+\.)?(?:amazonaws\.com|amazonaws\.eu|api\.aws)",
    re.IGNORECASE,
)
"""A service of AWS by its host, with its region."""
_SCHEMAS = "kubernetes:apiextensions.k8s.io/"
"""Beginning of types of resources of which nothing but their conversion is read: they are large."""
_ROLES = "kubernetes:rbac.authorization.k8s.io/"
"""Beginning of types of resources that send nothing."""


def _applies(token: str) -> bool:
    return is_cloud(token) or (token.startswith("kubernetes:") and not token.startswith(_ROLES))


def _read(subject: Resource) -> Mapping[str, Any]:
    if not subject.type.startswith(_SCHEMAS):
        return subject.props
    listed: Any = subject.props.get("items")
    several = cast(list[Any], listed) if isinstance(listed, list) else [subject.props]
    specs = [cast(Mapping[str, Any], one).get("spec") for one in several if isinstance(one, Mapping)]
    return {
        "spec": [
            {"conversion": cast(Mapping[str, Any], spec).get("conversion")}
            for spec in specs
            if isinstance(spec, Mapping)
        ]
    }


_PUSHED: Mapping[str, str] = {
    "gcp:pubsub/subscription:Subscription": "pushConfig.pushEndpoint",
    "aws:sns/topicSubscription:TopicSubscription": "endpoint",
    "aws:cloudwatch/eventApiDestination:EventApiDestination": "invocationEndpoint",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "httpEndpointConfiguration.url",
    "gcp:cloudscheduler/job:Job": "httpTarget.uri",
    "gcp:monitoring/notificationChannel:NotificationChannel": "labels.url",
}
"""Property by which a resource of a type pushes what it has to an address."""
_STORED: Mapping[str, str] = {
    **{
        f"aws:datasync/{kind[0].lower()}{kind[1:]}:{kind}": "serverHostname"
        for kind in ("LocationObjectStorage", "LocationSmb", "NfsLocation")
    },
    "aws:datasync/locationAzureBlob:LocationAzureBlob": "containerUrl",
    "aws:transfer/connector:Connector": "url",
}
"""Property by which a resource of a type names the machine that files are copied to, or from."""
_TELEMETRY = re.compile(
    r"kubernetes:(?:[a-z0-9-]+\.)*(?:fluent|banzaicloud|kaasops|vector|grafana|integreatly|falco|openobserve)"
    r"[a-z0-9.-]*/(?![^:]*:GrafanaDashboard)"
)
"""Types of resources that say where logs, metrics and alerts go, and nothing else."""
_REGIONAL = re.compile(r"^(?:[a-z0-9-]+\.)+(?P<region>[a-z]+-[a-z]+\d+)\.run\.app$")
"""Address of a service of Cloud Run that says where it is."""


def _pushed(subject: Resource, profile: Profile) -> Iterator[str]:
    """What is pushed to a host that is not shown to be in the cluster, the own domain or a region."""
    path = _PUSHED.get(subject.type)
    if path is None or profile.registry is None:
        return
    host = urlsplit(str(subject.value(path, ""))).hostname
    if host is None or host.endswith((".svc", ".internal", ".local")):
        return
    regional = _REGIONAL.match(host)
    inside = profile.holds(regional["region"]) if regional else is_own(host, profile.registry)
    if not inside:
        yield f"`{path}` pushes to {host}, of which nothing shows that it is in profile {profile.name}"


_MAIL: Mapping[str, str] = {
    "aws:sns/topicSubscription:TopicSubscription": "endpoint",
    "gcp:monitoring/notificationChannel:NotificationChannel": "labels.email_address",
}
_MAIL_SERVICE = re.compile(
    r"@(gmail|googlemail|outlook|hotmail|live|msn|yahoo|icloud|me|aol)\.[a-z.]+$", re.IGNORECASE
)
"""An address of mail that anybody has, kept outside every profile with regions."""


def _mailed(subject: Resource, profile: Profile) -> Iterator[str]:
    path = _MAIL.get(subject.type)
    match = _MAIL_SERVICE.search(str(subject.value(path, ""))) if path else None
    if match is not None:
        yield f"`{path}` is mail of {match[1].lower()}, which takes data out of profile {profile.name}"


def _sent(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    yield from _pushed(subject, profile)
    yield from _mailed(subject, profile)
    targets = told(_read(subject))
    if _TELEMETRY.match(subject.type):
        targets.sinks.extend(reached(subject.props))
    if subject.type in _STORED:
        path = _STORED[subject.type]
        targets.sinks.append((path, str(subject.value(path, ""))))
    for path, region in targets.regions:
        if not profile.holds(region):
            yield f"`{path}` sends to {region}, a region outside profile {profile.name}"
    for path, address in targets.sinks:
        host = elsewhere(address, profile)
        if host is not None and not _EUROPE.search(address) and not _HOST.search(address):
            yield f"`{path}` sends to {host}, of which nothing shows that it is in profile {profile.name}"
    if subject.type.startswith(_SCHEMAS):
        return
    for path, value in leaves(subject):
        if value is UNKNOWN or not isinstance(value, str) or "." not in value:
            continue
        if subject.type.startswith("kubernetes:"):
            for match in _AWS.finditer(value):
                if not profile.holds(match[1].lower()):
                    yield f"`{path}` names a service in {match[1]}, a region outside profile {profile.name}"
        host = _outside(value)
        if host is not None:
            yield f"`{path}` names {host}, which takes data out of profile {profile.name}"


@lru_cache(4096)
def _outside(text: str) -> str | None:
    """The first service in `text` that is not shown to be in the EU; objects repeat their texts."""
    hosts = (one[1].lower() for one in _HOST.finditer(text) if not _EUROPE.search(one[0]))
    return next(hosts, None)


CONTROL = Control(
    id="SOV-RES-09",
    title="Logs, metrics, traces, alerts and prompts go to nobody outside",
    severity=Severity.CRITICAL,
    sources=("SOV-7", "NIS2 3.2", "GDPR 44"),
    remedy="Send them to the platform's own Prometheus, Grafana, collector or models.",
    rule=ResourceRule(_applies, _sent),
    cases=CASES,
)
