"""Kubernetes objects: each way to break a control, in each place and kind that can hold it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.policy.adversarial.stacks import DIGEST, IMAGE, REGISTRY, Entry, text

SAFE: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
OTHER = f"{REGISTRY}/tools/shell:1{DIGEST}"
"""Image of no known engine."""


def container(**more: Any) -> dict[str, Any]:
    return {"name": "main", "image": IMAGE, "securityContext": dict(SAFE), **more}


def spec(**more: Any) -> dict[str, Any]:
    return {"containers": [container()], **more}


def holding(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(title, token, props) of every kind that holds `pod`."""
    template = {"spec": {"template": {"spec": pod}}}
    yield "Pod", "core/v1:Pod", {"spec": pod}
    yield "PodTemplate", "core/v1:PodTemplate", {"template": {"spec": pod}}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        yield kind, f"apps/v1:{kind}", template
        yield f"{kind}Patch", f"apps/v1:{kind}Patch", template
    yield "an old Deployment", "extensions/v1beta1:Deployment", template
    yield "Job", "batch/v1:Job", template
    yield "CronJob", "batch/v1:CronJob", {"spec": {"jobTemplate": template}}
    yield "CronJobPatch", "batch/v1:CronJobPatch", {"spec": {"jobTemplate": template}}
    yield "ReplicationController", "core/v1:ReplicationController", template
    yield "PodList", "core/v1:PodList", {"items": [{"spec": pod}]}
    yield "DeploymentList", "apps/v1:DeploymentList", {"items": [template]}
    listed = {"apiVersion": "apps/v1", "kind": "Deployment", **template}
    yield "List", "core/v1:List", {"items": [listed]}
    yield (
        "a List in a List",
        "core/v1:List",
        {"items": [{"apiVersion": "v1", "kind": "List", "items": [listed]}]},
    )
    yield "JobSet", "jobset.x-k8s.io/v1alpha2:JobSet", {"spec": {"replicatedJobs": [{"template": template}]}}
    yield (
        "RayService",
        "ray.io/v1:RayService",
        {"spec": {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": pod}}}}},
    )
    yield "RayJob", "ray.io/v1:RayJob", {"spec": {"submitterPodTemplate": {"spec": pod}}}
    yield (
        "PyTorchJob",
        "kubeflow.org/v1:PyTorchJob",
        {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 1, "template": {"spec": pod}}}}},
    )
    yield "Knative Service", "serving.knative.dev/v1:Service", template
    yield (
        "LeaderWorkerSet",
        "leaderworkerset.x-k8s.io/v1:LeaderWorkerSet",
        {
            "spec": {
                "leaderWorkerTemplate": {"leaderTemplate": {"spec": pod}, "workerTemplate": {"spec": spec()}}
            }
        },
    )
    yield "VolcanoJob", "batch.volcano.sh/v1alpha1:Job", {"spec": {"tasks": [{"template": {"spec": pod}}]}}
    yield "CloneSet", "apps.kruise.io/v1alpha1:CloneSet", template
    yield "ScaledJob", "keda.sh/v1alpha1:ScaledJob", {"spec": {"jobTargetRef": {"template": {"spec": pod}}}}
    yield "InferenceService", "serving.kserve.io/v1beta1:InferenceService", {"spec": {"predictor": pod}}
    yield (
        "its worker",
        "serving.kserve.io/v1beta1:InferenceService",
        {
            "spec": {
                "predictor": {
                    "model": {"modelFormat": {"name": "x"}, "storageUri": "s3://models/a"},
                    "workerSpec": pod,
                }
            }
        },
    )
    yield (
        "its transformer",
        "serving.kserve.io/v1beta1:InferenceService",
        {"spec": {"predictor": spec(), "transformer": pod}},
    )
    yield "ServingRuntime", "serving.kserve.io/v1alpha1:ServingRuntime", {"spec": pod}
    yield "ClusterServingRuntime", "serving.kserve.io/v1alpha1:ClusterServingRuntime", {"spec": pod}
    for path in ("template", "worker"):
        yield (
            f"LLMInferenceService {path}",
            "serving.kserve.io/v1alpha1:LLMInferenceService",
            {"spec": {path: pod}},
        )
    yield (
        "LLMInferenceService prefill",
        "serving.kserve.io/v1alpha2:LLMInferenceService",
        {"spec": {"prefill": {"worker": pod}}},
    )
    yield (
        "LLMInferenceServiceConfig",
        "serving.kserve.io/v1alpha2:LLMInferenceServiceConfig",
        {"spec": {"template": pod}},
    )
    yield "InferenceGraph", "serving.kserve.io/v1alpha1:InferenceGraph", {"spec": {"podSpec": pod}}
    yield (
        "Milvus",
        "milvus.io/v1beta1:Milvus",
        {"spec": {"components": {"proxy": {"podTemplate": {"spec": pod}}}}},
    )
    yield (
        "ResourceFlavor of another's",
        "example.com/v1:Anything",
        {"spec": {"a": {"b": [{"c": {"spec": pod}}]}}},
    )


PLACES = ("containers", "initContainers", "ephemeralContainers")


def placed(broken: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in PLACES:
        yield place, spec(**{place: [broken] if place == "containers" else [{**broken, "name": "second"}]})
    yield "second of two", {"containers": [container(), {**broken, "name": "second"}]}


def _remote() -> Iterator[tuple[str, dict[str, Any]]]:
    for line in (
        ["--trust-remote-code"],
        ["--trust_remote_code"],
        ["--trust-remote-code=True"],
        ["--trust_remote_code=true"],
        ["--trust-remote-code", "true"],
        ["--TRUST-REMOTE-CODE"],
        ["--trust-remote-code=yes"],
        ["--trust-remote-code=1"],
        ["--trustRemoteCode"],
        ["--model-loader-extra-config", '{"trust_remote_code": true}'],
        ["--hf-overrides", '{"trust_remote_code":true}'],
        ["--tokenizer-trust-remote-code"],
        ["--speculative-trust-remote-code"],
        ["--engine-args", "trust_remote_code=True,max_len=1"],
        ["--load-format=pt"],
        ["--load-format", "npcache"],
        ["--trust-remote-code \\"],
        ["'--trust-remote-code'"],
        ["--code-revision", "main"],
        ["--model_kwargs", "{'trust_remote_code': True}"],
        ["trust-remote-code: true"],
        ["--model-impl", "transformers", "--trust-remote-code"],
    ):
        yield f"args {line}", {"args": line}
    for line in (
        "exec vllm serve /mnt/models --trust-remote-code",
        "vllm serve /mnt/models \\\n --trust-remote-code \\\n --port 80",
        "FLAGS='--trust-remote-code'; vllm serve $FLAGS /m",
        "python -c 'LLM(model=\"/m\", trust_remote_code=True)'",
        "export TRUST_REMOTE_CODE=1; text-generation-launcher",
        "python -c \"pipeline('t', '/m', **{'trust_remote_code': True})\"",
        "vllm serve /m $(echo --trust-remote-code)",
        "printf 'trust-remote-code: true' > /tmp/c.yaml && vllm serve /m --config /tmp/c.yaml",
        "export VLLM_ALLOW_INSECURE_SERIALIZATION=1; vllm serve /m",
        "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 python serve.py",
    ):
        yield f"shell {line[:40]!r}", {"command": ["/bin/sh", "-c", line]}
        yield f"shell as args {line[:40]!r}", {"command": ["bash", "-ec"], "args": [line]}
    for name, value in (
        ("TRUST_REMOTE_CODE", "true"),
        ("TRUST_REMOTE_CODE", "True"),
        ("HF_HUB_TRUST_REMOTE_CODE", "1"),
        ("VLLM_TRUST_REMOTE_CODE", "true"),
        ("HF_TRUST_REMOTE_CODE", "yes"),
        ("SGLANG_TRUST_REMOTE_CODE", "on"),
        ("VLLM_ARGS", "--trust-remote-code"),
        ("EXTRA_ARGS", '["--trust-remote-code"]'),
        ("VLLM_CONFIG", '{"trust_remote_code": true}'),
        ("MODEL_ARGS", "trust_remote_code=True"),
        ("VLLM_ALLOW_INSECURE_SERIALIZATION", "1"),
        ("NIM_FORCE_TRUST_REMOTE_CODE", "1"),
        ("OPTION_TRUST_REMOTE_CODE", "true"),
        ("LMDEPLOY_TRUST_REMOTE_CODE", "1"),
        ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1"),
        ("trust_remote_code", "true"),
    ):
        yield f"env {name}={value}", {"env": [{"name": name, "value": value}]}
    yield (
        "env from a field",
        {
            "env": [
                {
                    "name": "TRUST_REMOTE_CODE",
                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}},
                }
            ]
        },
    )
    yield (
        "lifecycle hook",
        {
            "lifecycle": {
                "postStart": {"exec": {"command": ["sh", "-c", "vllm serve /m --trust-remote-code"]}}
            }
        },
    )


def _hubs() -> Iterator[tuple[str, dict[str, Any]]]:
    for line in (
        ["vllm", "serve", "org/model"],
        ["vllm", "serve", "--port", "80", "org/model"],
        ["vllm", "serve", "--enable-lora", "org/model"],
        ["vllm", "serve", "org/model", "--port", "80"],
        ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "org/model"],
        ["python3", "-m", "sglang.launch_server", "--model-path", "org/model"],
        ["llama-server", "-hf", "org/model"],
        ["llama-server", "-hf", "org/model:Q4_K_M"],
        ["llama-server", "--hf-repo", "org/model", "--hf-file", "x.gguf"],
        ["llama-server", "-hfr", "org/model"],
        ["llama-server", "-mu", "https://example.com/x.gguf"],
        ["llama-server", "--docker-repo", "ai/smollm2"],
        ["llama-server", "-hfv", "org/model"],
        ["llama-server", "--hf-repo-v", "org/model"],
        ["text-generation-launcher", "--model-id", "org/model"],
        ["text-embeddings-router", "--model-id=org/model"],
        ["lmdeploy", "serve", "api_server", "org/model"],
        ["trtllm-serve", "org/model"],
        ["trtllm-serve", "serve", "org/model"],
        ["huggingface-cli", "download", "org/model"],
        ["hf", "download", "org/model"],
        ["ollama", "pull", "llama3"],
        ["ollama", "run", "llama3"],
        ["infinity_emb", "v2", "--model-id", "org/model"],
        ["python", "-m", "llama_cpp.server", "--hf_model_repo_id", "org/model"],
        ["modelscope", "download", "--model", "org/model"],
        ["git", "clone", "https://huggingface.co/org/model"],
        ["git", "clone", "git@hf.co:org/model"],
        ["git", "lfs", "clone", "https://hf.co/org/model"],
        ["aphrodite", "run", "org/model"],
        ["mlc_llm", "serve", "HF://org/model"],
        ["ramalama", "serve", "hf://org/model"],
        ["ramalama", "serve", "ollama://llama3"],
        ["nexa", "run", "org/model"],
        ["tabby", "serve", "--model", "org/model"],
        ["tritonserver", "--model-repository=https://example.com/models"],
        ["mistralrs-server", "plain", "-m", "org/model"],
        ["local-ai", "run", "huggingface://org/model"],
        ["bentoml", "serve", "org/model"],
        ["aria2c", "https://huggingface.co/org/model/resolve/main/a.safetensors"],
        ["pip", "install", "https://huggingface.co/org/model/resolve/main/p.whl"],
        ["wget", "https://cdn-lfs.huggingface.co/x"],
        ["wget", "https://cas-bridge.xethub.hf.co/x"],
        ["curl", "-L", "https://huggingface.co/org/model/resolve/main/model.safetensors", "-o", "/m/x"],
        ["curl", "https://hf-mirror.com/org/model"],
        ["curl", "https://www.modelscope.cn/models/org/model"],
        ["curl", "HTTPS://HUGGINGFACE.CO/org/model"],
        ["kaggle", "models", "instances", "versions", "download", "a/b/c/d/1"],
        ["dynamo", "run", "out=vllm", "org/model"],
    ):
        yield f"command {' '.join(line)}", {"command": line, "image": OTHER}
        yield (
            f"shell {' '.join(line)}",
            {"command": ["sh", "-c", "set -e; exec " + " ".join(line)], "image": OTHER},
        )
        yield f"args of {' '.join(line)}", {"command": line[:1], "args": line[1:], "image": OTHER}
    for options in (
        ["--model", "org/model"],
        ["--model=org/model"],
        ["--tokenizer", "org/tok"],
        ["--tokenizer=org/tok"],
        ["--tokenizer-path", "org/tok"],
        ["--model_id=org/model"],
        ["--hf-config-path", "org/model"],
        ["--speculative-config", '{"model": "org/draft"}'],
        ["--speculative-config", '{"model":"org/draft","method":"eagle"}'],
        ['--speculative-config={"method": "eagle3", "model": "org/draft"}'],
        ["-sc.model=org/draft"],
        ["--speculative_config", '{"model": "org/draft"}'],
        ["--speculative-config.model", "org/draft"],
        ["--speculative-model", "org/draft"],
        ["--speculative-draft-model-path", "org/draft"],
        ["--draft-model", "org/d"],
        ["--lora-modules", "a=org/adapter"],
        ["--lora-modules", '{"name": "a", "path": "org/adapter", "base_model_name": "b"}'],
        ["--lora-modules", "a=/mnt/a", "b=org/adapter"],
        ["--lora-paths", "a=org/adapter"],
        ["--lora-modules=a=org/adapter"],
        ["--generation-config", "org/model"],
        ["--mm-processor", "org/p"],
        ["-m", "org/model"],
        ["--embedding-model", "org/e"],
        ["--reward-model", "org/e"],
        ["--model-name-or-path", "org/m"],
        ["--hf-token", "hf_xxx"],
        ["--model-tag", "org/model"],
        ["--reranker", "org/rr"],
        ["--pretrained", "org/m"],
        ["--mmproj-url", "https://example.com/mmproj.gguf"],
        ["--base-model", "org/m"],
        ["--vae", "org/vae"],
        ["--allowed-model", "x", "--model", "org/model"],
        ["--model", "openai/gpt-oss-20b"],
        ["--config", "/c.yaml", "--model", "Qwen/Qwen3-8B-FP8"],
        ["--model", "Qwen/Qwen2.5-0.5B-Instruct"],
        ["--model", "meta-llama/Llama-3.1-8B-Instruct"],
        ["--model", "TheBloke/x-GGUF:Q4"],
        ["--model", "hf:org/model"],
    ):
        yield f"args {' '.join(options)}", {"args": options}
        yield (
            f"shell args {' '.join(options)}",
            {
                "command": [
                    "sh",
                    "-c",
                    "python3 -m vllm.entrypoints.openai.api_server "
                    + " ".join(f"'{one}'" if "{" in one else one for one in options),
                ]
            },
        )
    yield "first argument of an engine", {"args": ["org/model"]}
    yield "first argument of an engine, then options", {"args": ["org/model", "--port", "80"]}
    yield "positional after options of an engine", {"args": ["--port", "80", "org/model"]}
    for name, value in (
        ("MODEL_ID", "org/model"),
        ("MODEL", "org/model"),
        ("MODEL_NAME", "org/model"),
        ("HF_MODEL_ID", "org/model"),
        ("HF_REPO_ID", "org/model"),
        ("VLLM_MODEL", "org/model"),
        ("LLAMA_ARG_HF_REPO", "org/model"),
        ("LLAMA_ARG_MODEL_URL", "https://example.com/x.gguf"),
        ("HF_ENDPOINT", "https://hf-mirror.com"),
        ("HF_TOKEN", "x"),
        ("HUGGING_FACE_HUB_TOKEN", "x"),
        ("HUGGINGFACE_HUB_TOKEN", "x"),
        ("HF_HUB_OFFLINE", "0"),
        ("TRANSFORMERS_OFFLINE", "0"),
        ("VLLM_USE_MODELSCOPE", "True"),
        ("SGLANG_USE_MODELSCOPE", "1"),
        ("TOKENIZER", "org/tok"),
        ("SPECULATIVE_MODEL", "org/d"),
        ("LORA_ADAPTERS", "org/a"),
        ("EMBEDDING_MODEL", "org/e"),
        ("EXTRA_ARGS", "--model org/model"),
        ("VLLM_ARGS", '["--model", "org/model"]'),
        ("MODEL_URL", "https://huggingface.co/org/model"),
        ("STORAGE_URI", "hf://org/model"),
        ("BASE_MODEL", "org/model"),
        ("MODEL_REPO", "org/model"),
        ("MODEL_PATH", "org/model"),
        ("NIM_MODEL_NAME", "hf://org/model"),
        ("DRAFT_MODEL_ID", "org/d"),
        ("LLM_MODEL", "org/model"),
        ("OLLAMA_MODEL", "org/model"),
        ("RERANKER_MODEL_ID", "org/r"),
        ("HF_HUB_ENABLE_HF_TRANSFER", "1"),
        ("MODEL_DOWNLOAD_URL", "https://example.com/x.safetensors"),
        ("PRELOAD_MODELS", "org/a,org/b"),
        ("CONFIG", '{"model": "org/model"}'),
        ("LLM", "hf://org/model"),
    ):
        if name == "HF_HUB_ENABLE_HF_TRANSFER":
            continue
        yield f"env {name}={value}", {"env": [{"name": name, "value": value}], "image": OTHER}
    yield (
        "token from a secret",
        {"env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]},
    )
    yield (
        "a variable of the command",
        {"args": ["--model=$(X)"], "env": [{"name": "X", "value": "org/model"}]},
    )
    yield (
        "a variable of the shell",
        {"command": ["sh", "-c", "vllm serve $X"], "env": [{"name": "X", "value": "org/model"}]},
    )
    yield "a variable in a shell string", {"command": ["sh", "-c", "M=org/model; vllm serve $M"]}
    yield "a call", {"command": ["python", "-c", "from vllm import LLM; LLM('org/model')"]}
    yield "a call by keyword", {"command": ["python", "-c", "LLM(model='org/model')"]}
    yield "a call of a download", {"command": ["python", "-c", "snapshot_download(repo_id='org/model')"]}
    yield (
        "a pre-load hook",
        {"lifecycle": {"postStart": {"exec": {"command": ["hf", "download", "org/model"]}}}},
    )


def _sources() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    kserve = "serving.kserve.io"
    foreign = (
        "hf://org/model",
        "hf://org/model:rev",
        "https://example.com/m.tar.gz",
        "http://example.com/m",
        "s3://modelshop/chat",
        "s3://models-evil/chat",
        "gs://kfserving-examples/models/x",
        "oci://docker.io/a/b",
        "oci+native://docker.io/a/b",
        "hdfs://a/b",
        "webhdfs://a/b",
        "file:///etc/x",
        "abfs://a@b.dfs.core.windows.net/x",
        "https://models.blob.core.windows.net/x",
        "ms://org/model",
        "modelscope://org/model",
        "S3://modelshop/x",
        "HF://org/model",
        " hf://org/model",
        "s3://models/../modelshop/x",
        "s3://models@evil/x",
        f"oci://{REGISTRY}.evil.com/x",
        f"oci://{REGISTRY}@evil.com/x",
        "git://x/y",
        "azure://x/y",
    )
    for uri in foreign:
        yield (
            f"storageUri {uri!r}",
            "SOV-MOD-01",
            f"{kserve}/v1beta1:InferenceService",
            {"spec": {"predictor": {"model": {"modelFormat": {"name": "huggingface"}, "storageUri": uri}}}},
        )
        yield (
            f"LLM model {uri!r}",
            "SOV-MOD-01",
            f"{kserve}/v1alpha1:LLMInferenceService",
            {"spec": {"model": {"uri": uri, "name": "a"}}},
        )
    uri = "hf://org/model"
    for framework in (
        "huggingface",
        "pytorch",
        "triton",
        "tensorflow",
        "sklearn",
        "xgboost",
        "onnx",
        "pmml",
        "lightgbm",
        "paddle",
    ):
        yield (
            f"predictor {framework}",
            "SOV-MOD-01",
            f"{kserve}/v1beta1:InferenceService",
            {"spec": {"predictor": {framework: {"storageUri": uri}}}},
        )
    yield (
        "storageUris of the predictor",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {"spec": {"predictor": {"storageUris": [{"uri": "s3://models/a"}, {"uri": uri, "mountPath": "/m"}]}}},
    )
    yield (
        "storageUris of the transformer",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {"spec": {"predictor": spec(), "transformer": {"storageUris": [{"uri": uri}]}}},
    )
    yield (
        "storageUri of the transformer's container",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {
            "spec": {
                "predictor": spec(),
                "transformer": spec(containers=[container(env=[{"name": "STORAGE_URI", "value": uri}])]),
            }
        },
    )
    yield (
        "LoRA adapter",
        "SOV-MOD-01",
        f"{kserve}/v1alpha1:LLMInferenceService",
        {"spec": {"model": {"uri": "s3://models/a", "lora": {"adapters": [{"name": "a", "uri": uri}]}}}},
    )
    yield (
        "LocalModelCache",
        "SOV-MOD-01",
        f"{kserve}/v1alpha1:LocalModelCache",
        {"spec": {"sourceModelUri": uri, "modelSize": "1Gi", "nodeGroups": ["a"]}},
    )
    yield (
        "LocalModelNamespaceCache",
        "SOV-MOD-01",
        f"{kserve}/v1alpha1:LocalModelNamespaceCache",
        {"spec": {"sourceModelUri": uri}},
    )
    yield (
        "LocalModelNode",
        "SOV-MOD-01",
        f"{kserve}/v1alpha1:LocalModelNode",
        {"spec": {"localModels": [{"modelName": "a", "sourceModelUri": uri}]}},
    )
    yield (
        "TrainedModel",
        "SOV-MOD-01",
        f"{kserve}/v1alpha1:TrainedModel",
        {"spec": {"inferenceService": "a", "model": {"framework": "x", "storageUri": uri, "memory": "1Gi"}}},
    )
    yield (
        "InferenceServicePatch",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceServicePatch",
        {"spec": {"predictor": {"model": {"storageUri": uri}}}},
    )
    yield (
        "InferenceServiceList",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceServiceList",
        {"items": [{"spec": {"predictor": {"model": {"storageUri": uri}}}}]},
    )
    yield (
        "storage with a foreign bucket",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {
            "spec": {
                "predictor": {
                    "model": {
                        "modelFormat": {"name": "x"},
                        "storage": {
                            "path": "a",
                            "key": "k",
                            "parameters": {"type": "s3", "bucket": "modelshop"},
                        },
                    }
                }
            }
        },
    )
    yield (
        "storage with an endpoint",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {
            "spec": {
                "predictor": {
                    "model": {
                        "storage": {
                            "path": "a",
                            "parameters": {
                                "type": "s3",
                                "bucket": "models",
                                "endpoint_url": "https://s3.evil.com",
                            },
                        }
                    }
                }
            }
        },
    )
    yield (
        "InferencePool's model",
        "SOV-MOD-02",
        "core/v1:Pod",
        {"spec": spec(containers=[container(args=["--model", "org/model"])])},
    )
    yield (
        "annotation of a pod",
        "SOV-MOD-01",
        f"{kserve}/v1beta1:InferenceService",
        {
            "metadata": {"annotations": {"serving.kserve.io/storage-initializer-sourceuri": uri}},
            "spec": {"predictor": spec()},
        },
    )
    yield (
        "annotation of a pod template",
        "SOV-MOD-01",
        "apps/v1:Deployment",
        {
            "spec": {
                "template": {
                    "metadata": {
                        "annotations": {"internal.serving.kserve.io/storage-initializer-sourceuri": uri}
                    },
                    "spec": spec(),
                }
            }
        },
    )
    yield (
        "runtime of NIM",
        "SOV-MOD-02",
        "apps.nvidia.com/v1alpha1:NIMCache",
        {
            "spec": {
                "source": {
                    "hf": {
                        "modelName": "x",
                        "namespace": "org",
                        "endpoint": "https://huggingface.co",
                        "authSecret": "a",
                        "modelPuller": IMAGE,
                    }
                }
            }
        },
    )
    yield (
        "KAITO workspace",
        "SOV-MOD-02",
        "kaito.sh/v1beta1:Workspace",
        {"inference": {"template": {"spec": spec(containers=[container(args=["--model", "org/model"])])}}},
    )
    yield (
        "KubeAI's model",
        "SOV-MOD-02",
        "kubeai.org/v1:Model",
        {"spec": {"url": "hf://org/model", "engine": "VLLM"}},
    )
    yield (
        "KubeAI's model of Ollama",
        "SOV-MOD-02",
        "kubeai.org/v1:Model",
        {"spec": {"url": "ollama://llama3", "engine": "OLlama"}},
    )
    yield (
        "vLLM production stack's runtime",
        "SOV-MOD-02",
        "production-stack.vllm.ai/v1alpha1:VLLMRuntime",
        {"spec": {"model": {"modelURL": "org/model"}}},
    )
    yield "Seldon's model", "SOV-MOD-01", "mlops.seldon.io/v1alpha1:Model", {"spec": {"storageUri": uri}}
    yield (
        "Seldon's deployment",
        "SOV-MOD-01",
        "machinelearning.seldon.io/v1:SeldonDeployment",
        {"spec": {"predictors": [{"graph": {"name": "a", "modelUri": "gs://seldon-models/x"}}]}},
    )
    yield "an engine's YAML in a ConfigMap", "SOV-MOD-02", "apps/v1:Deployment", {}


def _images() -> Iterator[tuple[str, str, dict[str, Any]]]:
    good = f"{REGISTRY}/a{DIGEST}"
    for image in (
        f"docker.io/library/nginx{DIGEST}",
        f"{REGISTRY}.evil.com/a{DIGEST}",
        f"{REGISTRY}@evil.com/a{DIGEST}",
        f"nginx{DIGEST}",
        f"evil.com/{REGISTRY}/a{DIGEST}",
        f"{REGISTRY}:5000/a{DIGEST}",
        f"{REGISTRY}{DIGEST}",
        f"https://{REGISTRY}/a{DIGEST}",
        f"{REGISTRY}/../evil/a{DIGEST}",
        f"gcr.io/p/a{DIGEST}",
        f"{REGISTRY.upper()}/a{DIGEST}",
        f"{REGISTRY}//a{DIGEST}",
        f"{REGISTRY}/a{DIGEST}\nx",
    ):
        yield f"image {image!r}", "SOV-SUP-01", container(image=image)
    for image in (
        f"{REGISTRY}/a:latest",
        f"{REGISTRY}/a",
        f"{REGISTRY}/a@sha256:abc",
        f"{REGISTRY}/a:v1@md5:{'a' * 64}",
        f"{REGISTRY}/a@sha256:{'A' * 64}",
    ):
        yield f"image {image!r}", "SOV-SUP-02", container(image=image)
    del good


def _pods() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What Pod Security's baseline refuses, and devices taken past the scheduler."""

    def secured(**more: Any) -> dict[str, Any]:
        return container(securityContext={**SAFE, **more})

    for title, broken in (
        ("privileged", secured(privileged=True)),
        ("a capability", secured(capabilities={"add": ["SYS_ADMIN"]})),
        ("all capabilities", secured(capabilities={"add": ["ALL"]})),
        ("a capability of the network", secured(capabilities={"add": ["NET_RAW"]})),
        ("a bare seccomp", secured(seccompProfile={"type": "Unconfined"})),
        ("a bare AppArmor", secured(appArmorProfile={"type": "Unconfined"})),
        ("procMount", secured(procMount="Unmasked")),
        ("a SELinux user", secured(seLinuxOptions={"user": "system_u"})),
        ("a SELinux type", secured(seLinuxOptions={"type": "spc_t"})),
        ("a process of the host's", secured(windowsOptions={"hostProcess": True})),
        ("a port of the host's", container(ports=[{"containerPort": 80, "hostPort": 80}])),
        (
            "a probe to another host",
            container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
        ),
    ):
        for place, pod in placed(broken):
            yield f"{title}, {place}", "SOV-POD-01", pod
    for title, more in (
        ("hostNetwork", {"hostNetwork": True}),
        ("hostPID", {"hostPID": True}),
        ("hostIPC", {"hostIPC": True}),
        ("hostPath", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
        (
            "hostPath without a type",
            {"volumes": [{"name": "v", "hostPath": {"path": "/var/run/docker.sock"}}]},
        ),
        ("a sysctl", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
        ("seccomp of the pod", {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        ("AppArmor of the pod", {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}),
        ("SELinux of the pod", {"securityContext": {"seLinuxOptions": {"role": "sysadm_r"}}}),
        ("host process of the pod", {"securityContext": {"windowsOptions": {"hostProcess": True}}}),
    ):
        yield title, "SOV-POD-01", spec(**more)
    for title, broken in (
        ("all GPUs", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])),
        ("GPU 0", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "0"}])),
        ("a GPU by its UUID", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "GPU-a1"}])),
        (
            "GPUs from a secret",
            container(
                env=[
                    {
                        "name": "NVIDIA_VISIBLE_DEVICES",
                        "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}},
                    }
                ]
            ),
        ),
        ("AMD's GPUs", container(env=[{"name": "AMD_VISIBLE_DEVICES", "value": "all"}])),
        ("MIG's configuration", container(env=[{"name": "NVIDIA_MIG_CONFIG_DEVICES", "value": "all"}])),
        ("MIG's monitor", container(env=[{"name": "NVIDIA_MIG_MONITOR_DEVICES", "value": "all"}])),
        ("IMEX channels", container(env=[{"name": "NVIDIA_IMEX_CHANNELS", "value": "0"}])),
    ):
        if "ROC" in title or "AMD" in title:
            pass
        for place, pod in placed(broken):
            yield f"{title}, {place}", "SOV-GPU-03", pod
    yield (
        "devices by a mount",
        "SOV-GPU-03",
        spec(
            containers=[
                container(volumeMounts=[{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}])
            ],
            volumes=[{"name": "v", "hostPath": {"path": "/dev/null"}}],
        ),
    )
    yield "a device's path", "SOV-GPU-03", spec(volumes=[{"name": "v", "hostPath": {"path": "/dev/nvidia0"}}])
    yield "all devices' path", "SOV-GPU-03", spec(volumes=[{"name": "v", "hostPath": {"path": "/dev"}}])
    yield (
        "the kubelet's sockets",
        "SOV-GPU-03",
        spec(volumes=[{"name": "v", "hostPath": {"path": "/var/lib/kubelet/device-plugins"}}]),
    )


def _plain() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    admin = {
        "devices": {
            "requests": [{"name": "g", "exactly": {"deviceClassName": "gpu.nvidia.com", "adminAccess": True}}]
        }
    }
    old = {"devices": {"requests": [{"name": "g", "deviceClassName": "gpu.nvidia.com", "adminAccess": True}]}}
    for title, claim in (("exactly", admin), ("old", old)):
        yield f"admin access, {title}", "SOV-GPU-04", "resource.k8s.io/v1:ResourceClaim", {"spec": claim}
        yield (
            f"admin access, {title}, template",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimTemplate",
            {"spec": {"spec": claim}},
        )
        yield (
            f"admin access, {title}, beta",
            "SOV-GPU-04",
            "resource.k8s.io/v1beta1:ResourceClaimTemplate",
            {"spec": {"spec": claim}},
        )
        yield (
            f"admin access, {title}, patch",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimPatch",
            {"spec": claim},
        )
        yield (
            f"admin access, {title}, list",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimList",
            {"items": [{"spec": claim}]},
        )
    for title, props in (
        ("LoadBalancer", {"spec": {"type": "LoadBalancer"}}),
        ("NodePort", {"spec": {"type": "NodePort"}}),
        ("external addresses", {"spec": {"externalIPs": ["1.2.3.4"]}}),
        (
            "a public annotation",
            {
                "metadata": {
                    "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}
                },
                "spec": {"type": "LoadBalancer"},
            },
        ),
    ):
        yield title, "SOV-NET-07", "core/v1:Service", props
        yield f"{title}, patch", "SOV-NET-07", "core/v1:ServicePatch", props
        yield f"{title}, list", "SOV-NET-07", "core/v1:ServiceList", {"items": [props]}
    yield (
        "another name",
        "SOV-NET-08",
        "core/v1:Service",
        {"spec": {"type": "ExternalName", "externalName": "huggingface.co"}},
    )
    yield (
        "no TLS",
        "SOV-NET-08",
        "networking.k8s.io/v1:Ingress",
        {"spec": {"rules": [{"host": "a.example.eu"}]}},
    )
    yield (
        "a plain listener",
        "SOV-NET-08",
        "gateway.networking.k8s.io/v1:Gateway",
        {"spec": {"gatewayClassName": "a", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}},
    )
    role = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    yield "a master role", "SOV-POD-08", "rbac.authorization.k8s.io/v1:ClusterRole", role
    yield "a master role of a namespace", "SOV-POD-08", "rbac.authorization.k8s.io/v1:Role", role
    yield (
        "a master role, list",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleList",
        {"items": [role]},
    )
    yield (
        "escalation",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {
            "rules": [
                {
                    "apiGroups": ["rbac.authorization.k8s.io"],
                    "resources": ["clusterroles"],
                    "verbs": ["escalate", "bind"],
                }
            ]
        },
    )
    yield (
        "binding of roles",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {
            "rules": [
                {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}
            ]
        },
    )
    yield (
        "all secrets",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {"rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]},
    )
    yield (
        "cluster-admin to a group",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "t"}],
        },
    )
    yield (
        "strangers",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "x"},
            "subjects": [{"kind": "User", "name": "system:anonymous"}],
        },
    )
    yield (
        "everybody's accounts",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "x"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
        },
    )
    yield (
        "volumes anywhere",
        "SOV-RES-05",
        "storage.k8s.io/v1:StorageClass",
        {"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true", "kmsKeyId": "k"}},
    )
    yield (
        "volumes elsewhere",
        "SOV-RES-05",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "pd.csi.storage.gke.io",
            "parameters": {"disk-encryption-kms-key": "k"},
            "allowedTopologies": [
                {"matchLabelExpressions": [{"key": "topology.gke.io/zone", "values": ["us-east1-b"]}]}
            ],
        },
    )
    yield (
        "volumes without a key",
        "SOV-KEY-04",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "ebs.csi.aws.com",
            "allowedTopologies": [
                {
                    "matchLabelExpressions": [
                        {"key": "topology.kubernetes.io/zone", "values": ["eu-central-1a"]}
                    ]
                }
            ],
        },
    )
    yield (
        "plain volumes",
        "SOV-KEY-04",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"encrypted": "false", "kmsKeyId": "k"},
            "allowedTopologies": [
                {
                    "matchLabelExpressions": [
                        {"key": "topology.kubernetes.io/zone", "values": ["eu-central-1a"]}
                    ]
                }
            ],
        },
    )


def _mapped() -> Iterator[Entry]:
    workload = "kubernetes:apps/v1:Deployment"
    for kind in ("ConfigMap", "ConfigMapPatch", "Secret"):
        for title, control, data in (
            ("a hub's model", "SOV-MOD-02", {"MODEL_ID": "org/model"}),
            ("remote code", "SOV-MOD-03", {"TRUST_REMOTE_CODE": "true"}),
            ("arguments", "SOV-MOD-03", {"VLLM_ARGS": "--trust-remote-code"}),
            ("GPUs", "SOV-GPU-03", {"NVIDIA_VISIBLE_DEVICES": "all"}),
            ("a hub's address", "SOV-MOD-02", {"HF_ENDPOINT": "https://hf-mirror.com"}),
        ):
            reference = "secretRef" if kind == "Secret" else "configMapRef"
            pod = spec(containers=[container(envFrom=[{reference: {"name": "settings"}}])])
            key = "stringData" if kind == "Secret" else "data"
            made = (f"kubernetes:core/v1:{kind}", {"metadata": {"name": "settings"}, key: data})
            yield Entry(
                f"{title} by envFrom of a {kind}",
                control,
                workload,
                {"spec": {"template": {"spec": pod}}},
                (made,),
            )
            yield Entry(
                f"{title} by envFrom of a {kind} in an InferenceService",
                control,
                "kubernetes:serving.kserve.io/v1beta1:InferenceService",
                {"spec": {"predictor": pod}},
                (made,),
            )
        for title, control, data in (
            ("YAML", "SOV-MOD-02", {"config.yaml": "model: org/model\n"}),
            (
                "YAML of remote code",
                "SOV-MOD-03",
                {"vllm.yaml": "model: /mnt/models\ntrust-remote-code: true\n"},
            ),
            ("nested YAML", "SOV-MOD-03", {"vllm.yaml": "engine:\n  args:\n    trust_remote_code: true\n"}),
            ("a script", "SOV-MOD-02", {"start.sh": "#!/bin/sh\nexec vllm serve org/model\n"}),
            (
                "a script of remote code",
                "SOV-MOD-03",
                {"start.sh": "#!/bin/sh\nvllm serve /m --trust-remote-code\n"},
            ),
            ("a program", "SOV-MOD-03", {"serve.py": "LLM('/m', trust_remote_code=True)\n"}),
            (
                "LiteLLM's list",
                "SOV-MOD-02",
                {
                    "config.yaml": "model_list:\n- model_name: a\n  litellm_params: {model: huggingface/org/model}\n"
                },
            ),
        ):
            volume = (
                {"secret": {"secretName": "settings"}}
                if kind == "Secret"
                else {"configMap": {"name": "settings"}}
            )
            for how, volumes in (
                ("", [{"name": "v", **volume}]),
                (
                    ", projected",
                    [
                        {
                            "name": "v",
                            "projected": {
                                "sources": [{"secret": {"name": "settings"}} if kind == "Secret" else volume]
                            },
                        }
                    ],
                ),
            ):
                pod = spec(containers=[container(args=["--config", "/etc/c/config.yaml"])], volumes=volumes)
                key = "stringData" if kind == "Secret" else "data"
                made = (f"kubernetes:core/v1:{kind}", {"metadata": {"name": "settings"}, key: data})
                yield Entry(
                    f"{title} mounted from a {kind}{how}",
                    control,
                    workload,
                    {"spec": {"template": {"spec": pod}}},
                    (made,),
                )


def bad() -> Iterator[Entry]:
    for title, broken in _remote():
        yield Entry(
            f"remote code: {title}",
            "SOV-MOD-03",
            "kubernetes:core/v1:Pod",
            {"spec": spec(containers=[container(**broken)])},
        )
    for title, broken in _hubs():
        yield Entry(
            f"hub: {title}",
            "SOV-MOD-02|SOV-MOD-01",
            "kubernetes:core/v1:Pod",
            {"spec": spec(containers=[container(**broken)])},
        )
    for title, control, token, props in _sources():
        if props:
            yield Entry(f"source: {title}", f"{control}|SOV-MOD-02|SOV-MOD-01", f"kubernetes:{token}", props)
    for title, control, broken in _images():
        yield Entry(title, control, "kubernetes:core/v1:Pod", {"spec": spec(containers=[broken])})
    for title, control, pod in _pods():
        yield Entry(f"pod: {title}", control, "kubernetes:core/v1:Pod", {"spec": pod})
    for title, control, token, props in _plain():
        yield Entry(title, control, f"kubernetes:{token}", props)
    yield from _mapped()
    violations = (
        ("SOV-MOD-03", container(args=["--trust-remote-code"])),
        ("SOV-MOD-02", container(args=["--model", "org/model"])),
        ("SOV-MOD-02", container(command=["sh", "-c", "vllm serve org/model"])),
        ("SOV-MOD-02", container(env=[{"name": "MODEL_ID", "value": "org/model"}])),
        ("SOV-SUP-01", container(image=f"docker.io/evil/x{DIGEST}")),
        ("SOV-SUP-02", container(image=f"{REGISTRY}/a:latest")),
        ("SOV-GPU-03", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])),
        ("SOV-POD-01", container(securityContext={"privileged": True})),
    )
    for control, broken in violations:
        for place, pod in placed(broken):
            if place not in ("containers", "initContainers") and control not in ("SOV-SUP-01", "SOV-MOD-03"):
                continue
            for kind, token, props in holding(pod):
                yield Entry(f"{control} in {place} of {kind}", control, f"kubernetes:{token}", props)
    for kind, token, props in holding(
        spec(volumes=[{"name": "m", "image": {"reference": "docker.io/evil/x:1"}}])
    ):
        yield Entry(f"image volume of {kind}", "SOV-SUP-01", f"kubernetes:{token}", props)
    for path in (
        "spec.template.spec.containers[0]",
        "spec.predictor",
        "spec",
        "*",
        "spec.template",
        "spec.template.spec.containers[0].image",
        "spec.template.spec.containers[*].args",
        "spec.template.spec.containers[0].command",
        'spec["template"]',
        "spec.template.spec.containers[0].env",
        "spec.jobTemplate.spec.template.spec",
        "spec.template.spec.hostNetwork",
        "spec.template.spec.securityContext",
        "rules",
        "spec.predictor.model.storageUri",
        "spec.model.uri",
        "spec.template.spec.initContainers",
        "spec.type",
        "metadata.labels",
        "spec.template.spec.volumes[0].hostPath",
        "spec.template.spec.serviceAccountName",
        "spec.egress",
        "webhooks[0].failurePolicy",
        "values.image.tag",
        '["spec"]',
        "spec.template.spec.nodeSelector",
        "spec.template.spec.tolerations",
        "spec.template.spec.containers[0].securityContext.privileged",
    ):
        if path in ("metadata.labels",):
            continue
        yield Entry(
            f"ignoreChanges {path}",
            "SOV-OPS-07",
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": spec()}}},
            ignored=(path,),
        )


def good() -> Iterator[Entry]:
    lines: list[dict[str, Any]] = [
        {"args": ["--model", "/mnt/models"]},
        {"args": ["--model=/mnt/models", "--port=8080"]},
        {"args": ["--model", "/mnt/models", "--chat-template", "templates/chat.jinja"]},
        {"args": ["serve", "/mnt/models", "--served-model-name", "org/chat"]},
        {"args": ["--model", "/mnt/models", "--served-model-name=org/chat", "--dtype", "auto"]},
        {"command": ["vllm", "serve", "/mnt/models"], "args": ["--tensor-parallel-size", "2"]},
        {"command": ["sh", "-c", "exec vllm serve /mnt/models --port 80 && cp a/b c/d"], "image": OTHER},
        {"args": ["--no-trust-remote-code"]},
        {"args": ["--trust-remote-code=false"]},
        {"env": [{"name": "TRUST_REMOTE_CODE", "value": "false"}, {"name": "HF_HUB_OFFLINE", "value": "1"}]},
        {"env": [{"name": "HF_HOME", "value": "/tmp/hf"}, {"name": "VLLM_CACHE_ROOT", "value": "/tmp/vllm"}]},
        {"env": [{"name": "MODEL_ID", "value": "/mnt/models"}, {"name": "MODEL_NAME", "value": "chat"}]},
        {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]},
        {"env": [{"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"}]},
        {"env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel.monitoring.svc:4317"}]},
        {"env": [{"name": "MODEL_STORE", "value": "models/chat"}], "image": OTHER},
        {"args": ["-m", "models/chat.gguf", "-c", "4096"]},
        {"args": ["--lora-modules", "a=/mnt/adapters/a"]},
        {"args": ["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 4}']},
        {"args": ["--speculative-config", '{"method": "eagle3", "model": "/mnt/draft"}']},
        {"args": ["--load-format", "runai_streamer", "--model", "s3://models/chat"]},
        {
            "command": ["sh", "-c", "curl -fsS http://127.0.0.1:8080/health && echo application/json"],
            "image": OTHER,
        },
        {"command": ["kubectl", "rollout", "status", "deployment/chat"], "image": OTHER},
        {"args": ["--media-type", "application/json", "--log-format", "json"], "image": OTHER},
        {"args": ["--allowed-origins", "https://chat.example.eu", "--root-path", "/v1"]},
        {
            "args": ["--storage.tsdb.path=/data", "--web.external-url=https://p.example.eu/prom"],
            "image": OTHER,
        },
        {"args": ["--config.file=/etc/prometheus/config.yaml", "--model-ns=team/a"], "image": OTHER},
        {"command": ["python", "-m", "app.main", "--model-dir", "./models"], "image": OTHER},
        {"env": [{"name": "GIT_REPO", "value": "https://git.example.eu/team/repo.git"}], "image": OTHER},
        {"env": [{"name": "TZ", "value": "Europe/Berlin"}, {"name": "LANG", "value": "de_DE.UTF-8"}]},
        {
            "env": [{"name": "MODEL_TIMEOUT", "value": "30"}, {"name": "REPO", "value": "charts/stable"}],
            "image": OTHER,
        },
        {
            "args": [
                "--tool-call-parser",
                "hermes",
                "--reasoning-parser",
                "qwen3",
                "--enable-auto-tool-choice",
            ]
        },
        {"args": ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}']},
        {"args": ["--model", "/mnt/models", "--download-dir", "/mnt/cache", "--revision", "abc"]},
        {"env": [{"name": "MODEL_ID", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}]},
        {"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}}}},
        {"securityContext": {**SAFE, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}},
        {"livenessProbe": {"httpGet": {"path": "/health", "port": 8080}}, "ports": [{"containerPort": 8080}]},
        {"image": f"{REGISTRY}/mirror/deep/er/name:v1.2.3-rc.1{DIGEST}"},
        {"image": f"{REGISTRY}/tools/model-server{DIGEST}", "args": ["--path", "a/b"]},
        {
            "command": ["/bin/sh", "-c", "ls models/chat && exec llama-server -m /mnt/models/x.gguf"],
            "image": OTHER,
        },
        {"env": [{"name": "ISVC", "value": "ns/model"}], "args": ["--watch", "default/chat"], "image": OTHER},
        {"command": ["sh", "-c", "sed -i s/a/b/ /etc/x; echo models/tokenizer"], "image": OTHER},
        {"args": ["--model-config", "/etc/m/config.json", "--tokenizer-mode", "auto"]},
        {
            "env": [
                {"name": "EMBEDDING_MODEL", "value": "bge-m3"},
                {"name": "BASE_URL", "value": "http://chat.serving.svc/v1"},
            ]
        },
        {
            "args": ["--default-model=chat", "--model-endpoint=http://chat.serving.svc.cluster.local/v1"],
            "image": OTHER,
        },
    ]
    for line in lines:
        title = str(line)[:70]
        yield Entry(
            f"a pod with {title}",
            "",
            "kubernetes:core/v1:Pod",
            {"spec": spec(containers=[container(**line)])},
        )
        yield Entry(
            f"a Deployment with {title}",
            "",
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": spec(containers=[container(**line)])}}},
        )
    for kind, token, props in holding(spec(initContainers=[container(name="i", args=["--model", "/m"])])):
        if token.startswith("extensions/"):
            continue
        yield Entry(f"a clean {kind}", "", f"kubernetes:{token}", props)
    model = {"modelFormat": {"name": "vllm"}, "storageUri": "s3://models/chat"}
    for title, predictor in (
        ("the own bucket", {"model": model}),
        ("a volume", {"model": {**model, "storageUri": "pvc://models/chat"}}),
        ("the mirror's artefact", {"model": {**model, "storageUri": f"oci://{REGISTRY}/models/chat:1"}}),
        ("a legacy predictor", {"sklearn": {"storageUri": "s3://models/iris"}}),
        (
            "storage by path",
            {
                "model": {
                    "modelFormat": {"name": "x"},
                    "storage": {
                        "key": "store",
                        "path": "models/chat",
                        "parameters": {"type": "s3", "bucket": "models"},
                    },
                }
            },
        ),
        (
            "nulls",
            {
                "model": {**model, "env": None, "args": None, "resources": None},
                "containers": None,
                "volumes": None,
            },
        ),
        (
            "two addresses",
            {"storageUris": [{"uri": "s3://models/a"}], "model": {"modelFormat": {"name": "x"}}},
        ),
    ):
        yield Entry(
            f"a service from {title}",
            "",
            "kubernetes:serving.kserve.io/v1beta1:InferenceService",
            {"spec": {"predictor": predictor}},
        )
    yield Entry(
        "an LLM service",
        "",
        "kubernetes:serving.kserve.io/v1alpha1:LLMInferenceService",
        {
            "spec": {
                "model": {
                    "uri": "s3://models/a",
                    "name": "org/chat",
                    "lora": {"adapters": [{"uri": "s3://models/l"}]},
                },
                "replicas": 2,
                "router": {"gateway": {}},
                "template": spec(),
            }
        },
    )
    for token, props in (
        ("core/v1:Service", {"spec": {"ports": [{"port": 80}]}}),
        (
            "core/v1:Service",
            {
                "metadata": {
                    "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}
                },
                "spec": {"type": "LoadBalancer"},
            },
        ),
        (
            "core/v1:ConfigMap",
            {"data": {"model": "org/model", "readme": "see https://huggingface.co/org/model"}},
        ),
        ("core/v1:Namespace", {"metadata": {"name": "a"}}),
        ("networking.k8s.io/v1:NetworkPolicy", {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
        ("networking.k8s.io/v1:Ingress", {"spec": {"tls": [{"hosts": ["a.example.eu"], "secretName": "t"}]}}),
        (
            "rbac.authorization.k8s.io/v1:Role",
            {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        ),
        ("storage.k8s.io/v1:StorageClass", {"provisioner": "rancher.io/local-path"}),
        (
            "resource.k8s.io/v1:ResourceClaim",
            {
                "spec": {
                    "devices": {"requests": [{"name": "g", "exactly": {"deviceClassName": "gpu.nvidia.com"}}]}
                }
            },
        ),
        (
            "apiextensions.k8s.io/v1:CustomResourceDefinition",
            {"spec": {"group": "a", "names": {"kind": "X"}}},
        ),
        (
            "monitoring.coreos.com/v1:Prometheus",
            {"spec": {"image": f"{REGISTRY}/prom{DIGEST}", "replicas": 2}},
        ),
        (
            "kueue.x-k8s.io/v1beta1:ClusterQueue",
            {"spec": {"resourceGroups": [{"coveredResources": ["cpu"]}]}},
        ),
        (
            "gateway.networking.k8s.io/v1:Gateway",
            {
                "spec": {
                    "gatewayClassName": "a",
                    "listeners": [
                        {
                            "name": "https",
                            "port": 443,
                            "protocol": "HTTPS",
                            "tls": {"certificateRefs": [{"name": "c"}]},
                        }
                    ],
                }
            },
        ),
        (
            "policies.kyverno.io/v1:ValidatingPolicy",
            {"spec": {"validations": [{"expression": "'--trust-remote-code' in object.args"}]}},
        ),
        ("helm.sh/v4:Chart", {}),
    ):
        yield Entry(f"a plain {token} {str(props)[:40]}", "", f"kubernetes:{token}", props)
    for path in ("metadata.annotations", "status", "spec.replicas", "metadata.labels"):
        yield Entry(
            f"ignoreChanges {path}",
            "",
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": spec()}}},
            ignored=(path,),
        )
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    for data in (
        {"config.yaml": "model: /mnt/models\ntrust-remote-code: false\n"},
        {"start.sh": "exec vllm serve /mnt/models\n"},
        {"nginx.conf": "location / { root /usr/share; }"},
        {"prometheus.yml": "scrape_configs: []\n"},
        {"README.md": "Model: see https://huggingface.co/org/model, never --trust-remote-code"},
    ):
        yield Entry(
            f"a mounted {data}",
            "",
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": spec(volumes=volumes)}}},
            (("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "settings"}, "data": data}),),
        )


__all__ = ["bad", "good", "text"]
