"""No model is served that was not verified before."""

from typing import Any

from corral.controls.cel import listed, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity
from corral.controls.models import serving

_LABEL = "validation.ml.sigstore.dev/ml"
"""By which sigstore's model-validation-operator puts the check into a pod."""
_KEY = f"^{_LABEL.replace('.', '[.]')}$"
_CHECKS = (
    r"(?i)(^|[\s/;&|(\"'.])model[_-]signing\s+(-\S+\s+)*verify\s"
    r"|(^|[\s/;&|(\"'])corral\s+load\s.*--sha256[\s=]"
)
_CHECKER, _VERIFY = r"(?i)model[-_](transparency|signing|validation)", r"(^|\s)verify(\s|$)"
_IN_VAIN = r"(?i)\|\||--ignore[-_]unsigned|set\s+\+e|[^&]&\s*($|[^&\s])|[|]\s*[a-z]"
"""A check whose failure stops nothing, or that leaves files out."""
_SEVERAL, _ERREXIT = r"[;\n]", r"(^|\s)(set\s+)?-[a-z]*e[a-z]*(\s|$)"
_STREAMED = r"(?i)(^|[\s=\"'])(s3|gs|az|abfss?|hf|runai)://"
"""An address that an engine loads from by itself."""
_FOLDER = r"^/mnt/models?(/|$)"
_LINE = f"({listed('i', 'command')} + {listed('i', 'args')}).map(w, string(w)).join(' ')"
_SOUND = (
    f"!(has(i.restartPolicy) && i.restartPolicy == 'Always') && [{_LINE}].all(l, "
    f"(l.matches({text(_CHECKS)}) || (i.?image.orValue('').matches({text(_CHECKER)}) && "
    f"l.matches({text(_VERIFY)}))) && !l.matches({text(_IN_VAIN)}) && "
    f"(!l.matches({text(_SEVERAL)}) || l.matches({text(_ERREXIT)})))"
)
"""CEL: whether init container `i` fails unless the model is the one that was signed or locked."""
_KEPT = "(has(v.persistentVolumeClaim) || has(v.hostPath) || has(v.csi) || has(v.nfs) || has(v.ephemeral))"
_FILLED = (
    "(has(v.emptyDir) && v.emptyDir.?medium.orValue('') != 'Memory' && ("
    f"{serving.inits('p')}.exists(i, v.name in {serving.named('i')}) || "
    f"{listed('c', 'volumeMounts')}.exists(m, m.?name.orValue('') == v.name && "
    f"m.?mountPath.orValue('').matches({text(_FOLDER)}))))"
)
_LAST = f"{serving.inits('p')}.filter(i, v.name in {serving.named('i')})"
_VERIFIED = f"[{_LAST}].all(a, size(a) > 0 && [a[size(a) - 1]].all(i, {_SOUND}))"
_OF_PODS = (
    f"(!variables.serves || {serving.PODS}.all(p, {serving.every('p')}.all(c, !{serving.engine('c')} || "
    f"({listed('p', 'volumes')}.all(v, !has(v.name) || !(v.name in {serving.named('c')}) || "
    f"!({_KEPT} || {_FILLED}) || {_VERIFIED}) && "
    f"!{serving.words('c')}.exists(w, string(w).matches({text(_STREAMED)}))))))"
)
_BY_DIGEST = r"^oci[a-z+]*://.*@sha256:[0-9a-f]{64}$"
_INITIALIZER = f"{serving.inits('p')}.exists(i, i.?name.orValue('') == 'storage-initializer' && {_SOUND})"
_MOUNTED = f"{serving.inits('p')}.exists(i, {_SOUND})"
_OF_SERVICES = (
    f"variables.uris.all(u, u.matches({text(_BY_DIGEST)}) || [variables.pod, variables.pod2].exists(p, "
    f"{_INITIALIZER} || (u.startsWith('pvc://') && {_MOUNTED})))"
)
_LABELS = (
    "object.?spec.?predictor.?labels.orValue({})",
    "object.?spec.?template.?metadata.?labels.orValue({})",
    "object.?spec.?jobTemplate.?spec.?template.?metadata.?labels.orValue({})",
)
_LABELLED = "(" + " || ".join(f"{one}.exists(k, k.matches({text(_KEY)}))" for one in _LABELS) + ")"
"""CEL: whether the operator is told to put its check into pods to be made; in those it must be."""

_CHECK = {
    "name": "check",
    "image": "r.example.eu/model-signing:1",
    "command": ["model_signing", "verify", "key", "/mnt/models", "--signature", "/mnt/models/model.sig"],
}
_MOUNT = {"volumeMounts": [{"name": "m", "mountPath": "/mnt/models"}]}
_CLAIM = {"name": "m", "persistentVolumeClaim": {"claimName": "m"}}
_FETCH = {"name": "fetch", "image": "r.example.eu/tools:1", "command": ["aws"], **_MOUNT}
_SCRATCH: Any = {"name": "m", "emptyDir": {}}


def _pod(
    *inits: Any, volume: Any = _CLAIM, image: str = "vllm/vllm-openai:v0.30.0", **more: Any
) -> dict[str, Any]:
    engine = {"name": "main", "image": image, **_MOUNT, **more}
    spec = {"containers": [engine], "initContainers": list(inits), "volumes": [volume]}
    return {"kind": "Pod", "metadata": {"name": "chat"}, "spec": spec}


def _check(*line: str, **more: Any) -> dict[str, Any]:
    return {**_CHECK, **_MOUNT, **({"command": list(line)} if line else {}), **more}


def _service(uri: str, *inits: Any, **more: Any) -> dict[str, Any]:
    model = {"modelFormat": {"name": "vllm"}, "storageUri": uri}
    predictor = {"model": model, **({"initContainers": list(inits)} if inits else {}), **more}
    return {
        "kind": "InferenceService",
        "metadata": {"name": "chat"},
        "spec": {"predictor": predictor},
    }


_OURS = {
    **_MOUNT,
    "name": "storage-initializer",
    "image": "r.example.eu/corral/tools:1",
    "command": ["corral"],
    "args": [
        "load",
        "--from",
        "s3://models/chat",
        "--to",
        "/mnt/models",
        "--sha256",
        f"a.safetensors={'a' * 64}",
    ],
}

CONTROL = Control(
    id="SOV-MOD-06",
    title="No model is served that was not verified before it was loaded",
    severity=Severity.CRITICAL,
    sources=("OpenSSF Model Signing", "OWASP LLM03"),
    remedy="Let the last init container that mounts the model verify it: its signature, or locked digests.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, "InferenceService", "LLMInferenceService"),
        expression=(
            f"{_LABELLED} || ((object.kind.endsWith('InferenceService') ? ({_OF_SERVICES}) : true) && "
            f"{_OF_PODS})"
        ),
        parameters=lambda profile: {"serves": serving.SERVES},
        message="a model is served without a check of its signature, or of its locked digests",
        demanded=(
            "spec.initContainers",
            "spec.template.spec.initContainers",
            "spec.predictor.initContainers",
        ),
        whole=True,
    ),
    cases=(
        Case("a signature that is verified", Verdict.GOOD, _pod(_check())),
        Case("fetched, then verified", Verdict.GOOD, _pod(_FETCH, _check(), volume=_SCRATCH)),
        Case("verified, then fetched", Verdict.BAD, _pod(_check(), _FETCH, volume=_SCRATCH)),
        Case("fetched alone", Verdict.BAD, _pod(_FETCH, volume=_SCRATCH)),
        Case("a volume as it is", Verdict.BAD, _pod()),
        Case(
            "by Python's module",
            Verdict.GOOD,
            _pod(_check("python", "-m", "model_signing", "verify", "/mnt/models")),
        ),
        Case(
            "by the image's own entrypoint",
            Verdict.GOOD,
            _pod(_check(command=None, args=["verify", "sigstore", "/m"])),
        ),
        Case("signed in its place", Verdict.BAD, _pod(_check("model_signing", "sign", "/mnt/models"))),
        Case(
            "a script that stops at a failure",
            Verdict.GOOD,
            _pod(_check("sh", "-ec", "cd /mnt; model_signing verify x")),
        ),
        Case(
            "a script that goes on", Verdict.BAD, _pod(_check("sh", "-c", "model_signing verify x; exit 0"))
        ),
        Case(
            "a failure that counts for nothing",
            Verdict.BAD,
            _pod(_check("sh", "-ec", "model_signing verify x || true")),
        ),
        Case("in the background", Verdict.BAD, _pod(_check("sh", "-ec", "model_signing verify x & sleep 1"))),
        Case("into a pipe", Verdict.BAD, _pod(_check("sh", "-ec", "model_signing verify x | tee log"))),
        Case(
            "files that are not signed",
            Verdict.BAD,
            _pod(_check("model_signing", "verify", "x", "--ignore_unsigned_files")),
        ),
        Case("beside the server", Verdict.BAD, _pod(_check(restartPolicy="Always"))),
        Case("another volume verified", Verdict.BAD, _pod({**_CHECK, "volumeMounts": [{"name": "n"}]})),
        Case(
            "an image as a volume", Verdict.GOOD, _pod(volume={"name": "m", "image": {"reference": "r/m:1"}})
        ),
        Case("nothing but settings", Verdict.GOOD, _pod(volume={"name": "m", "configMap": {"name": "m"}})),
        Case("shared memory", Verdict.GOOD, _pod(volume={"name": "m", "emptyDir": {"medium": "Memory"}})),
        Case("an emptyDir that the server fills", Verdict.BAD, _pod(volume=_SCRATCH)),
        Case("a router of models", Verdict.GOOD, _pod(image="r.example.eu/vllm-router:1")),
        Case(
            "a server in an image of another name",
            Verdict.BAD,
            _pod(image="r.example.eu/chat:1", command=["vllm", "serve", "/mnt/models"]),
        ),
        Case(
            "a server in an image of another name, verified",
            Verdict.GOOD,
            _pod(
                _check(),
                image="r.example.eu/chat:1",
                args=["python", "-m", "vllm.entrypoints.openai.api_server"],
            ),
        ),
        Case("no server of models", Verdict.GOOD, _pod(image="postgres:18")),
        Case("streamed from a store", Verdict.BAD, _pod(_check(), args=["--model", "s3://models/chat"])),
        Case("streamed, joined", Verdict.BAD, _pod(_check(), args=["--model=s3://models/chat"])),
        Case("digests of the lock", Verdict.GOOD, _service("s3://models/chat", _OURS)),
        Case(
            "digests of nowhere",
            Verdict.BAD,
            _service("s3://models/chat", {**_OURS, "args": ["load", "--to", "/m"]}),
        ),
        Case("by KServe's own initializer", Verdict.BAD, _service("s3://models/chat")),
        Case("before KServe's own initializer", Verdict.BAD, _service("s3://models/chat", _check())),
        Case("an artifact by digest", Verdict.GOOD, _service("oci://r.example.eu/m@sha256:" + "a" * 64)),
        Case("an artifact by tag", Verdict.BAD, _service("oci://r.example.eu/m:1")),
        Case("a claim that is verified", Verdict.GOOD, _service("pvc://m/chat", _check())),
        Case("a claim as it is", Verdict.BAD, _service("pvc://m/chat")),
        Case("the operator that verifies", Verdict.GOOD, _service("s3://m/chat", labels={_LABEL: "chat"})),
        Case(
            "a pod that the operator left as it is",
            Verdict.BAD,
            {**_pod(), "metadata": {"labels": {_LABEL: "chat"}}},
        ),
        Case(
            "several copies of a service",
            Verdict.BAD,
            {"kind": "LLMInferenceService", "spec": {"model": {"uri": "s3://models/chat"}}},
        ),
        Case(
            "several copies, verified",
            Verdict.GOOD,
            {
                "kind": "LLMInferenceService",
                "spec": {"model": {"uri": "s3://models/chat"}, "template": {"initContainers": [_OURS]}},
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, _pod(UNKNOWN)),
    ),
    not_enforced=(
        "whether the key or identity that a check trusts is the right one: that is in the check's arguments",
        "of artifacts in a registry beyond their digest: whether an image is signed is not looked for",
        "of a file that a program within the server's image brings, or that another container of the pod "
        "writes later",
    ),
)
