"""Nobody's admission fails open, and no exception is anywhere."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_NATIVE = "kubernetes:admissionregistration.k8s.io/"
_ENGINES = (
    "kubernetes:kyverno.io/",
    "kubernetes:policies.kyverno.io/",
    "kubernetes:constraints.gatekeeper.sh/",
)
_RELEASE = "kubernetes:helm.sh/v3:Release"
_EXCEPTION = "PolicyException"
_HOME = "kyverno"
"""Namespace that exceptions may be in, where its policies keep tenants out."""
_PODS = ("*", "*/*", "pods", "pods/*", "deployments")
_OPEN = "Ignore"


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removesuffix("Patch")


def _applies(token: str) -> bool:
    return token.startswith((_NATIVE, *_ENGINES)) or token == _RELEASE


def _intact(subject: Resource, profile: Profile) -> Iterator[str]:
    kind = _kind(subject.type)
    if subject.type == _RELEASE:
        yield from _of_chart(subject)
    elif kind.endswith("WebhookConfiguration"):
        for webhook in subject.value("webhooks", []):
            yield from _of_webhook(webhook)
    elif kind == _EXCEPTION:
        space = subject.value("metadata.namespace")
        if space != _HOME:
            yield f"an exception is in namespace {space}, where others may write, not in {_HOME}"
    elif subject.value("spec.failurePolicy", "Fail") == _OPEN:
        yield "`spec.failurePolicy` is Ignore, so whoever stops the policy is let in"


def _of_webhook(webhook: Any) -> Iterator[str]:
    if webhook is UNKNOWN:
        raise Undecided("a webhook is not known yet")
    one = Resource("webhook", "w", cast(Mapping[str, Any], webhook))
    if one.value("failurePolicy", "Fail") != _OPEN:
        return
    names = {str(value) for value in one.values("rules.resources")}
    if names & set(_PODS):
        yield f"webhook {one.value('name')} fails open, and what it is about are pods"


def _of_chart(release: Resource) -> Iterator[str]:
    chart = release.value("chart", "")
    if "kyverno" not in str(chart).rpartition("/")[2]:
        return
    if true(release.value("values.features.forceFailurePolicyIgnore.enabled", False)):
        yield "`features.forceFailurePolicyIgnore` is on, so every policy fails open"
    if release.value("values.features.policyExceptions.namespace") == "*":
        yield "`features.policyExceptions.namespace` is *, so exceptions hold from anywhere"


def _policy(
    failure: object, group: str = "policies.kyverno.io/v1", kind: str = "ValidatingPolicy"
) -> Resource:
    return Resource(f"kubernetes:{group}:{kind}", "p", {"spec": {"failurePolicy": failure}})


def _webhook(failure: str, *resources: str) -> Resource:
    webhook = {"name": "w", "failurePolicy": failure, "rules": [{"resources": list(resources)}]}
    return Resource(f"{_NATIVE}v1:ValidatingWebhookConfiguration", "w", {"webhooks": [webhook]})


def _exception(space: str) -> Resource:
    return Resource(f"kubernetes:kyverno.io/v2:{_EXCEPTION}", "e", {"metadata": {"namespace": space}})


def _kyverno(**features: object) -> Resource:
    return Resource(_RELEASE, "k", {"chart": "kyverno", "values": {"features": features}})


CONTROL = Control(
    id="SOV-POD-09",
    title="Admission does not fail open, and has no exceptions of anybody's",
    severity=Severity.CRITICAL,
    sources=("SOV-7", "NSA/CISA hardening"),
    remedy="Set `failurePolicy: Fail`; keep exceptions in one namespace that tenants cannot write to.",
    rule=ResourceRule(_applies, _intact),
    cases=(
        Case("a policy that fails closed", Verdict.GOOD, _policy("Fail")),
        Case("a policy that states nothing", Verdict.GOOD, _policy(None)),
        Case("a policy that fails open", Verdict.BAD, _policy(_OPEN)),
        Case(
            "an older policy that fails open", Verdict.BAD, _policy(_OPEN, "kyverno.io/v1", "ClusterPolicy")
        ),
        Case(
            "a native policy that fails open",
            Verdict.BAD,
            _policy(_OPEN, "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ),
        Case("a webhook for pods that fails open", Verdict.BAD, _webhook(_OPEN, "pods")),
        Case("a webhook for everything that fails open", Verdict.BAD, _webhook(_OPEN, "*")),
        Case("a webhook for its own kinds that fails open", Verdict.GOOD, _webhook(_OPEN, "prometheusrules")),
        Case("a webhook for pods that fails closed", Verdict.GOOD, _webhook("Fail", "pods")),
        Case("an exception of a tenant's", Verdict.BAD, _exception("team-a")),
        Case("an exception at home", Verdict.GOOD, _exception(_HOME)),
        Case("Kyverno", Verdict.GOOD, _kyverno()),
        Case("Kyverno that fails open", Verdict.BAD, _kyverno(forceFailurePolicyIgnore={"enabled": True})),
        Case("exceptions from anywhere", Verdict.BAD, _kyverno(policyExceptions={"namespace": "*"})),
        Case("not known yet", Verdict.UNDECIDED, _policy(UNKNOWN)),
    ),
)
