"""Models that operators' resources, mounted buckets and copies from other machines bring."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.pods_in import container, spec
from tests.policy.adversarial.stacks import REGISTRY

Named = tuple[str, str, dict[str, Any]]
_PULLER = f"{REGISTRY}/nim/meta/llama:1@sha256:{'a' * 64}"


def _kubeai(url: str, **more: Any) -> dict[str, Any]:
    return {"spec": {"url": url, "engine": "VLLM", **more}}


def _preset(name: str, **options: str) -> dict[str, Any]:
    return {"inference": {"preset": {"name": name, "presetOptions": options}}}


def _nim(**source: Any) -> dict[str, Any]:
    return {"spec": {"source": source, "storage": {}}}


def _store(endpoint: str) -> dict[str, Any]:
    return {"endpoint": endpoint, "namespace": "meta", "modelName": "llama", "authSecret": "s"}


def bad() -> Iterator[Named]:
    """(title, token, props) of resources whose models come from a hub or from strangers."""
    for url in (
        "hf://org/model",
        "s3://modelshop/chat",
        "gs://models/chat",
        "oss://models/chat",
        "ollama://gemma2",
    ):
        yield f"KubeAI {url}", "kubeai.org/v1:Model", _kubeai(url)
    adapter = {"name": "a", "url": "s3://modelshop/a"}
    yield "KubeAI's adapter", "kubeai.org/v1:Model", _kubeai("s3://models/chat", adapters=[adapter])
    yield "a patch of KubeAI's", "kubeai.org/v1:ModelPatch", _kubeai("s3://modelshop/chat")
    for source in (
        {"modelHub": {"modelID": "org/model"}},
        {"uri": "oss://models.e/chat"},
        {"uri": "s3://shop/c"},
    ):
        yield f"llmaz {source}", "llmaz.io/v1alpha1:OpenModel", {"spec": {"source": source}}
    for url in ("huggingface://org/adapter", "s3://modelshop/a", "gcs://models/a"):
        yield f"AIBrix {url}", "model.aibrix.ai/v1alpha1:ModelAdapter", {"spec": {"artifactURL": url}}
    for image in ("phi", "library/phi:3", "docker.io/a/phi:1", f"{REGISTRY}.evil.com/phi"):
        yield f"Ollama {image}", "ollama.ayaka.io/v1:Model", {"spec": {"image": image}}
    for name in ("phi-4-mini-instruct", "meta-llama/Llama-3.1-8B-Instruct"):
        yield f"Kaito {name}", "kaito.sh/v1beta1:Workspace", _preset(name, modelAccessSecret="hf")
        yield f"Kaito tuned {name}", "kaito.sh/v1beta1:Workspace", {"tuning": {"preset": {"name": name}}}
    request = {"spec": {"model": "org/model", "backend": "vllm"}}
    yield "a request of Dynamo's", "nvidia.com/v1alpha1:DynamoGraphDeploymentRequest", request
    urls = {"source": {"name": "a", "urls": ["https://example.com/adapter"]}}
    own = _preset("phi-4", modelWeightsPVC="weights")["inference"]
    yield "Kaito's adapter", "kaito.sh/v1beta1:Workspace", {"inference": {**own, "adapters": [urls]}}
    set_ = {"spec": {"template": _preset("phi-4")}}
    yield "a set of Kaito's", "kaito.sh/v1alpha1:InferenceSet", set_
    embedding = {"local": {"modelID": "BAAI/bge-small-en-v1.5"}}
    yield "Kaito's engine", "kaito.sh/v1beta1:RAGEngine", {"spec": {"embedding": embedding}}
    yield (
        "NIM of NGC",
        "apps.nvidia.com/v1alpha1:NIMCache",
        _nim(ngc={"modelPuller": _PULLER, "authSecret": "n"}),
    )
    hub = _store("https://huggingface.co")
    yield "NIM of a hub", "apps.nvidia.com/v1alpha1:NIMCache", _nim(hf={**hub, "modelPuller": _PULLER})
    yield (
        "NIM of another store",
        "apps.nvidia.com/v1alpha1:NIMCache",
        _nim(dataStore=_store("https://e.com/v1/hf")),
    )
    image = {"repository": f"{REGISTRY}/nim/meta/llama", "tag": "1"}
    fresh = {"image": image, "authSecret": "n", "storage": {"pvc": {"create": True}}}
    yield "NIM that fetches", "apps.nvidia.com/v1alpha1:NIMService", {"spec": fresh}
    services = [
        {"name": "a", "spec": {**fresh, "storage": {"nimCache": {"name": "c"}}}},
        {"name": "b", "spec": fresh},
    ]
    yield "NIM of a pipeline", "apps.nvidia.com/v1alpha1:NIMPipeline", {"spec": {"services": services}}
    ngc = {"modelPuller": _PULLER, "authSecret": "n"}
    mirrored: dict[str, Any] = {
        "env": [{"name": "NIM_REPOSITORY_OVERRIDE", "value": "s3://models/nim"}],
        "storage": {},
    }
    for title, source in (
        ("a model of a hub, of any NIM", {"ngc": {**ngc, "modelEndpoint": "hf://org/model"}}),
        ("a hub beside a mirror of NGC", {"hf": {**hub, "modelPuller": _PULLER}}),
        ("a store that is named like the own", {"dataStore": _store("https://s.svc.example.com/v1/hf")}),
        ("a store behind a user's name", {"dataStore": _store("https://s.svc@example.com/v1/hf")}),
    ):
        cache = {**mirrored, "source": source}
        yield f"cache with {title}", "apps.nvidia.com/v1alpha1:NIMCache", {"spec": cache}
    stranger = {"env": [{"name": "NIM_REPOSITORY_OVERRIDE", "value": "https://mirror.example.com"}]}
    cache = {**stranger, "source": {"ngc": ngc}, "storage": {}}
    yield "cache of a stranger's mirror", "apps.nvidia.com/v1alpha1:NIMCache", {"spec": cache}
    for key in ("env", "envs", "extraEnvVars"):
        for name, value in (("HF_MODEL_ID", "org/model"), ("HF_ENDPOINT", "https://hf-mirror.com")):
            yield (
                f"a variable {name} under {key}",
                "serving.yatai.ai/v2alpha1:BentoDeployment",
                {"spec": {"bento": "b", key: [{"name": name, "value": value}]}},
            )
    script = "#!/bin/bash\nhuggingface-cli download org/model --local-dir /models\n"
    yield "a node's script", "karpenter.k8s.aws/v1:EC2NodeClass", {"spec": {"userData": script}}
    for driver, attributes in (
        ("s3.csi.aws.com", {"bucketName": "modelshop"}),
        ("gcsfuse.csi.storage.gke.io", {"bucketName": "models"}),
        ("blob.csi.azure.com", {"containerName": "models", "storageAccount": "shop"}),
        ("model.csi.modelpack.org", {"model.csi.modelpack.org/reference": "docker.io/a/b:1"}),
        ("s3.csi.aws.com", {"bucketName": "models", "endpoint": "https://s3.example.com"}),
    ):
        volume = {"name": "m", "csi": {"driver": driver, "volumeAttributes": attributes}}
        yield f"mounted by {driver} {attributes}", "core/v1:Pod", {"spec": spec(volumes=[volume])}
        csi = {"driver": driver, "volumeHandle": "v", "volumeAttributes": attributes}
        yield f"volume of {driver} {attributes}", "core/v1:PersistentVolume", {"spec": {"csi": csi}}
    for line in (
        "scp -P 22 -i key user@host.example.com:/m/chat.gguf /models/",
        "sftp host.example.com:/m/chat.gguf /models",
        "rsync -a -e 'ssh -p 22' host.example.com:/m/ /models/",
        "rsync -a host.example.com::m /models/",
        "nc host.example.com 9000 > /models/chat.gguf",
        "nc 203.0.113.7 9000 | tar x -C /models",
        "ssh host.example.com cat /m/x > /models/x",
        "ftp -n ftp.example.com < get && mv chat.gguf /models",
        "cat < /dev/tcp/host.example.com/9000 > /models/x",
        "socat tcp:host.example.com:9 file:/models/x,create",
        "wget cdn.example.com/a/chat.gguf",
        "rclone copy :s3:modelshop/a /models",
        "rclone copyurl https://cdn.example.com/x /models/x",
        "mc cp shop/modelshop/chat.gguf /models/",
        "git clone git@git.example.com:a/m.git /models",
        "git -C /src lfs pull",
    ):
        yield (
            f"line {line}",
            "core/v1:Pod",
            {"spec": spec(containers=[container(command=["sh", "-c", line])])},
        )


def good() -> Iterator[Named]:
    """The same of the platform's own, and what only looks alike."""
    for url in ("s3://models/chat", "pvc://models/chat"):
        yield f"KubeAI {url}", "kubeai.org/v1:Model", _kubeai(url)
    yield "llmaz", "llmaz.io/v1alpha1:OpenModel", {"spec": {"source": {"uri": "s3://models/chat"}}}
    for url in ("s3://models/a", "/mnt/adapters/a"):
        yield f"AIBrix {url}", "model.aibrix.ai/v1alpha1:ModelAdapter", {"spec": {"artifactURL": url}}
    yield "Kaito", "kaito.sh/v1beta1:Workspace", _preset("phi-4", modelWeightsPVC="weights")
    cached_ = {"spec": {"model": "org/model", "modelCache": {"pvcName": "models"}}}
    yield "a request of Dynamo's", "nvidia.com/v1alpha1:DynamoGraphDeploymentRequest", cached_
    store = _store("http://nemo-data-store.nemo.svc.cluster.local/v1/hf")
    yield "NIM of the own store", "apps.nvidia.com/v1alpha1:NIMCache", _nim(dataStore=store)
    short = _store("http://nemo-data-store:3000/v1/hf")
    yield "NIM of the store beside it", "apps.nvidia.com/v1alpha1:NIMCache", _nim(dataStore=short)
    for endpoint in ({}, {"modelEndpoint": "ngc://nim/meta/llama"}):
        spec_ = {
            "env": [{"name": "NIM_REPOSITORY_OVERRIDE", "value": "s3://models/nim"}],
            "source": {"ngc": {"modelPuller": _PULLER, "authSecret": "n", **endpoint}},
            "storage": {},
        }
        yield f"NIM of a mirror of NGC {endpoint}", "apps.nvidia.com/v1alpha1:NIMCache", {"spec": spec_}
    cached = {
        "image": {"repository": f"{REGISTRY}/nim/meta/llama", "tag": f"1@sha256:{'a' * 64}"},
        "authSecret": "n",
        "storage": {"nimCache": {"name": "llama"}},
    }
    services: list[dict[str, Any]] = [
        {"name": "a", "spec": cached},
        {"name": "b", "enabled": False, "spec": {"storage": {}}},
    ]
    yield "NIMs of caches", "apps.nvidia.com/v1alpha1:NIMPipeline", {"spec": {"services": services}}
    variables = [{"name": "HF_HUB_OFFLINE", "value": "1"}, {"name": "APP_NAME", "value": "org/model"}]
    yield "variables", "serving.yatai.ai/v2alpha1:BentoDeployment", {"spec": {"envs": variables}}
    yield "another operator's model", "example.org/v1:Model", {"spec": {"image": "phi"}}
    own = {"driver": "s3.csi.aws.com", "volumeAttributes": {"bucketName": "models"}}
    yield "mounted, the own", "core/v1:Pod", {"spec": spec(volumes=[{"name": "m", "csi": own}])}
    yield "volume of the own", "core/v1:PersistentVolume", {"spec": {"csi": {**own, "volumeHandle": "v"}}}
    disk = {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}
    yield "volume of a disk", "core/v1:PersistentVolume", {"spec": {"csi": disk}}
    for line in (
        "scp -r /models backup@host.example.com:/b/",
        "scp /backup/db.dump backup@host.example.com:/b/",
        "rsync -a /src/ /models/",
        "rsync -a store.models.svc::m /models",
        "tar c /models | nc host.example.com 9",
        "until nc -z store.models.svc 8333; do sleep 1; done; exec llama-server -m /models/chat.gguf",
        "if nc -z db.example.com 5432 >/dev/null; then ls /models; fi",
        "rclone copy /data remote:backups",
        "rclone copy store:models/chat /models",
        "mc cp store/models/chat.gguf /models/",
        "git clone git@git.example.eu:team/app.git /src",
        "ssh-keygen -A && ls /models",
        "sync && ls /models/chat.gguf",
    ):
        yield (
            f"line {line}",
            "core/v1:Pod",
            {"spec": spec(containers=[container(command=["sh", "-c", line])])},
        )
