"""Kubernetes objects that nothing may refuse."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial import dialects, operator_models, operators
from tests.policy.adversarial.configuration import configured
from tests.policy.adversarial.operator_parts import harmless
from tests.policy.adversarial.pods_in import OTHER, SAFE, container, holding, spec
from tests.policy.adversarial.stacks import DIGEST, REGISTRY, Entry


def good() -> Iterator[Entry]:
    yield from dialects.good()
    yield from operators.good()
    yield from configured()
    for title, token, props in operator_models.good():
        yield Entry(title, "", f"kubernetes:{token}", props)
    void = container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}])
    pod = spec(containers=[void], runtimeClassName="nvidia")
    yield Entry("NVIDIA's runtime, told to give nothing", "", "kubernetes:core/v1:Pod", {"spec": pod})
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
        {"args": ["--lora-modules", '{"name":"a","path":"/mnt/a","base_model_name":"org/base"}']},
        {"env": [{"name": "HF_ENDPOINT", "value": "http://hub.models.svc:8080"}]},
        {"args": ["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 4}']},
        {"args": ["--speculative-config", '{"method": "eagle3", "model": "/mnt/draft"}']},
        {"args": ["--load-format", "runai_streamer", "--model", "s3://models/chat"]},
        {
            "command": ["sh", "-c", "curl -fsS http://127.0.0.1:8080/health && echo application/json"],
            "image": OTHER,
        },
        {
            "command": ["lm_eval", "--model_args", "pretrained=/mnt/models,base_url=http://chat.team.svc/v1"],
            "image": OTHER,
        },
        {"command": ["ollama", "serve"], "image": OTHER},
        {"command": ["docker", "ps"], "image": OTHER},
        {"args": ["--trust-proxy-headers", "--trust-root=/etc/ca"], "image": OTHER},
        {"env": [{"name": "OPENAI_BASE_URL", "value": "http://chat.team.svc/v1"}], "image": OTHER},
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
    plain: tuple[tuple[str, dict[str, Any]], ...] = (
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
                "metadata": {"namespace": "research"},
                "spec": {
                    "devices": {"requests": [{"name": "g", "exactly": {"deviceClassName": "gpu.nvidia.com"}}]}
                },
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
        (
            "serving.kserve.io/v1alpha1:ClusterStorageContainer",
            {"spec": {"container": container(), "supportedUriFormats": [{"prefix": "hf://"}]}},
        ),
        ("helm.sh/v4:Chart", {}),
    )
    for token, props in (*plain, *harmless()):
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
