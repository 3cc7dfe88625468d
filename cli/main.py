"""The `corral` command: arguments and where each command lives; each is imported when it is used."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

COMMANDS: dict[str, tuple[str, str]] = {
    "plan": ("corral.cli.stack:plan", "show what a stack becomes, without engine or plane"),
    "lint": (
        "corral.cli.stack:lint",
        "check stack files, one line per problem; unresolved digests are only said",
    ),
    "models": ("corral.cli.fit:show", "list the catalogue's models, search them, show one"),
    "fit": ("corral.cli.fit:fit", "show where a model fits and at what price, without a stack file"),
    "setup": (
        "corral.cli.supply:setup",
        "bring programs of the embedded platform, or charts, to this machine",
    ),
    "init": ("corral.cli.deploy:init", "make the stack's private state and its secrets"),
    "up": ("corral.cli.deploy:up", "start the plane and deploy the stack"),
    "preview": (
        "corral.cli.deploy:preview",
        "show what `up` would change, and what the policies find",
    ),
    "diff": (
        "corral.cli.compare:diff",
        "show property by property what `up` would change; exits with 3 where it would",
    ),
    "drift": (
        "corral.cli.compare:drift",
        "show what was changed by hand since the last `up`; exits with 3 where something was",
    ),
    "evidence": (
        "corral.cli.evidence:evidence",
        "write signed evidence of what is deployed: controls, exceptions, digests; or verify such a bundle",
    ),
    "status": ("corral.cli.plane:status", "show what runs, and as what"),
    "dashboards": ("corral.cli.dashboards:dashboards", "draw what the running platform measures as one page"),
    "chat": ("corral.cli.chat:chat", "ask a model a question"),
    "keys": ("corral.cli.keys:keys", "make, list or revoke keys by which applications call models"),
    "logs": ("corral.cli.plane:logs", "show the output of a pod or of a part of the plane"),
    "kubectl": ("corral.cli.kubectl:kubectl", "kubectl on the plane's cluster"),
    "stop": ("corral.cli.plane:stop", "end every process of the plane, keep its data"),
    "down": (
        "corral.cli.plane:down",
        "end the plane and discard its data and state; on a cluster of others, destroy the stack",
    ),
    "lock": ("corral.cli.supply:lock", "resolve the digests of the catalogue's charts and images"),
    "images": ("corral.cli.images:images", "print every image and chart that a stack needs"),
    "bundle": (
        "corral.cli.bundle:bundle",
        "write what a site without internet needs: a lock, and files for mirroring tools",
    ),
    "exit": (
        "corral.cli.exit:leave",
        "show what of a stack is bound to a maker or a cloud, and how it is left",
    ),
    "import": ("corral.cli.supply:tools", "bring a model into the object store"),
    "load": ("corral.cli.supply:tools", "bring a model from the object store into a folder, verified"),
    "batch": ("corral.cli.supply:tools", "answer files of requests by a model, in OpenAI's batch format"),
    "bucket": ("corral.cli.supply:tools", "keep a bucket as the platform needs it"),
    "probe": ("corral.cli.supply:tools", "one end of a connection from pod to pod, for `plan --probe`"),
    "backend": (
        "corral.cli.supply:tools",
        "make the bucket and the key in which Pulumi keeps state and secrets, before the first stack",
    ),
    "completion": ("corral.cli.completion:completion", "print completions for a shell"),
    "version": ("corral.cli.supply:version", "print the version"),
}
PASSED_ON = frozenset({"kubectl", "import", "load", "batch", "bucket", "probe", "backend"})
"""Commands whose arguments belong to another program."""
FIRST_PROCESS = 1
"""What a container runs, which the kernel lets ignore every signal that it has no handler for: a pod that is
to end would wait for all of its grace period."""


def run() -> None:
    """Entry point of the `corral` script."""
    if os.getpid() == FIRST_PROCESS:
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command; its exit code: 0 done, 1 failed, 2 the request or the configuration is wrong.

    Of `diff` and `drift` 3 where something differs.
    """
    parser = build_parser()
    before, command, rest = split(argv)
    if "--version" in before:
        command, argv = "version", ["version"]
    if command in PASSED_ON:
        arguments = parser.parse_args([*before, command])
        arguments.arguments = rest
    else:
        arguments = parser.parse_args(argv)
    module, _, function = COMMANDS[arguments.command][0].partition(":")
    try:
        code = int(getattr(importlib.import_module(module), function)(arguments))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("corral: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has left; nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        from corral.cli.explain import explain

        return explain(error)


def split(argv: Sequence[str]) -> tuple[Sequence[str], str, Sequence[str]]:
    """Options before the command, the command, and everything after it."""
    position = 0
    while position < len(argv) and argv[position].startswith("-"):
        position += 2 if argv[position] in ("-s", "--stack") else 1
    command = argv[position] if position < len(argv) else ""
    return argv[:position], command, argv[position + 1 :]


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(
        prog="corral",
        description="A sovereign, self-hosted LLM platform on Kubernetes, as a Pulumi program.",
        epilog='First `corral up`, then `corral chat "question"`.',
    )
    parser.add_argument(
        "-s", "--stack", default=os.environ.get("STACK") or "dev", help="default: $STACK or dev"
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    sub = {
        name: commands.add_parser(name, help=text, description=text, add_help=name not in PASSED_ON)
        for name, (_place, text) in COMMANDS.items()
    }
    for name in COMMANDS.keys() - PASSED_ON:
        # Not given here: the one before the command holds.
        sub[name].add_argument("-s", "--stack", default=argparse.SUPPRESS, help="name of the stack")
    for name in ("plan", "lint", "status", "models", "fit", "exit", "diff", "drift", "dashboards"):
        sub[name].add_argument("--json", action="store_true", help="print one JSON document instead")
    sub["models"].add_argument(
        "words", nargs="*", metavar="NAME|WORD", help="a model, or words to search for"
    )
    sub["fit"].add_argument(
        "model",
        metavar="MODEL",
        help="ORGANISATION/NAME[@REVISION] of a hub, a folder, or a name of the catalogue",
    )
    for name in ("models", "fit"):
        _add_sizing(sub[name])
    sub["plan"].add_argument(
        "--cluster", action="store_true", help="also read what the stack's existing cluster has and lacks"
    )
    sub["plan"].add_argument(
        "--probe",
        action="store_true",
        help="also try its NetworkPolicies, by two pods in a namespace that is removed again",
    )
    sub["completion"].add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    sub["plan"].add_argument("--html", metavar="FILE", help="draw the plan as one page, for any browser")
    drawn = sub["dashboards"]
    drawn.add_argument(
        "--html", metavar="FILE", help="the page; default: dashboards-STACK.html, none with --json"
    )
    drawn.add_argument("--hours", type=_hours, default=1.0, help="time that is drawn, default: %(default)g")
    sub["up"].add_argument("--plane-only", action="store_true", help="start the plane, deploy nothing")
    sub["up"].add_argument(
        "-y", "--yes", action="store_true", help="on a cluster of others: update without a question"
    )
    sub["down"].add_argument("-y", "--yes", action="store_true", help="discard the data without a question")
    sub["setup"].add_argument(
        "what", nargs="?", choices=("charts",), help="the pinned charts as folders instead, for any cluster"
    )
    sub["setup"].add_argument("--to", metavar="FOLDER", help="where charts go; default: $CORRAL_HOME/charts")
    sub["setup"].add_argument("--mirror", metavar="HOST/PATH", help="registry that mirrors the charts")
    sub["setup"].add_argument(
        "--insecure", action="append", default=[], metavar="HOST", help="plain-HTTP registry of charts"
    )
    sub["down"].add_argument(
        "--exclude-protected",
        action="store_true",
        help="on a cluster of others: keep what holds data, remove the rest",
    )
    evidence = sub["evidence"]
    evidence.add_argument(
        "--to", metavar="FOLDER|FILE.zip", help="where the bundle goes; default: evidence-STACK"
    )
    evidence.add_argument(
        "--key",
        metavar="FILE|env://NAME",
        help="private key in PEM that signs (Ed25519, ECDSA P-256); with --verify the public key",
    )
    evidence.add_argument(
        "--state", metavar="FILE", help="what `pulumi stack export` printed; default: ask the stack's backend"
    )
    evidence.add_argument(
        "--verify", metavar="FOLDER|FILE.zip", help="check signature and hashes of a bundle, and stop"
    )
    sub["setup"].add_argument("--all", action="store_true", help="also what only some stacks need")
    sub["setup"].add_argument(
        "--addon",
        action="append",
        default=[],
        metavar="NAME",
        help="also what this addon needs; may be repeated",
    )
    sub["setup"].add_argument("--plan", action="store_true", help="show what would be brought, and stop")
    sub["lint"].add_argument("files", nargs="*", help="stack files; default: all of the checkout")
    sub["lock"].add_argument("--check", action="store_true", help="change nothing, fail when out of date")
    sub["lock"].add_argument("--models", action="store_true", help="the files of the stack's models instead")
    sub["lock"].add_argument("--refresh", action="store_true", help="read sources that are locked, too")
    sub["lock"].add_argument("--mirror", metavar="HOST/PATH", help="registry that mirrors the images")
    sub["lock"].add_argument(
        "--insecure", action="append", default=[], metavar="HOST", help="plain-HTTP registry"
    )
    sub["images"].add_argument("--mirror", metavar="HOST/PATH", help="print where each goes there, too")
    sub["bundle"].add_argument("--out", metavar="DIR", required=True, help="folder that is written")
    sub["bundle"].add_argument(
        "--charts", metavar="FOLDER", help="unpacked charts; default: what `corral setup charts` has pulled"
    )
    sub["bundle"].add_argument(
        "--offline", action="store_true", help="ask no publisher; what is not at hand stays unresolved"
    )
    chat = sub["chat"]
    chat.add_argument("words", nargs="+", metavar="[MODEL] QUESTION", help="the model may be left out")
    chat.add_argument(
        "--system", default="You are a helpful assistant.", help="system prompt, default: %(default)s"
    )
    chat.add_argument("--max-tokens", type=int, default=128, help="longest answer, default %(default)s")
    chat.add_argument(
        "--temperature", type=float, default=0.0, help="0, the default: always the likeliest word"
    )
    keys = sub["keys"]
    keys.add_argument("action", choices=("make", "list", "revoke"), help="what to do")
    keys.add_argument("tenant", metavar="TENANT", help="whose models the keys open")
    keys.add_argument("name", nargs="?", metavar="NAME", help="who calls; not with list")
    logs = sub["logs"]
    logs.add_argument("name", nargs="?", help="pod, or a part such as kube-apiserver; absent: list them")
    logs.add_argument("-n", "--namespace", help="namespace of the pod; may be left out when one has its name")
    logs.add_argument("-c", "--container", help="container of the pod; default: its first")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as output is written")
    logs.add_argument("--previous", action="store_true", help="output of the run before the present one")
    return parser


def _add_sizing(parser: argparse.ArgumentParser) -> None:
    """Options of what a model is sized for."""
    parser.add_argument(
        "--context", type=_positive, help="tokens of one sequence; default: 8192, or the model's limit"
    )
    parser.add_argument("--max-num-seqs", type=_positive, help="concurrent sequences; default: 32")
    parser.add_argument("--dtype", help="weights in another dtype, such as fp8")
    parser.add_argument("--engine", help="another engine that serves its files, such as text-embeddings")
    parser.add_argument("--gpu", action="append", default=[], help="this GPU alone; may be given again")
    parser.add_argument("--region", help="prices of this region alone; default: the cheapest of all")
    parser.add_argument(
        "--purchase", choices=("on-demand", "spot"), default="on-demand", help="default: %(default)s"
    )


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 366:
        raise argparse.ArgumentTypeError(f"{text}: use hours above 0, such as 0.5, and at most a year")
    return hours


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: use a whole number above 0")
    return int(text)


if __name__ == "__main__":
    run()
