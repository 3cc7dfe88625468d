"""llama.cpp's server, the model server of the embedded platform."""

import os

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import (
    Flag,
    Flags,
    arguments,
    host,
    keep,
    keeps,
    only,
    path,
    switch,
    switches,
    written,
)

IMAGE = "ggml-org/llama.cpp"


def _cores() -> str:
    """All but one: threads wait for each other by spinning, and one that the control plane keeps off its core
    holds up the rest."""
    return str(max(1, len(os.sched_getaffinity(0)) - 1))


def _threads() -> Flag:
    def treatment(_context: Context, value: str) -> list[str]:
        return written("threads", _cores() if value == "-1" else value)

    return Flag(("threads", "t"), treatment, absent="-1")


FLAGS = Flags(
    documented(IMAGE),
    (
        path("model", "m"),
        keep("alias", "a"),
        host("host", absent="127.0.0.1"),
        keep("port", absent="8080"),
        keep("ctx-size", "c"),
        keep("parallel", "np"),
        switch("metrics"),
        _threads(),
        keep("threads-batch", "tb"),
        keep("threads-http"),
        keep("batch-size", "b"),
        keep("ubatch-size", "ub"),
        keep("predict", "n", "n-predict"),
        keep("cors-origins"),
        keep("timeout", "to"),
        switch("embedding", "embeddings"),
        *keeps("pooling", "api-prefix"),
        *switches("no-slots", "jinja"),
        switch("no-ui", "no-webui"),
        path("api-key-file"),
        path("ssl-key-file"),
        path("ssl-cert-file"),
        path("chat-template-file"),
        only(
            "n-gpu-layers",
            "ngl",
            "gpu-layers",
            values=("0", "auto"),
            why="the process has no GPU, whatever device was allocated to the pod",
        ),
    ),
    equals=False,
)


def launch(context: Context) -> Launch:
    """A llama.cpp server built for the CPU, with the flags of llama-server."""
    settings = sorted(name for name in context.env if name.startswith("LLAMA_ARG_"))
    if settings:
        raise Refused(f"variable {settings[0]} of image {IMAGE} is not honoured here: use the flag")
    flags = FLAGS.translate(context, arguments(context, IMAGE, "llama-server"))
    if not any(part.startswith("--model=") for part in flags):
        raise Refused(f"image {IMAGE} needs --model here: weights are mounted, not downloaded")
    python = installed.interpreter("llama")
    return Launch([*installed.script(python, "llama_server.py"), *flags], {}, installed.seen_by(python))


PROGRAMS = (ProgramSpec("llama-server", IMAGE, launch, documented(IMAGE).source),)
