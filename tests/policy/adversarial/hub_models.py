"""Ways to have a model fetched from a public hub."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.pods_in import OTHER


def hubs() -> Iterator[tuple[str, dict[str, Any]]]:
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
        ["text-generation-server", "download-weights", "org/model"],
        ["transformers", "chat", "org/model"],
        ["faster-whisper-server", "org/model"],
        ["bentoml", "models", "pull", "org/model"],
        ["docker", "model", "pull", "ai/smollm2"],
        ["openllm", "serve", "llama3.2:1b"],
        ["xinference", "launch", "--model-name", "qwen2.5-instruct"],
        ["lemonade-server", "pull", "chat"],
        ["lms", "get", "chat"],
        ["hf", "repo", "clone", "org/model"],
        ["hfd.sh", "org/model"],
        ["gdown", "1AbC", "-O", "/models/chat.gguf"],
        ["wandb", "artifact", "get", "org/run/model:latest"],
        ["lm_eval", "--model_args", "pretrained=org/model,dtype=auto"],
        ["gpustack", "start", "--huggingface-token", "x"],
        ["curl", "http://localhost:11434/api/pull", "-d", "{}"],
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
        ("WHISPER__MODEL", "org/model"),
        ("SERVING_LOAD_MODELS", "chat::Python=djl://ai.djl.huggingface.pytorch/org/model"),
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
