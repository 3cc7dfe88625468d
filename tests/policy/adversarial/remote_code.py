"""Ways to let a model's repository run code."""

from collections.abc import Iterator
from typing import Any


def remote() -> Iterator[tuple[str, dict[str, Any]]]:
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
        ["--trust-remote"],
        ["--trust_remote_cod"],
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
