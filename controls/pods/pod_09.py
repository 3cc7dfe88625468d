"""Nobody's admission fails open, and no exception is anywhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.kinds import PODS
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_NATIVE = "kubernetes:admissionregistration.k8s.io/"
_ENGINES = (
    "kubernetes:kyverno.io/",
    "kubernetes:policies.kyverno.io/",
    "kubernetes:constraints.gatekeeper.sh/",
)
_SIGNED = "gcp:binaryauthorization/policy:Policy"
_CONNECTED = "kubernetes:binaryauthorization.cnrm.cloud.google.com/"
"""Beginning of types of the same within a cluster, by Config Connector."""
_RULES = (
    "defaultAdmissionRule",
    *(
        f"{scope}AdmissionRules"
        for scope in (
            "cluster",
            "kubernetesNamespace",
            "kubernetesServiceAccount",
            "istioServiceIdentity",
        )
    ),
)
_ANYTHING = re.compile(
    r"\s*(?:(?:[a-z.]+\.)?docker\.(?:io|com)|ghcr\.io|quay\.io|public\.ecr\.aws|\*+)?[/*]*\s*", re.IGNORECASE
)
"""A pattern of images that anybody can name one by."""
_RELEASE = "kubernetes:helm.sh/v3:Release"
_EXCEPTION = "PolicyException"
_HOME = "kyverno"
"""Namespace that exceptions may be in, where its policies keep tenants out."""
_PODS = (
    "*",
    "*/*",
    *(f"{kind.plural}{end}" for kind in PODS for end in ("", "/*")),
    "pods/ephemeralcontainers",
)
_OPEN = "Ignore"


def _kind(token: str) -> str:
    return token.rpartition(":")[2].removesuffix("Patch")


def _applies(token: str) -> bool:
    return token.startswith((_NATIVE, *_ENGINES, _CONNECTED)) or token in (_RELEASE, _SIGNED)


def _intact(subject: Resource, profile: Profile) -> Iterator[str]:
    kind = _kind(subject.type)
    if subject.type == _RELEASE:
        yield from _of_chart(subject)
    elif kind.removesuffix("List").endswith("WebhookConfiguration"):
        default = _OPEN if "/v1beta1:" in subject.type else "Fail"
        for webhook in (*subject.values("webhooks"), *subject.values("items.webhooks")):
            if webhook is not None:
                yield from _of_webhook(webhook, default)
    elif subject.type == _SIGNED:
        yield from _of_signed(subject.props)
    elif subject.type.startswith(_CONNECTED):
        yield from _of_signed(subject.value("spec", {}))
    elif kind == _EXCEPTION:
        space = subject.value("metadata.namespace")
        if space != _HOME:
            yield f"an exception is in namespace {space}, where others may write, not in {_HOME}"
    elif subject.value("spec.failurePolicy", "Fail") == _OPEN:
        yield "`spec.failurePolicy` is Ignore, so whoever stops the policy is let in"


def _of_webhook(webhook: Any, default: str) -> Iterator[str]:
    if webhook is UNKNOWN:
        raise Undecided("a webhook is not known yet")
    one = Resource("webhook", "w", cast(Mapping[str, Any], webhook))
    if one.value("failurePolicy", default) != _OPEN:
        return
    names = {str(value) for value in one.values("rules.resources")}
    if names & set(_PODS):
        yield f"webhook {one.value('name')} fails open, and what it is about are pods"


def _of_signed(policy: Mapping[str, Any]) -> Iterator[str]:
    """What a policy of Google's Binary Authorization lets in without a signature."""
    one = Resource(_SIGNED, "p", policy)
    for path in _RULES:
        for rule in one.values(path):
            if not isinstance(rule, Mapping):
                continue
            fields = cast(Mapping[str, Any], rule)
            if str(fields.get("evaluationMode", "")).upper() == "ALWAYS_ALLOW":
                yield f"`{path}.evaluationMode` is ALWAYS_ALLOW, so any image is let in"
            if "DRYRUN" in str(fields.get("enforcementMode", "")).upper():
                yield f"`{path}.enforcementMode` only reports, so whatever is denied is let in"
    for pattern in one.values("admissionWhitelistPatterns.namePattern"):
        if pattern is not None and _ANYTHING.fullmatch(str(pattern)):
            yield f"`admissionWhitelistPatterns` has {pattern}, so any image is let in"
    if UNKNOWN in [each for path in _RULES for each in one.values(f"{path}.evaluationMode")]:
        raise Undecided("an `evaluationMode` is not known yet")


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


def _old() -> Resource:
    webhook = {"name": "w", "rules": [{"resources": ["pods"]}]}
    return Resource(f"{_NATIVE}v1beta1:ValidatingWebhookConfiguration", "w", {"webhooks": [webhook]})


_DEMANDED = {"evaluationMode": "REQUIRE_ATTESTATION", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}

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
        Case("an older webhook for pods that states nothing", Verdict.BAD, _old()),
        Case("a webhook for sets of pods that fails open", Verdict.BAD, _webhook(_OPEN, "statefulsets")),
        Case(
            "a webhook in a list",
            Verdict.BAD,
            Resource(
                f"{_NATIVE}v1:MutatingWebhookConfigurationList",
                "w",
                {"items": [{"webhooks": [{"failurePolicy": _OPEN, "rules": [{"resources": ["pods"]}]}]}]},
            ),
        ),
        *(
            Case(title, verdict, Resource(_SIGNED, "p", {"defaultAdmissionRule": rule, **more}))
            for title, verdict, rule, more in (
                ("signed images alone", Verdict.GOOD, _DEMANDED, {}),
                ("no images", Verdict.GOOD, {**_DEMANDED, "evaluationMode": "ALWAYS_DENY"}, {}),
                ("any image", Verdict.BAD, {**_DEMANDED, "evaluationMode": "ALWAYS_ALLOW"}, {}),
                ("reported", Verdict.BAD, {**_DEMANDED, "enforcementMode": "DRYRUN_AUDIT_LOG_ONLY"}, {}),
                (
                    "any image in one cluster",
                    Verdict.BAD,
                    _DEMANDED,
                    {"clusterAdmissionRules": [{"cluster": "c", "evaluationMode": "ALWAYS_ALLOW"}]},
                ),
                (
                    "any image by its name",
                    Verdict.BAD,
                    _DEMANDED,
                    {"admissionWhitelistPatterns": [{"namePattern": "**"}]},
                ),
                (
                    "any image of a public registry",
                    Verdict.BAD,
                    _DEMANDED,
                    {"admissionWhitelistPatterns": [{"namePattern": "docker.io/*"}]},
                ),
                (
                    "images of the own registry by their name",
                    Verdict.GOOD,
                    _DEMANDED,
                    {"admissionWhitelistPatterns": [{"namePattern": "registry.example.eu/*"}]},
                ),
                ("a mode not known yet", Verdict.UNDECIDED, {"evaluationMode": UNKNOWN}, {}),
            )
        ),
        Case("not known yet", Verdict.UNDECIDED, _policy(UNKNOWN)),
    ),
)
