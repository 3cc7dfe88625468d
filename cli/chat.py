"""`corral chat [MODEL] "question"`."""

import argparse
import sys
from collections.abc import Generator

from corral.cli.console import progress
from corral.cli.running import started
from corral.embedded.chat import Answer, Chat, ChatOptions


def chat(arguments: argparse.Namespace) -> int:
    """The answer to standard output as it comes; what it cost and its way to standard error."""
    talk = Chat.connect(started(arguments.stack))
    try:
        model, question = talk.choose(arguments.words)
        options = ChatOptions(arguments.system, arguments.max_tokens, arguments.temperature)
        answer = _print(talk.ask(model, question, options))
    finally:
        talk.close()
    progress(
        f"\n{answer.tokens} tokens, {answer.tokens_per_second:.1f} tokens/s, "
        f"first token after {answer.first_token_seconds:.2f} s"
    )
    if answer.broke_off is not None:
        progress(f"asked twice: before the first word the connection broke off: {answer.broke_off}")
    if answer.gateway is not None:
        progress(f"gateway {answer.gateway}")
    for hops in answer.hops:
        process = f"process {hops.pid}" if hops.pid else "no process"
        progress(f"service {hops.service} → pod {hops.pod} → slice {hops.device} → {process}")
    if len(answer.hops) > 1:
        progress("(the Service chose one of these pods)")
    return 0


def _print(parts: Generator[str, None, Answer]) -> Answer:
    while True:
        try:
            part = next(parts)
        except StopIteration as end:
            print()
            return end.value
        sys.stdout.write(part)
        sys.stdout.flush()
