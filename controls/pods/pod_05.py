"""No pod has an identity, or files to change, that it does not need."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity
from corral.controls.models.serving import PODS, SERVES, engine, every

_OFF = "(has(p.automountServiceAccountToken) && p.automountServiceAccountToken == false)"
_NAME = "(has(p.serviceAccountName) ? p.serviceAccountName : p.?serviceAccount.orValue('default'))"
_OWN = f"!({_NAME} in {text(['', 'default'])})"
_UNMOUNTED = (
    "variables.volumes.all(v, !has(v.projected) || v.projected.?sources.orValue([]).all(s, "
    "!has(s.serviceAccountToken) || !(s.serviceAccountToken.?audience.orValue('') in ['', "
    "'https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'])))"
)
"""CEL: no volume has a token for the API server; one for a cloud has another audience."""
_READ = "(has(c.securityContext) && has(c.securityContext.readOnlyRootFilesystem) && "


def _pod(image: str = "postgres:18", context: Any = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": image, **({"securityContext": context} if context else {})}
    return {"kind": "Pod", "spec": {"containers": [container], **spec}}


_ENGINE = "vllm/vllm-openai:v0.30.0"
_READS: Any = {"readOnlyRootFilesystem": True}
_NO_TOKEN: Any = {"automountServiceAccountToken": False}


def _token(**token: str) -> dict[str, Any]:
    return {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token", **token}}]}}


def _service(**predictor: Any) -> dict[str, Any]:
    return {
        "kind": "InferenceService",
        "spec": {"predictor": {"model": {"storageUri": "s3://m/c"}, **predictor}},
    }


CONTROL = Control(
    id="SOV-POD-05",
    title="No pod has a token of the default account; one that serves models has none, and a fixed image",
    severity=Severity.MEDIUM,
    sources=("CIS EKS 4.1.5", "CIS EKS 4.1.6"),
    remedy=(
        "Set automountServiceAccountToken to false, or name an account of its own; give servers of models "
        "readOnlyRootFilesystem, and volumes for what they write."
    ),
    rule=ObjectRule(
        kinds=(*POD_KINDS, "InferenceService"),
        expression=(
            f"{PODS}.all(p, {_OFF} || ({_OWN} && !variables.serves)) && "
            f"(!variables.serves || {_UNMOUNTED} && "
            f"{PODS}.all(p, {every('p')}.all(c, !{engine('c')} || "
            f"{_READ}c.securityContext.readOnlyRootFilesystem == true))))"
        ),
        parameters=lambda profile: {"serves": SERVES},
        message="a pod has a token that it does not need, or a server of models can write to its image",
        demanded=(
            "spec.automountServiceAccountToken",
            "spec.serviceAccountName",
            "spec.containers",
            "spec.template.spec.automountServiceAccountToken",
            "spec.template.spec.serviceAccountName",
            "spec.template.spec.containers",
            "spec.predictor.automountServiceAccountToken",
        ),
        whole=True,
    ),
    cases=(
        Case("no token", Verdict.GOOD, _pod(**_NO_TOKEN)),
        Case("an account of its own", Verdict.GOOD, _pod(serviceAccountName="operator")),
        Case("the older name of that field", Verdict.GOOD, _pod(serviceAccount="operator")),
        Case("nothing said", Verdict.BAD, _pod()),
        Case("the default account", Verdict.BAD, _pod(serviceAccountName="default")),
        Case("an empty account", Verdict.BAD, _pod(serviceAccountName="")),
        Case(
            "the default account, without its token",
            Verdict.GOOD,
            _pod(serviceAccountName="default", **_NO_TOKEN),
        ),
        Case("the default account, with its token", Verdict.BAD, _pod(automountServiceAccountToken=True)),
        Case("an account that only begins alike", Verdict.GOOD, _pod(serviceAccountName="default-reader")),
        Case("a server of models", Verdict.GOOD, _pod(_ENGINE, _READS, **_NO_TOKEN)),
        Case("a server with a token", Verdict.BAD, _pod(_ENGINE, _READS, serviceAccountName="chat")),
        Case("a server that writes", Verdict.BAD, _pod(_ENGINE, **_NO_TOKEN)),
        Case(
            "a server that may write",
            Verdict.BAD,
            _pod(_ENGINE, {"readOnlyRootFilesystem": False}, **_NO_TOKEN),
        ),
        Case(
            "a router of models",
            Verdict.GOOD,
            _pod("r.example.eu/vllm-router:1", serviceAccountName="router"),
        ),
        Case(
            "a server with a token as a volume",
            Verdict.BAD,
            _pod(_ENGINE, _READS, **_NO_TOKEN, volumes=[_token()]),
        ),
        Case(
            "a server with a token for a cloud",
            Verdict.GOOD,
            _pod(_ENGINE, _READS, **_NO_TOKEN, volumes=[_token(audience="sts.amazonaws.com")]),
        ),
        Case("a service without a token", Verdict.GOOD, _service(**_NO_TOKEN)),
        Case("a service with one", Verdict.BAD, _service(serviceAccountName="chat")),
        Case("not known yet", Verdict.UNDECIDED, _pod(automountServiceAccountToken=UNKNOWN)),
        Case("an account that is not known yet", Verdict.UNDECIDED, _pod(serviceAccountName=UNKNOWN)),
    ),
    not_enforced=(
        "of what has an account of its own and serves no model: operators need their token, and their charts "
        "say whether their images are written to",
        "of runtimes, which have no account: the pods that are made of them are evaluated",
    ),
)
