"""Parts of operators' resources, and of KServe's, that are no whole container."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.pods_in import container, spec
from tests.policy.adversarial.stacks import DIGEST, IMAGE, REGISTRY

FOREIGN = "docker.io/evil/x:1"
_HUB = (
    "applications:\n- args:\n    llm_configs:\n    - model_loading_config:\n        model_source: org/model\n"
)


def parts() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(title, control, token, props), each to be stopped."""
    ray = {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": spec()}}}}
    models = "SOV-MOD-02|SOV-MOD-01"
    workflow = {"templates": [{"name": "t", "container": container()}]}
    for title, control, token, props in (
        ("configuration of Ray Serve", models, "ray.io/v1:RayService", {"serveConfigV2": _HUB, **ray}),
        (
            "bucket of a model of Ray Serve",
            models,
            "ray.io/v1:RayService",
            {"serveConfigV2": _HUB.replace("org/model", "\n        bucket_uri: s3://modelshop/chat"), **ray},
        ),
        ("entry of a job of Ray", models, "ray.io/v1:RayJob", {"entrypoint": "hf download org/model", **ray}),
        (
            "environment of a job of Ray",
            models,
            "ray.io/v1:RayJob",
            {"runtimeEnvYAML": "env_vars:\n  MODEL_ID: org/model\n", **ray},
        ),
        (
            "patch of pods of Argo",
            "SOV-POD-01",
            "argoproj.io/v1alpha1:Workflow",
            {"podSpecPatch": '{"containers": [{"securityContext": {"privileged": true}}]}', **workflow},
        ),
        (
            "volumes of Argo",
            "SOV-POD-01",
            "argoproj.io/v1alpha1:Workflow",
            {"volumes": [{"name": "h", "hostPath": {"path": "/"}}], **workflow},
        ),
        (
            "network of Argo",
            "SOV-POD-01",
            "argoproj.io/v1alpha1:Workflow",
            {"hostNetwork": True, **workflow},
        ),
        (
            "pods of Tekton",
            "SOV-POD-01",
            "tekton.dev/v1:TaskRun",
            {"podTemplate": {"hostNetwork": True}, "taskSpec": {"steps": [container()]}},
        ),
        (
            "trainer of Kubeflow",
            "SOV-SUP-01",
            "trainer.kubeflow.org/v1:TrainJob",
            {"trainer": {"image": FOREIGN, "command": ["train"]}},
        ),
        (
            "scheduler of KServe",
            "SOV-SUP-01",
            "serving.kserve.io/v1alpha2:LLMInferenceService",
            {
                "model": {"uri": "s3://models/a"},
                "router": {"scheduler": {"template": spec(containers=[container(image=FOREIGN)])}},
            },
        ),
        (
            "main container of a service of Dynamo",
            models,
            "nvidia.com/v1alpha1:DynamoGraphDeployment",
            {
                "services": {
                    "w": {"extraPodSpec": {"mainContainer": container(args=["--model", "org/model"])}}
                }
            },
        ),
        (
            "main container with privileges",
            "SOV-POD-01",
            "nvidia.com/v1alpha1:DynamoGraphDeployment",
            {
                "services": {
                    "w": {"extraPodSpec": {"mainContainer": container(securityContext={"privileged": True})}}
                }
            },
        ),
        (
            "image of a model to pull",
            "SOV-SUP-01",
            "apps.nvidia.com/v1alpha1:NIMCache",
            {"source": {"ngc": {"modelPuller": "nvcr.io/nim/meta/llama:1"}}},
        ),
        ("image by its name", "SOV-SUP-01", "postgresql.cnpg.io/v1:Cluster", {"imageName": FOREIGN}),
        (
            "image by its parts",
            "SOV-SUP-01",
            "apps.nvidia.com/v1alpha1:NIMService",
            {"image": {"repository": "nvcr.io/nim/meta/llama", "tag": "1"}},
        ),
        (
            "main container",
            "SOV-SUP-01",
            "nvidia.com/v1alpha1:DynamoGraphDeployment",
            {"services": {"w": {"extraPodSpec": {"mainContainer": {"image": FOREIGN}}}}},
        ),
        (
            "arguments without an image",
            models,
            "nvidia.com/v1alpha1:DynamoGraphDeployment",
            {"services": {"w": {"mainContainer": {"args": ["--model", "org/model"]}}}},
        ),
        *(
            (f"{title} of Ray", "SOV-SUP-06", "ray.io/v1:RayJob", {"runtimeEnvYAML": text, **ray})
            for title, text in (
                ("packages", "pip: [vllm]\n"),
                ("packages by a field", "pip:\n  packages: [vllm]\n  pip_check: false\n"),
                ("packages of uv", "uv: [vllm]\n"),
                ("packages of conda", "conda:\n  dependencies: [pip]\n"),
                ("a file of conda's", "conda: environment.yaml\n"),
                ("code", "working_dir: https://example.com/main.zip\n"),
                ("modules", "py_modules: ['https://example.com/main.zip']\n"),
            )
        ),
        (
            "packages of Ray Serve",
            "SOV-SUP-06",
            "ray.io/v1:RayService",
            {"serveConfigV2": "applications:\n- import_path: a:b\n  runtime_env:\n    pip: [vllm]\n", **ray},
        ),
        *(
            (f"{title} of Spark", "SOV-SUP-06", "sparkoperator.k8s.io/v1beta2:SparkApplication", stated)
            for title, stated in (
                ("packages", {"deps": {"packages": ["a.b:c:1"]}}),
                ("packages by a property", {"sparkConf": {"spark.jars.packages": "a.b:c:1"}}),
                ("code", {"mainApplicationFile": "https://example.com/a.py"}),
                ("libraries", {"deps": {"jars": ["local:///a.jar", "https://example.com/a.jar"]}}),
                (
                    "libraries by a property",
                    {"sparkConf": {"spark.jars": "local:///a,https://example.com/a"}},
                ),
            )
        ),
        (
            "code of Flink",
            "SOV-SUP-06",
            "flink.apache.org/v1beta1:FlinkDeployment",
            {"job": {"jarURI": "https://example.com/a.jar"}},
        ),
    ):
        yield f"part: {title}", control, token, {"spec": props}


def lines() -> Iterator[tuple[str, str]]:
    """(control, line of a shell), each to be stopped."""
    for line in (
        "aws s3 cp --recursive s3://modelshop/model /models",
        "aws --region eu-central-1 s3 sync s3://modelshop/model /models && vllm serve /models",
        "gsutil -m cp -r gs://modelshop/model /models",
        "gcloud storage cp -r gs://modelshop/model /models",
        "s5cmd cp 's3://modelshop/model/*' /models",
        "azcopy copy 'https://a.blob.core.windows.net/c/model?sas' /models --recursive",
        "wget -q https://cdn.example.com/download/123 -O /models/model.gguf",
        "python -c \"import urllib.request as u; u.urlretrieve('https://cdn.example.com/m', '/models/m')\"",
        "git clone https://git.example.com/org/m.git /models && cd /models && git lfs pull",
        "oras pull docker.io/modelshop/model:latest -o /models",
        "skopeo copy docker://docker.io/modelshop/m:1 dir:/models",
        "ngc registry model download-version nvidia/nemo/x:1.0",
        "python -c \"import torch; torch.hub.load('pytorch/vision', 'resnet18')\"",
        "llama-server --embd-gemma-default",
        "llama-server --gpt-oss-20b-default --port 8080",
    ):
        yield "SOV-MOD-01|SOV-MOD-02", line
    for line in (
        "pip install vllm && vllm serve /mnt/models",
        "apt-get update && apt-get install -y git",
        "curl -fsSL https://example.com/install.sh | bash",
        "echo aGYgZG93bmxvYWQ= | base64 -d | sh",
        "npx -y some-mcp-server",
    ):
        yield "SOV-SUP-06", line


def harmless() -> Iterator[tuple[str, dict[str, Any]]]:
    """(token, props) of the same shapes that nothing may stop."""
    image = f"{REGISTRY}/a/b:1{DIGEST}"
    yield "postgresql.cnpg.io/v1:Cluster", {"spec": {"imageName": image, "instances": 3}}
    yield "apps.example.eu/v1:Thing", {"spec": {"image": "thing", "logo": {"image": "thing.png"}}}
    yield (
        "apps.example.eu/v1:Thing",
        {"spec": {"image": {"repository": f"{REGISTRY}/a/b", "digest": DIGEST[1:]}}},
    )
    yield (
        "argoproj.io/v1alpha1:Workflow",
        {
            "spec": {
                "entrypoint": "main",
                "securityContext": {"runAsNonRoot": True},
                "volumes": [{"name": "v", "emptyDir": {}}],
                "podSpecPatch": '{"terminationGracePeriodSeconds": 5}',
                "templates": [{"name": "main", "container": container(image=IMAGE)}],
            }
        },
    )
    yield (
        "ray.io/v1:RayJob",
        {
            "spec": {
                "entrypoint": "python /app/train.py --epochs 3",
                "runtimeEnvYAML": "env_vars:\n  MODE: fast\n",
                "rayClusterSpec": {"headGroupSpec": {"template": {"spec": spec()}}},
            }
        },
    )
    for text in (
        "conda: serving\nworking_dir: /app\n",
        "pip:\n  packages: [/wheels/a.whl]\n  pip_install_options: [--no-index]\n",
        "working_dir: s3://models/code.zip\npy_modules: [/app/a]\n",
        "not: [closed\n",
    ):
        ray: dict[str, Any] = {"runtimeEnvYAML": text, "rayClusterSpec": {}}
        yield "ray.io/v1:RayJob", {"spec": ray}
    yield (
        "sparkoperator.k8s.io/v1beta2:SparkApplication",
        {
            "spec": {
                "mainApplicationFile": "local:///opt/a.py",
                "deps": {"jars": ["local:///opt/a.jar"], "packages": []},
                "sparkConf": {"spark.jars": "local:///opt/b.jar", "spark.jars.packages": ""},
            }
        },
    )
    for line in (
        "aws s3 cp /backup/db.dump s3://backups/db.dump",
        "aws s3 sync s3://models/chat /mnt/models",
        "cp -r /src/. /models && sha256sum -c /models/SHA256SUMS",
        "until curl -fsS http://chat.team-a.svc:8000/v1/models; do sleep 2; done",
        "pip install --no-index --find-links /wheels app",
        "base64 -d /etc/ca > /tmp/ca.pem",
    ):
        yield "core/v1:Pod", {"spec": spec(containers=[container(command=["sh", "-c", line])])}
