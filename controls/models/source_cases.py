"""What the control of sources of models is tried on."""

from corral.controls.control import UNKNOWN, Case, Verdict
from corral.controls.models.subjects import pod, service

_READ = "storage-initializer-sourceuri"
_S3, _GCS, _AZURE = "s3.csi.aws.com", "gcsfuse.csi.storage.gke.io", "blob.csi.azure.com"


def _mounts(image: str, driver: str, **attributes: str) -> dict[str, object]:
    csi = {"driver": driver, "volumeAttributes": attributes}
    container = {"name": "c", "image": image}
    return {"kind": "Pod", "spec": {"containers": [container], "volumes": [{"name": "v", "csi": csi}]}}


CASES = (
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
    *(
        Case(f"mounted: {title}", verdict, _mounts(image, driver, **attributes), stores=("s3://models/",))
        for title, verdict, image, driver, attributes in (
            ("the own bucket", Verdict.GOOD, "e.eu/vllm:1", _S3, {"bucketName": "models"}),
            ("another's bucket", Verdict.BAD, "e.eu/vllm:1", _S3, {"bucketName": "modelshop"}),
            ("Google's", Verdict.BAD, "e.eu/vllm:1", _GCS, {"bucketName": "models"}),
            ("an account of Azure's", Verdict.BAD, "e.eu/vllm:1", _AZURE, {"containerName": "models"}),
            (
                "the own name elsewhere",
                Verdict.BAD,
                "e.eu/vllm:1",
                _S3,
                {"bucketName": "models", "endpoint": "https://s3.example.com"},
            ),
            ("what serves none", Verdict.GOOD, "e.eu/backup:1", _S3, {"bucketName": "backups"}),
            ("secrets", Verdict.GOOD, "e.eu/vllm:1", "secrets-store.csi.k8s.io", {"provider": "a"}),
        )
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
)
