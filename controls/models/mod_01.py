"""Every model comes from an allowed source."""

from corral.controls.cel import OPTIONS, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.sources import served_from
from corral.controls.models.subjects import pod, service
from corral.controls.profiles import Profile


def _parameters(profile: Profile) -> dict[str, str]:
    return {
        "sources": text(served_from(profile)),
        "addressed": "variables.text.contains('://')",
        "options": f"variables.addressed ? {OPTIONS} : []",
        "registries": text([f"{profile.registry.rstrip('/')}/"] if profile.registry else []),
        "pulled": f"variables.text.matches({text(hubs.PULLS)})" if profile.regions is not None else "false",
    }


def _outside(address: str) -> str:
    """CEL: whether `address` is one of a place that is neither in the cluster nor an allowed source."""
    return (
        f"{address}.matches({text(hubs.URL)}) && !{address}.matches({text(hubs.INSIDE)}) && "
        f"!variables.sources.exists(a, {address}.startsWith(a))"
    )


_REFERENCE = (
    r"^(docker://)?[a-z0-9.-]+[.][a-z]+(:[0-9]+)?/[a-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[a-f0-9]+)?$"
)
"""A reference of an artifact, with its registry."""
_READ = "storage-initializer-sourceuri"
_UPWARDS = r"(^|/)[.][.](/|$)"
"""A step out of the bucket that a path begins with."""


def _elsewhere(address: str) -> str:
    """CEL: whether `address` is one outside the cluster."""
    return f"({address}.matches({text(hubs.URL)}) && !{address}.matches({text(hubs.INSIDE)}))"


_FETCHED = (
    f"variables.texts.exists(l, l.contains('://') && (l.matches({text(hubs.FETCHES)}) || "
    f"l.matches({text(hubs.READS)}) && l.matches({text(hubs.KEPT)})) && "
    f"{hubs.words('l')}.exists(w, w.contains('://') && {_outside('w')}))"
)
"""CEL: whether a command fetches what it keeps as a model, or from a store, from outside."""
_PULLED = (
    "variables.pulled && (size(variables.registries) == 0 || "
    f"{hubs.words('variables.text')}.exists(w, w.matches({text(_REFERENCE)}) && "
    "!variables.registries.exists(r, w.replace('docker://', '').startsWith(r))))"
)
"""CEL: whether a command pulls an artifact from another registry."""
_LOADED = (
    "variables.names.contains('RUNTIME_LORA') && variables.env.exists(l, l.exists(e, "
    "e.name == 'VLLM_ALLOW_RUNTIME_LORA_UPDATING' && "
    "!(has(e.value) && e.value.lowerAscii() in ['', '0', 'false', 'no', 'off'])))"
)
"""CEL: whether whoever sends a request names the adapter that is loaded for it."""
_EXPRESSION = " && ".join(
    (
        f"!({_LOADED})",
        f"!(variables.addressed && {_FETCHED})",
        f"!({_PULLED})",
        "variables.uris.all(u, variables.sources.exists(s, u.startsWith(s)) && "
        f"!u.matches({text(_UPWARDS)}))",
        "variables.containers.all(c, !has(c.storage) || !has(c.storage.parameters) || "
        "!has(c.storage.parameters.endpoint_url) || "
        f"!{_elsewhere('c.storage.parameters.endpoint_url')})",
        "variables.env.all(l, l.all(e, e.name != 'STORAGE_URI' || !has(e.value) || "
        "variables.sources.exists(s, e.value.startsWith(s))))",
        "(!variables.addressed || (variables.env.all(l, l.all(e, "
        "!(has(e.value) && e.value.contains('://') && "
        f"e.name.matches({text(hubs.VARIABLE)}) && !e.name.startsWith('GIT') && {_outside('e.value')}))) && "
        f"variables.options.all(o, o.all(s, !(s.contains('://') && s.matches({text(hubs.OPTION)}) && "
        f"{hubs.words('s')}.exists(w, {_outside('w')})))) && "
        f"{hubs.words('variables.text')}.all(w, !(w.contains('://') && w.matches({text(hubs.WEIGHTS)}) && "
        f"{_outside('w')}))))",
    )
)


CONTROL = Control(
    id="SOV-MOD-01",
    title="Every model comes from an allowed source",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Import the model into the platform's own store and serve it from there (`s3://…`).",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=_parameters,
        expression=_EXPRESSION,
        message="a model address lies outside the allowed sources",
    ),
    cases=(
        Case("from the own store", Verdict.GOOD, service(storageUri="s3://models/chat")),
        Case(
            "a bucket of somebody else's, where the platform's are known",
            Verdict.BAD,
            service(storageUri="s3://modelshop/chat"),
            stores=("s3://models/",),
        ),
        Case(
            "a registry of somebody else's, where the platform's are known",
            Verdict.BAD,
            service(storageUri="oci://docker.io/somebody/chat"),
            stores=("s3://models/",),
        ),
        Case(
            "the platform's bucket by its name",
            Verdict.GOOD,
            service(storageUri="s3://models/chat"),
            stores=("s3://models/",),
        ),
        Case("no address at all", Verdict.GOOD, service()),
        *(
            Case(f"{title}", verdict, pod(command=["sh", "-c", line]), stores=("s3://models/",))
            for title, verdict, line in (
                ("fetched from anybody's bucket", Verdict.BAD, "aws s3 cp --recursive s3://modelshop/a /m"),
                ("fetched from the platform's", Verdict.GOOD, "aws s3 sync s3://models/a /m && serve /m"),
                ("put into another's", Verdict.GOOD, "aws s3 cp /backup/db.dump s3://backups/db.dump"),
                ("fetched by rsync", Verdict.BAD, "rsync -a rsync://mirror.example.com/m /models"),
                ("fetched by gsutil", Verdict.BAD, "gsutil -m cp -r gs://modelshop/a /m"),
                (
                    "fetched by azcopy",
                    Verdict.BAD,
                    "azcopy copy 'https://a.blob.core.windows.net/c/m' /m --recursive",
                ),
                (
                    "kept as weights under another name",
                    Verdict.BAD,
                    "wget -q https://cdn.example.com/download/1 -O /data/chat.gguf",
                ),
                (
                    "kept in a folder of models",
                    Verdict.BAD,
                    "python -c \"urlretrieve('https://cdn.example.com/m', '/models/m')\"",
                ),
                (
                    "large files of a repository",
                    Verdict.BAD,
                    "git clone https://git.example.com/a/m.git /m && git lfs pull",
                ),
                (
                    "a list of models of the cluster's",
                    Verdict.GOOD,
                    "curl -fsS http://chat.team-a.svc:8000/v1/models",
                ),
                (
                    "a list of models of a gateway",
                    Verdict.GOOD,
                    "curl -fsS https://chat.example.eu/v1/models",
                ),
                ("an artifact of anybody's", Verdict.BAD, "oras pull docker.io/modelshop/chat:1 -o /m"),
                ("a copy within the machine", Verdict.GOOD, "cp -r /src/. /models && sha256sum -c SUMS"),
            )
        ),
        Case(
            "adapters that a request names",
            Verdict.BAD,
            pod(env=[{"name": "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "value": "True"}]),
        ),
        Case(
            "adapters that no request names",
            Verdict.GOOD,
            pod(env=[{"name": "VLLM_ALLOW_RUNTIME_LORA_UPDATING", "value": "0"}]),
        ),
        Case("from a public hub", Verdict.BAD, service(storageUri="hf://org/chat")),
        Case("a public page", Verdict.BAD, service(storageUri="https://example.com/chat.gguf")),
        Case("an address that only contains s3://", Verdict.BAD, service(storageUri="https://x/s3://chat")),
        Case(
            "the initializer's variable",
            Verdict.BAD,
            pod(env=[{"name": "STORAGE_URI", "value": "hf://a/b"}]),
        ),
        Case(
            "a second address among several",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"storageUris": [{"uri": "s3://a/b"}, {"uri": "hf://a/b"}]}},
            },
        ),
        Case(
            "a predictor named by its framework",
            Verdict.BAD,
            {"kind": "InferenceService", "spec": {"predictor": {"huggingface": {"storageUri": "hf://a/b"}}}},
        ),
        Case(
            "an adapter from a hub",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {"model": {"uri": "s3://a/b", "lora": {"adapters": [{"uri": "hf://a/c"}]}}},
            },
        ),
        Case("a hub in profile open", Verdict.GOOD, service(storageUri="hf://org/chat"), profile="open"),
        Case("not known before the update", Verdict.UNDECIDED, service(storageUri=UNKNOWN)),
        Case(
            "an engine's address of a model",
            Verdict.BAD,
            pod(args=["--model-url", "https://example.com/chat.gguf"]),
        ),
        Case(
            "an engine's address within the cluster",
            Verdict.GOOD,
            pod(args=["--model-url", "http://store.models.svc:8333/chat.gguf"]),
        ),
        Case(
            "an engine that streams from anybody's bucket",
            Verdict.BAD,
            pod(args=["--model=s3://modelshop/chat", "--load-format", "runai_streamer"]),
            stores=("s3://models/",),
        ),
        Case(
            "an engine that streams from the platform's bucket",
            Verdict.GOOD,
            pod(args=["--model", "s3://models/chat"]),
            stores=("s3://models/",),
        ),
        Case(
            "a variable with anybody's bucket",
            Verdict.BAD,
            pod(env=[{"name": "MODEL_URI", "value": "s3://modelshop/chat"}]),
            stores=("s3://models/",),
        ),
        Case(
            "a download of weights",
            Verdict.BAD,
            pod(command=["sh", "-c", "curl -fsSLo /m/x https://cdn.example.com/a/chat.safetensors"]),
        ),
        Case(
            "a download of something else",
            Verdict.GOOD,
            pod(command=["sh", "-c", "curl -fsS https://registry.example.eu/health"]),
        ),
        Case(
            "adapters from a bucket of anybody's",
            Verdict.BAD,
            pod(args=["--lora-modules", "a=s3://modelshop/a"]),
            stores=("s3://models/",),
        ),
        Case(
            "an adapter within a document",
            Verdict.BAD,
            pod(args=["--speculative-config", '{"model": "gs://modelshop/draft"}']),
            stores=("s3://models/",),
        ),
        Case(
            "a cached model of a hub",
            Verdict.BAD,
            {"kind": "LocalModelCache", "spec": {"sourceModelUri": "hf://a/b", "modelSize": "1Gi"}},
        ),
        Case(
            "a bucket that only begins alike",
            Verdict.BAD,
            service(storageUri="s3://models-of-others/chat"),
            stores=("s3://models/",),
        ),
        Case(
            "an explainer's own model",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {}, "explainer": {"art": {"storageUri": "hf://a/b"}}},
            },
        ),
        Case(
            "a path that leaves the bucket",
            Verdict.BAD,
            service(storageUri="s3://models/../modelshop/chat"),
            stores=("s3://models/",),
        ),
        *(
            Case(
                f"storage of {title}",
                verdict,
                service(storage={"key": "k", "path": "chat", "parameters": {"type": "s3", **parameters}}),
                stores=("s3://models/",),
            )
            for title, verdict, parameters in (
                ("the platform's bucket", Verdict.GOOD, {"bucket": "models"}),
                ("a bucket of anybody's", Verdict.BAD, {"bucket": "modelshop"}),
                (
                    "an endpoint of anybody's",
                    Verdict.BAD,
                    {"bucket": "models", "endpoint_url": "https://s3.example.com"},
                ),
            )
        ),
        *(
            Case(f"an annotation that the initializer reads, {title}", Verdict.BAD, subject)
            for title, subject in (
                (
                    "of a pod",
                    {
                        "kind": "Pod",
                        "metadata": {"annotations": {f"internal.serving.kserve.io/{_READ}": "hf://a/b"}},
                        "spec": {"containers": [{"name": "c"}]},
                    },
                ),
                (
                    "of a template",
                    {
                        "kind": "Deployment",
                        "spec": {
                            "template": {
                                "metadata": {"annotations": {f"serving.kserve.io/{_READ}": "hf://a/b"}},
                                "spec": {"containers": [{"name": "c"}]},
                            }
                        },
                    },
                ),
            )
        ),
        Case(
            "an adapter whose address is not known yet",
            Verdict.UNDECIDED,
            {
                "kind": "LLMInferenceService",
                "spec": {"model": {"uri": "s3://a/b", "lora": {"adapters": [{"uri": UNKNOWN}]}}},
            },
        ),
        Case(
            "a predictor of sklearn",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"sklearn": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of triton",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"triton": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of pytorch",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"pytorch": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of onnx",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"onnx": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of tensorflow",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"tensorflow": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of xgboost",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"xgboost": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of lightgbm",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"lightgbm": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of pmml",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"pmml": {"storageUri": "https://example.com/m"}}},
            },
        ),
        Case(
            "a predictor of paddle",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"paddle": {"storageUri": "https://example.com/m"}}},
            },
        ),
    ),
)
