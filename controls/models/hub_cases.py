"""What the control of public hubs is tried on."""

from corral.controls.control import Case, Verdict
from corral.controls.models.subjects import pod, service

CASES = (
    Case("a local path", Verdict.GOOD, pod(args=["--model", "/mnt/models/chat.gguf"])),
    *(
        Case(title, verdict, one)
        for title, verdict, one in (
            ("a name without an organisation", Verdict.BAD, pod(args=["--model", "gpt2"])),
            (
                "such a name, served",
                Verdict.BAD,
                pod(command=["vllm", "serve", "distilbert-base-uncased"]),
            ),
            ("a name of one's own", Verdict.GOOD, pod(args=["--model", "gpt2-of-ours"])),
            (
                "several names in a variable",
                Verdict.BAD,
                pod(env=[{"name": "INFINITY_MODEL_ID", "value": "org/a;org/b"}]),
            ),
            (
                "a repository of Docker's hub",
                Verdict.BAD,
                pod(env=[{"name": "LLAMA_ARG_DOCKER_REPO", "value": "ai/gemma3"}]),
            ),
            (
                "the model that an adapter is for",
                Verdict.GOOD,
                pod(args=["--lora-modules", '{"path": "/m/a", "base_model_name": "org/chat"}']),
            ),
            (
                "an adapter of a hub, and the model that it is for",
                Verdict.BAD,
                pod(args=["--lora-modules", '{"base_model_name": "org/a", "path": "org/a"}']),
            ),
            (
                "a hub of the cluster's own",
                Verdict.GOOD,
                pod(env=[{"name": "HF_ENDPOINT", "value": "http://hub.models.svc"}]),
            ),
            (
                "a hub that only begins so",
                Verdict.BAD,
                pod(env=[{"name": "HF_ENDPOINT", "value": "http://hub.models.svc.example.com"}]),
            ),
        )
    ),
    *(
        Case(title, verdict, pod(command=["sh", "-c", line]))
        for title, verdict, line in (
            (
                "a name in a configuration that a command writes",
                Verdict.BAD,
                "cat <<EOF > /tmp/c.yaml\nmodel: org/chat\nport: 8000\nEOF\nvllm serve --config /tmp/c.yaml",
            ),
            (
                "a name in a line of it",
                Verdict.BAD,
                "echo 'model: org/chat' > /tmp/c.yaml; vllm serve --config /tmp/c.yaml",
            ),
            (
                "a path in it",
                Verdict.GOOD,
                "cat <<EOF > /tmp/c.yaml\nmodel: /mnt/models\nserved-model-name: org/chat\nEOF\n"
                "vllm serve --config /tmp/c.yaml",
            ),
        )
    ),
    Case("a local path, joined", Verdict.GOOD, pod(args=["--model=/mnt/models"])),
    Case("offline is said", Verdict.GOOD, pod(env=[{"name": "HF_HUB_OFFLINE", "value": "1"}])),
    Case("a hub's name for a model, joined", Verdict.BAD, pod(args=["--model=org/chat"])),
    Case("a hub's name for a model, apart", Verdict.BAD, pod(args=["--model", "org/chat"])),
    Case(
        "a local path beside a relative template",
        Verdict.GOOD,
        pod(args=["--model", "/mnt/models", "--chat-template", "templates/chat.jinja"]),
    ),
    Case("a served path", Verdict.GOOD, pod(command=["vllm", "serve", "/mnt/models"])),
    Case("a hub's name, served", Verdict.BAD, pod(command=["vllm", "serve", "org/chat"])),
    Case("a hub's name as argument", Verdict.BAD, pod(command=["vllm", "serve"], args=["org/chat"])),
    Case(
        "a hub's name, served after options",
        Verdict.BAD,
        pod(args=["serve", "--port", "8080", "org/chat"]),
    ),
    Case(
        "a hub's name in a shell string",
        Verdict.BAD,
        pod(command=["sh", "-c", "exec vllm serve 'org/chat' --port 80"]),
    ),
    Case("a hub's name for llama.cpp", Verdict.BAD, pod(args=["-hf", "org/chat:Q4_K_M"])),
    Case("a hub's name in a variable", Verdict.BAD, pod(env=[{"name": "MODEL_ID", "value": "org/chat"}])),
    Case("a path in a variable", Verdict.GOOD, pod(env=[{"name": "MODEL_ID", "value": "/mnt/models"}])),
    Case("a hub address", Verdict.BAD, pod(command=["serve", "hf://org/chat"])),
    Case("a hub token", Verdict.BAD, pod(env=[{"name": "HF_TOKEN", "valueFrom": {}}])),
    Case("online is said", Verdict.BAD, pod(env=[{"name": "HF_HUB_OFFLINE", "value": "0"}])),
    Case("a hub's name after --model-path", Verdict.BAD, pod(args=["--model-path", "org/chat"])),
    Case("a hub's name after --model_id", Verdict.BAD, pod(args=["--model_id", "org/chat"])),
    Case("a hub's name after --model-id", Verdict.BAD, pod(args=["--model-id", "org/chat"])),
    Case("a hub's name after --hf-repo", Verdict.BAD, pod(args=["--hf-repo", "org/chat"])),
    Case("a hub's name after -hfr", Verdict.BAD, pod(args=["-hfr", "org/chat"])),
    Case("a hub's name after -hfd", Verdict.BAD, pod(args=["-hfd", "org/chat"])),
    Case("a hub's name after --hf-repo-draft", Verdict.BAD, pod(args=["--hf-repo-draft", "org/chat"])),
    Case("a hub's name after --tokenizer", Verdict.BAD, pod(args=["--tokenizer", "org/chat"])),
    Case("a hub's name after --tokenizer-path", Verdict.BAD, pod(args=["--tokenizer-path", "org/chat"])),
    Case("a hub's name after --draft-model", Verdict.BAD, pod(args=["--draft-model", "org/chat"])),
    Case("a hub's name after --model-draft", Verdict.BAD, pod(args=["--model-draft", "org/chat"])),
    Case(
        "a hub's name after --speculative-model",
        Verdict.BAD,
        pod(args=["--speculative-model", "org/chat"]),
    ),
    Case(
        "a hub's name after --speculative-draft-model-path",
        Verdict.BAD,
        pod(args=["--speculative-draft-model-path", "org/chat"]),
    ),
    Case(
        "a hub's name after --speculative-config.model",
        Verdict.BAD,
        pod(args=["--speculative-config.model", "org/chat"]),
    ),
    Case(
        "a hub's name after --model-name-or-path",
        Verdict.BAD,
        pod(args=["--model-name-or-path", "org/chat"]),
    ),
    Case(
        "a hub's name after --pretrained-model-name-or-path",
        Verdict.BAD,
        pod(args=["--pretrained-model-name-or-path", "org/chat"]),
    ),
    Case("a hub's name after --lora-path", Verdict.BAD, pod(args=["--lora-path", "org/chat"])),
    Case("a hub's name after --reranker-model", Verdict.BAD, pod(args=["--reranker-model", "org/chat"])),
    Case("a hub's name after --embedding-model", Verdict.BAD, pod(args=["--embedding-model", "org/chat"])),
    Case("a hub's name after --MODEL", Verdict.BAD, pod(args=["--MODEL", "org/chat"])),
    Case(
        "two adapters, one of a hub",
        Verdict.BAD,
        pod(args=["--lora-modules", "a=/mnt/a", "b=org/adapter"]),
    ),
    Case(
        "an adapter by its fields",
        Verdict.BAD,
        pod(args=["--lora-modules", '{"name": "a", "path": "org/adapter"}']),
    ),
    Case(
        "a draft in a document",
        Verdict.BAD,
        pod(
            args=[
                "--speculative-config",
                '{"method": "eagle3", "model": "org/draft", "num_speculative_tokens": 3}',
            ]
        ),
    ),
    Case(
        "a local draft in a document",
        Verdict.GOOD,
        pod(
            args=[
                "--speculative-config",
                '{"method": "eagle3", "model": "/mnt/draft", "num_speculative_tokens": 3}',
            ]
        ),
    ),
    Case(
        "a method without a draft",
        Verdict.GOOD,
        pod(args=["--speculative-config", '{"method": "ngram"}']),
    ),
    Case(
        "a name that clients use",
        Verdict.GOOD,
        pod(args=["--model", "/mnt/models", "--served-model-name", "org/chat", "team/chat"]),
    ),
    Case("a file by a relative path", Verdict.GOOD, pod(args=["-m", "models/chat.gguf"])),
    Case("a hub's name after a switch", Verdict.BAD, pod(args=["serve", "--enable-lora", "org/chat"])),
    Case(
        "a path after a switch",
        Verdict.GOOD,
        pod(args=["serve", "--enable-prefix-caching", "/mnt/models"]),
    ),
    Case(
        "a served path beside a name that clients use",
        Verdict.GOOD,
        pod(args=["serve", "/mnt/models", "--served-model-name", "org/chat"]),
    ),
    Case("a type of media", Verdict.GOOD, pod(args=["serve", "/mnt/models", "--api-key", "a/b"])),
    Case(
        "a download before the start",
        Verdict.BAD,
        pod(command=["sh", "-c", "huggingface-cli download org/chat --local-dir /m && vllm serve /m"]),
    ),
    Case(
        "a download by the newer tool",
        Verdict.BAD,
        pod(command=["sh", "-c", "hf download org/chat --local-dir /m"]),
    ),
    Case("a clone", Verdict.BAD, pod(command=["sh", "-c", "git clone https://huggingface.co/org/chat /m"])),
    Case(
        "a file of a hub",
        Verdict.BAD,
        pod(command=["sh", "-c", "wget -qO /m/x.gguf https://huggingface.co/org/chat/resolve/main/x.gguf"]),
    ),
    Case("a shorter host of a hub", Verdict.BAD, pod(command=["sh", "-c", "curl -L hf.co/org/chat"])),
    Case(
        "a mirror of a hub",
        Verdict.BAD,
        pod(command=["sh", "-c", "curl -LO https://hf-mirror.com/org/chat/x.bin"]),
    ),
    Case("ModelScope", Verdict.BAD, pod(command=["sh", "-c", "modelscope download --model org/chat"])),
    Case("Ollama's library", Verdict.BAD, pod(command=["sh", "-c", "ollama pull llama3 && ollama serve"])),
    Case(
        "a call of a library",
        Verdict.BAD,
        pod(
            command=[
                "sh",
                "-c",
                "python -c \"from transformers import AutoModel; AutoModel.from_pretrained('org/chat')\"",
            ]
        ),
    ),
    Case(
        "a call with a path",
        Verdict.GOOD,
        pod(command=["sh", "-c", "python -c \"AutoModel.from_pretrained('/mnt/models')\""]),
    ),
    Case(
        "a name over two lines",
        Verdict.BAD,
        pod(command=["sh", "-c", "exec vllm serve \\\n  --port 8080 \\\n  org/chat"]),
    ),
    Case(
        "other names with a slash",
        Verdict.GOOD,
        pod(command=["sh", "-c", "kubectl rollout status deployment/chat --timeout 5m && cp etc/a tmp/b"]),
    ),
    Case(
        "a hub's name by a variable of the shell",
        Verdict.GOOD,
        pod(command=["sh", "-c", "vllm serve $MODEL_DIR --port 80"]),
    ),
    Case("HF_MODEL_ID is org/chat", Verdict.BAD, pod(env=[{"name": "HF_MODEL_ID", "value": "org/chat"}])),
    Case("VLLM_MODEL is org/chat", Verdict.BAD, pod(env=[{"name": "VLLM_MODEL", "value": "org/chat"}])),
    Case(
        "LLAMA_ARG_HF_REPO is org/chat",
        Verdict.BAD,
        pod(env=[{"name": "LLAMA_ARG_HF_REPO", "value": "org/chat"}]),
    ),
    Case("MODEL is org/chat:Q4_K_M", Verdict.BAD, pod(env=[{"name": "MODEL", "value": "org/chat:Q4_K_M"}])),
    Case("TOKENIZER_ID is org/chat", Verdict.BAD, pod(env=[{"name": "TOKENIZER_ID", "value": "org/chat"}])),
    Case(
        "SPECULATIVE_MODEL is org/draft",
        Verdict.BAD,
        pod(env=[{"name": "SPECULATIVE_MODEL", "value": "org/draft"}]),
    ),
    Case(
        "EXTRA_ARGS is --model org/chat",
        Verdict.BAD,
        pod(env=[{"name": "EXTRA_ARGS", "value": "--model org/chat"}]),
    ),
    Case(
        "VLLM_USE_MODELSCOPE is true",
        Verdict.BAD,
        pod(env=[{"name": "VLLM_USE_MODELSCOPE", "value": "true"}]),
    ),
    Case(
        "HUGGING_FACE_HUB_TOKEN is x",
        Verdict.BAD,
        pod(env=[{"name": "HUGGING_FACE_HUB_TOKEN", "value": "x"}]),
    ),
    Case(
        "HF_ENDPOINT is https://hf-mirror.com",
        Verdict.BAD,
        pod(env=[{"name": "HF_ENDPOINT", "value": "https://hf-mirror.com"}]),
    ),
    Case(
        "TRANSFORMERS_OFFLINE is false",
        Verdict.BAD,
        pod(env=[{"name": "TRANSFORMERS_OFFLINE", "value": "false"}]),
    ),
    Case(
        "DOWNLOAD is https://huggingface.co/org/chat",
        Verdict.BAD,
        pod(env=[{"name": "DOWNLOAD", "value": "https://huggingface.co/org/chat"}]),
    ),
    Case(
        "SERVED_MODEL_NAME is org/chat",
        Verdict.GOOD,
        pod(env=[{"name": "SERVED_MODEL_NAME", "value": "org/chat"}]),
    ),
    Case("MODEL_NAME is chat", Verdict.GOOD, pod(env=[{"name": "MODEL_NAME", "value": "chat"}])),
    Case(
        "MODEL_FILE is models/chat.gguf",
        Verdict.GOOD,
        pod(env=[{"name": "MODEL_FILE", "value": "models/chat.gguf"}]),
    ),
    Case("VLLM_USE_MODELSCOPE is 0", Verdict.GOOD, pod(env=[{"name": "VLLM_USE_MODELSCOPE", "value": "0"}])),
    Case("HF_HOME is /tmp/hf", Verdict.GOOD, pod(env=[{"name": "HF_HOME", "value": "/tmp/hf"}])),
    Case(
        "HF_HUB_DISABLE_TELEMETRY is 1",
        Verdict.GOOD,
        pod(env=[{"name": "HF_HUB_DISABLE_TELEMETRY", "value": "1"}]),
    ),
    Case("ROUTE is a/b", Verdict.GOOD, pod(env=[{"name": "ROUTE", "value": "a/b"}])),
    Case(
        "EXTRA_ARGS is --model /mnt/models",
        Verdict.GOOD,
        pod(env=[{"name": "EXTRA_ARGS", "value": "--model /mnt/models"}]),
    ),
    Case(
        "a hub's name in a variable of any name that the command takes",
        Verdict.BAD,
        pod(args=["--model=$(CHAT)"], env=[{"name": "CHAT", "value": "org/chat"}]),
    ),
    Case(
        "the first argument of an engine's image",
        Verdict.BAD,
        pod(image="e.eu/vllm/vllm-openai:v1", args=["org/chat"]),
    ),
    Case(
        "the first argument of another image",
        Verdict.GOOD,
        pod(image="e.eu/tool:v1", args=["mode/strict"]),
    ),
    Case("a predictor's own arguments", Verdict.BAD, service(args=["--model_id=org/chat"])),
    Case(
        "an init container that downloads",
        Verdict.BAD,
        {
            "kind": "Pod",
            "spec": {
                "containers": [],
                "initContainers": [{"name": "i", "command": ["hf", "download", "org/chat"]}],
            },
        },
    ),
)
