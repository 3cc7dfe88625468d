"""How a model of a public hub is named, in all the places where an engine takes one; CEL and RE2.

An engine takes a name such as `org/chat` as the value of an option, as what it serves, or from the
environment. A path begins with `/` or `.`, or ends like a file.
"""

import json

_ALONE = (
    r"(openai-gpt|distilgpt2|gpt2(-medium|-large|-xl)?|t5-(small|base|large|3b|11b)|(distil|xlm-)?roberta-(base|large)"
    r"|(distil)?bert-(base|large)(-[a-z-]+)?|albert-(base|large|xlarge|xxlarge)-v[12]|xlnet-(base|large)-cased)"
)
"""Models of Hugging Face's hub from before its names had an organisation, which it still knows by these."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+"
_HUB = r"((hf|huggingface|modelscope|ollama)[:/])?"
NAME = rf"^{_HUB}({_NAME}(:[A-Za-z0-9_.-]+)?|{_ALONE})$"
FILE = (
    r"\.(gguf|safetensors|bin|pt|pth|onnx|json|ya?ml|toml|txt|jinja2?|j2|py|sh|tar|gz|zip|conf|pem|crt|key)$"
)
_NOUN = (
    r"(models?|mmproj|tokenizers?|loras?|adapters?|draft|drafter|checkpoint|ckpt|weights|encoder|reranker|embedder"
    r"|pretrained|generation|processor|vae|unet|clip|controlnet|backbone|medusa|repo[-_.]id|repository[-_.]id)"
)
_TAIL = (
    r"([-_.](id|ids|path|paths|name[-_]or[-_]path|dir|dirs|repo|repository|uri|url|tag|draft|file|weights|source|modules?"
    r"|config|model|ckpt|list|store|args|kwargs))*"
)
_SPECULATIVE = r"([a-z]+[-_.])?(speculative|spec)[-_.](config|model)([-_.][a-z-]+)*"
OPTION = (
    rf"(?i)^-?(([a-z0-9]+[-_.])*{_NOUN}{_TAIL}|{_SPECULATIVE}|docker[-_]repo|bucket[-_]uri|hf[-_a-z]*|mu?|md|dr)"
    r"([=,\"']|\s)"
)
"""An option that takes a model, after the dash before it."""
SWITCH = r"(?i)^-?(enable|disable|no|use|enforce|trust|skip|async|verbose|debug)([-_][a-z0-9-_]+)?\s"
"""An option that takes no value; what follows is an argument of the command."""
AFTER = rf"^-?[A-Za-z0-9_.-]+(=|\s+)\S+\s+(\S+\s+)*[\"']?{_NAME}(:[A-Za-z0-9_.-]+)?[\"']?(\s|$)"
"""An option with its value, and a name after it."""
SERVED = (
    r"(?i)^-?(served|api|host|otlp|allowed|root|ssl|uvicorn|log|tool|reasoning|chat|middleware|lora-extra"
    r"|return)[-_]"
)
"""Options with several values, or with values that look like names."""
SERVES = (
    r"(?i)(^|[\s/;&|(\"'.=])(serve|api_server|aphrodite|lmdeploy|trtllm-serve|mlc_llm|text-generation-launcher"
    r"|text-embeddings-router|infinity_emb|lorax-launcher|launch_server|mistralrs-server|tabby|openllm"
    r"|from_pretrained|sentencetransformer|pipeline|snapshot_download|hf_hub_download|ctranslate2|nexa|dynamo"
    r"|ramalama|local-ai|xinference|text-generation-server|faster-whisper-server|transformers\s+chat"
    r"|bentoml\s+models)([\s(]|$)"
    r"|(?i)(llm|engine|model|transformer|encoder|pipeline|tokenizer|processor|pretrained)[a-z_]*\("
)
"""A command, or a call, that takes a model as its argument."""
IN_JSON = rf"[\"'][A-Za-z_]*(model|tokenizer|repo|adapter|lora)[A-Za-z_]*[\"']\s*[:=]\s*[\"']{_NAME}[\"']"
WRITTEN = (
    rf"(?i)(^|[\s\"']|\\n)(model|tokenizer|hf-config-path|speculative-model|draft-model|model[-_](path|id|tag))\s*:"
    rf"\s+[\"']?{_NAME}([\s\"'\\]|$)"
)
"""Configuration of an engine within a command that writes it."""
HOST = (
    r"(?i)(^|[\s/@.\"'=(,])(huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.(cn|ai|com)|ollama\.(com|ai)|civitai\.com"
    r"|kaggle\.com|cdn-lfs[a-z0-9.-]*)([/:\s\"',)]|$)|(?i)(^|[\s\"'=(,])(hf|modelscope|ollama|huggingface|djl)://"
)
"""A public hub by its host or scheme."""
TOOL = (
    r"(?i)(huggingface-cli|(^|[\s/;&|(\"'])hf)\s+download|snapshot_download|hf_hub_download|modelscope\s+download"
    r"|(^|[\s/;&|(\"'])ollama\s+(pull|run)\s|(^|[\s/;&|(\"'])kaggle\s+(models|datasets)\s|(^|[\s-])(hf|huggingface)[-_]token"
    r"|ollama\.pull\(|/api/pull(\s|[\"';&|]|$)|(^|[\s/;&|(\"'])(docker\s+model\s+(pull|run)|gdown|hfd(\.sh)?|lms\s+get"
    r"|lemonade(-server)?\s+pull|openllm\s+(serve|run|start)|xinference\s+launch|wandb\s+artifact\s+get"
    r"|(huggingface-cli|hf)\s+repos?\s+clone)\s"
    r"|(^|[\s/;&|(\"'])ngc\s+(-\S+\s+)*registry\s|torch\.hub\.(load|download)|hub\.load_state_dict_from_url"
    r"|(^|[\s\"'])--?((embd|fim|vision|tts)-[a-z0-9.-]+|gpt-oss-[0-9]+b)-(default|spec)([\s\"']|$)"
)
"""A tool that downloads models, a token for one, or llama.cpp's word for a model of its hub."""
WEIGHTS = r"(?i)^(https?|ftp)://\S+\.(gguf|safetensors|ggml|pth|ckpt|onnx)(\?\S*)?$"
FETCHES = (
    r"(?i)(^|[\s/;&|(\"'])(aws\s+(-\S+\s+\S+\s+)*s3\s+(cp|sync|mv)|gsutil\s+(-\S+\s+)*(cp|rsync|mv)"
    r"|gcloud\s+(alpha\s+)?storage\s+(cp|rsync)|s5cmd\s+(-\S+\s+(\S+\s+)?)*(cp|sync|mv)|azcopy\s+(copy|cp|sync)|s3cmd\s+(-\S+\s+)*(get|sync)"
    r"|rsync|dvc\s+(get|import)|obsutil\s+cp|coscli\s+cp|ossutil\s+cp)(\s+-\S+)*\s+[\"']?[a-z0-9]+://"
)
"""A tool that fetches from a store: its first address is not a path."""
READS = (
    r"(?i)(^|[\s/;&|(\"'.])(curl|wget|aria2c|axel|lftp|rclone\s+copyurl|git\s+clone|urlretrieve|urlopen|requests\.get"
    r"|httpx\.(get|stream))[\s(]"
)
"""A tool, or a call, that reads an address."""
KEPT = (
    r"(?i)\.(gguf|safetensors|ggml|pth|ckpt|onnx)([\s\"',;)&|]|$)|git\s+lfs\s+pull|git-lfs"
    r"|(^|[\s\"'=>(])/?([^\s:]+/)*models?(/|[\s\"',;)&|]|$)"
)
"""Where weights are kept: a file of them, large files of git, or a folder of models."""
PULLS = (
    r"(?i)(^|[\s/;&|(\"'])(oras\s+(pull|copy|cp|blob\s+fetch)|crane\s+(pull|export|copy|cp)|skopeo\s+(copy|sync)|regctl\s+(image|artifact|blob)\s+(get|export|copy)"
    r"|modctl\s+pull|kit\s+(pull|unpack))\s"
)
"""A tool that pulls an artifact from a registry."""
URL = r"(?i)^[a-z][a-z0-9+.-]*://"
INSIDE = r"(?i)^https?://([a-z0-9-]+\.)*(svc|svc\.cluster\.local|localhost)(:[0-9]+)?(/|$)|^file:///"
"""An address within the cluster."""
VARIABLE = (
    r"(?i)^([A-Z0-9]+_+)*(MODELS?|TOKENIZER|LORAS?|ADAPTERS?|DRAFT|CHECKPOINT|HF_REPO|DOCKER_REPO|REPO_ID)"
    r"(_(ID|NAME|NAME_OR_PATH|REPO|PATH|DIR|URI|URL|MODEL|MODELS|MODULES|DRAFT|TAG|CONFIG|FILE|SOURCE))*$"
)
TOKEN = (
    r"(?i)^([A-Z0-9]+_)*(HF|HUGGING_?FACE)(_HUB)?(_(API|ACCESS|READ))*_?(TOKEN|TOKEN_PATH|API_?KEY)$"
    r"|^MODELSCOPE(_API|_SDK)*_TOKEN$|^NGC(_CLI)?_API_KEY$"
)
MODELSCOPE = r"(?i)^([A-Z0-9]+_)*USE_MODELSCOPE$"
ENGINE = r"(?i)(vllm|sglang|text-generation-inference|tgi|lmdeploy|aphrodite|text-embeddings|infinity)"
"""An image whose entrypoint takes a model as its first argument."""
ASSIGNED = rf"(^|[\s;&])[A-Za-z_][A-Za-z0-9_]*=[\"']?{_NAME}[\"']?([\s;&|]|$)"
"""A variable of a shell, or of a program, that has a name of a hub."""
MAYBE = rf"(^|[\s\"'=,:;({{\[]){_HUB}({_NAME}|{_ALONE})([\s\"'=,:;)}}\]&|]|$)"
"""A text that may have a name of a hub in it."""
PARTS = ["/", "gpt", "t5-", "bert", "xlnet"]
"""Parts of which such a text has one."""
SIGNS = (
    "hugging",
    "hf",
    "modelscope",
    "ollama",
    "civitai",
    "kaggle",
    "cdn-lfs",
    "snapshot_download",
    "ngc",
    "torch.hub",
    "docker model",
    "gdown",
    "lms ",
    "lemonade",
    "openllm",
    "xinference",
    "wandb artifact",
    "/api/pull",
    "djl:",
    "hub.load",
    "-default",
    "-spec",
)
"""Beginnings of what names a hub by its host or tool."""
NAMES = ("HF", "HUGGING", "MODELSCOPE", "TRANSFORMERS_", "NGC")
"""Beginnings of names of variables that open a hub."""


_SEPARATORS = ('\\"', "'", "=", ",", "{", "}", "[", "]", "(", ")", ";")


def words(text: str) -> str:
    """CEL: the words of `text`, without signs around them."""
    plain = "".join(f'.replace("{sign}", " ")' for sign in _SEPARATORS)
    return f"{text}{plain}.split(' ')"


def named(text: str) -> str:
    """CEL: whether `text` has a word that is a name on a hub."""
    return f"{words(text)}.exists(w, w.matches(variables.hubName) && !w.matches(variables.hubFile))"


def without_base(text: str) -> str:
    """CEL: `text` less the models that adapters in its documents are for: names, which nothing loads."""
    value = r"^[\s\"']*:\s*[\"']"
    rest = f"!p.matches({json.dumps(value)}) ? p : p.contains(',') ? p.substring(p.indexOf(',')) : ''"
    parts = f"{text}.split('base_model_name').map(p, {rest})"
    return f"(!{text}.contains('base_model_name') ? {text} : {parts}.join(' '))"


def has_any(text: str, several: str) -> str:
    """CEL: whether `text` has one of the strings of a list in it."""
    return f"{several}.exists(k, {text}.contains(k))"
