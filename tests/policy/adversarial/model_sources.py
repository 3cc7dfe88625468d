"""Ways to name a source that is not the platform's."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.pods_in import container, spec
from tests.policy.adversarial.stacks import IMAGE, REGISTRY


def sources() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
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
