"""What ConfigMaps and Secrets bring into a workload."""

import base64
from collections.abc import Iterator
from dataclasses import replace

from tests.policy.adversarial.pods_in import container, spec
from tests.policy.adversarial.stacks import Entry


def _mount(data: dict[str, str], key: str = "data") -> Entry:
    volume = {"name": "v", "configMap": {"name": "settings"}}
    pod = spec(containers=[container(args=["--config", "/etc/v/config.yaml"])], volumes=[volume])
    made = ("kubernetes:core/v1:ConfigMap", {"metadata": {"name": "settings"}, key: data})
    workload = {"spec": {"template": {"spec": pod}}}
    return Entry(f"{key} {data}", "", "kubernetes:apps/v1:Deployment", workload, (made,))


def configured() -> Iterator[Entry]:
    """Configuration that brings nothing that a control stops."""
    for model, address in (
        ("hosted_vllm/org/chat", "http://chat.team.svc:8080/v1"),
        ("openai/chat", "http://chat:8080/v1"),
    ):
        parameters = f"{{model: {model}, api_base: '{address}'}}"
        yield _mount({"config.yaml": f"model_list:\n- litellm_params: {parameters}\n"})
    yield _mount({"config.yaml": "model: /mnt/models\ntrust-remote-code: false\n"})


def mapped() -> Iterator[Entry]:
    workload = "kubernetes:apps/v1:Deployment"
    remote = "model: /mnt/models\ntrust-remote-code: true\n"
    encoded = base64.b64encode(remote.encode()).decode()
    yield replace(_mount({"config.yaml": encoded}, "binaryData"), control="SOV-MOD-03")
    outside = "{model: openai/chat, api_base: 'https://api.example.com/v1'}"
    yield replace(
        _mount({"config.yaml": f"model_list:\n- litellm_params: {outside}\n"}), control="SOV-MOD-02"
    )
    for kind, key in (("ConfigMap", "data"), ("Secret", "stringData"), ("ConfigMapList", "")):
        one = {"metadata": {"name": "alone"}, key or "data": {"config.yaml": remote}}
        props = one if key else {"items": [one]}
        yield Entry(f"remote code in a {kind} alone", "SOV-MOD-03", f"kubernetes:core/v1:{kind}", props)
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
                {"config.yaml": "model_list:\n- litellm_params: {model: huggingface/org/model}\n"},
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
