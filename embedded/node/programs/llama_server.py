"""Serves a model as llama-server does, with the flags of its that the row honours.

Runs under an environment of its own with `xllamacpp` and nothing of ours. Ends at once, with 0, on SIGTERM.
"""

import argparse
import importlib
import os
import signal
from pathlib import Path
from typing import Any

STOP = {signal.SIGTERM, signal.SIGINT}


def library() -> Any:
    """`xllamacpp`, which this program's own environment has."""
    return importlib.import_module("xllamacpp")


def parsed() -> argparse.Namespace:
    """The command line, in the names of `CommonParams` where they are not those of the flags."""
    parser = argparse.ArgumentParser("llama-server", allow_abbrev=False)
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", default="")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--threads-batch", type=int)
    parser.add_argument("--n-gpu-layers", default="0")
    parser.add_argument("--chat-template-file", type=Path)
    parser.add_argument("--pooling", choices=("none", "mean", "cls", "last", "rank"))
    for flag, name in (
        ("--ctx-size", "n_ctx"),
        ("--parallel", "n_parallel"),
        ("--threads-http", "n_threads_http"),
        ("--batch-size", "n_batch"),
        ("--ubatch-size", "n_ubatch"),
        ("--predict", "n_predict"),
    ):
        parser.add_argument(flag, dest=name, type=int)
    for flag, name in (
        ("--cors-origins", "cors_origins"),
        ("--api-prefix", "api_prefix"),
        ("--ssl-key-file", "ssl_file_key"),
        ("--ssl-cert-file", "ssl_file_cert"),
    ):
        parser.add_argument(flag, dest=name)
    for flag, name in (
        ("--metrics", "endpoint_metrics"),
        ("--embedding", "embedding"),
        ("--jinja", "use_jinja"),
    ):
        parser.add_argument(flag, dest=name, action="store_const", const=True)
    for flag, name in (("--no-slots", "endpoint_slots"), ("--no-ui", "ui")):
        parser.add_argument(flag, dest=name, action="store_const", const=False)
    parser.add_argument("--timeout", type=int)
    parser.add_argument("--api-key-file", type=Path)
    return parser.parse_args()


def api_keys(file: Path | None) -> list[str]:
    """Keys that clients must present: from the environment, or one a line from a file."""
    stated = os.environ.get("LLAMA_API_KEY", "").split(",")
    lines = file.read_text().splitlines() if file else []
    return [key for key in (*stated, *lines) if key and not key.startswith("#")]


def parameters(arguments: argparse.Namespace) -> Any:
    """`CommonParams` of a server for the CPU."""
    xllamacpp = library()
    params = xllamacpp.CommonParams()
    params.model.path = arguments.model
    params.model_alias = {name for name in arguments.alias.split(",") if name}
    params.hostnames = [arguments.host]
    params.port = arguments.port
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = arguments.threads
    params.cpuparams_batch.n_threads = arguments.threads_batch or arguments.threads
    params.api_keys = api_keys(arguments.api_key_file)
    for name, value in vars(arguments).items():
        if value is not None and name not in OTHERWISE:
            setattr(params, name, value)
    if arguments.chat_template_file:
        params.chat_template = arguments.chat_template_file.read_text()
    if arguments.pooling:
        params.pooling_type = getattr(
            xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{arguments.pooling.upper()}"
        )
    if arguments.timeout:
        params.timeout_read = params.timeout_write = arguments.timeout
    return params


OTHERWISE = frozenset(
    {
        "model", "alias", "host", "port", "threads", "threads_batch", "n_gpu_layers",
        "chat_template_file", "pooling", "timeout", "api_key_file",
    }
)  # fmt: skip
"""Arguments that are not attributes of `CommonParams` under their own name."""


def main() -> None:
    """Serve until asked to stop."""
    arguments = parsed()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)  # before the server's threads start and inherit it
    _server = library().Server(parameters(arguments))
    signal.sigwait(STOP)
    # Its destructor stops to answer, and then waits for the calls under way for ever.
    os._exit(0)


if __name__ == "__main__":
    main()
