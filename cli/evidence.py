"""`corral evidence`: what was deployed, under which controls, as a bundle that can be signed and verified."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corral.cli import existing
from corral.cli.console import progress
from corral.cli.errors import FAILED, WRONG, UsageError
from corral.controls.verdicts import Evaluation, parse_evaluation
from corral.embedded.engine import project
from corral.embedded.engine.engine import EngineError
from corral.stacks.config.loader import KEY, raw
from corral.stacks.config.model_lock import read_lock
from corral.stacks.config.workspace import read_workspace
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.evidence.bundle import files, read, verify, write
from corral.stacks.reports.evidence.collect import collect
from corral.stacks.reports.evidence.signature import KeyProblem, NotVerified, private_key, public_key
from corral.stacks.reports.evidence.state import NoState, resources_of

EPOCH = "SOURCE_DATE_EPOCH"
"""Variable with the time of the bundle, in seconds since 1970, where the same bytes are to come out again."""


def evidence(arguments: argparse.Namespace) -> int:
    """Exits with 0 where the gate holds, 1 where it fails or a bundle is not verified, 2 on wrong input."""
    if arguments.verify is not None:
        return _verify(Path(arguments.verify), arguments.key)
    return _write(arguments)


def _write(arguments: argparse.Namespace) -> int:
    from corral.cli.stack import load

    key = None if arguments.key is None else _used(private_key, arguments.key)
    made = _time()
    checkout = project.find()
    file = project.stack_file(checkout, arguments.stack)
    plan = load(file)
    here = plan.cluster.capabilities.started_here
    source = _source(plan, arguments.state)
    try:
        resources_of(source.export)
    except NoState as error:
        raise UsageError(f"{source.name}: {error}") from None
    evaluation = _evaluated(file, source)
    workspace = None if here else read_workspace(file, os.environ)
    collected = collect(plan, read_lock(file), source.export, evaluation, workspace, made)
    target = Path(arguments.to or f"evidence-{arguments.stack}")
    try:
        write(target, files(collected, key))
    except OSError as error:
        raise UsageError(f"--to {target}: {error.strerror}") from None
    for failure in collected.failures:
        print(failure, file=sys.stderr)
    signed = "unsigned: name a key by --key" if key is None else "signed"
    verdict = "the gate fails" if collected.failures else "the gate holds"
    unchecked = len(collected.not_checked)
    print(f"{target}: {verdict}; {signed}; {unchecked} things were not checked, and are listed")
    return FAILED if collected.failures else 0


def _verify(source: Path, key: str | None) -> int:
    if key is None:
        raise UsageError("--verify: name the public key by --key FILE or --key env://NAME")
    public = _used(public_key, key)
    try:
        predicate = verify(read(source), public)
    except NotVerified as error:
        print(f"{source}: not verified: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        raise UsageError(f"--verify {source}: {error.strerror}") from None
    passed = "the gate held" if predicate["passed"] else "the gate failed"
    print(f"{source}: verified: stack {predicate['stack']}, made {predicate['made']}; {passed}")
    return 0


def _used(reader: Any, reference: str) -> Any:
    try:
        return reader(reference)
    except KeyProblem as error:
        raise UsageError(str(error)) from None


def _time() -> str:
    stated = os.environ.get(EPOCH)
    try:
        moment = datetime.now(UTC) if not stated else datetime.fromtimestamp(int(stated), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{EPOCH}={stated}: use seconds since 1970") from None
    return moment.isoformat(timespec="seconds")


@dataclass(frozen=True)
class _Source:
    """An exported state, secrets in it encrypted."""

    name: str
    export: Any
    environment: Mapping[str, str]
    """In which the policy pack runs; it renders Helm releases."""


def _source(plan: Plan, file: str | None) -> _Source:
    if file is not None:
        return _Source(f"--state {file}", _json(file), os.environ)
    if plan.cluster.capabilities.started_here:
        from corral.cli.deploy import engine_of

        engine = engine_of(plan.stack)
        return _Source(f"stack {plan.stack}", engine.export(), engine.environment)
    return _Source(f"stack {plan.stack}", existing.exported(plan.stack), os.environ)


def _json(file: str) -> Any:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--state {file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"--state {file}: no JSON as `pulumi stack export` prints it") from None


def _evaluated(file: Path, source: _Source) -> Evaluation:
    """What the pack says of the state; in a process of its own, for it needs the Pulumi SDK."""
    progress("evaluating the state by the policy pack")
    question = {"config": {KEY: json.dumps(raw(file), default=str)}, "deployment": source.export}
    done = subprocess.run(
        [sys.executable, "-m", "corral.policy.state"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        env=dict(source.environment),
    )
    if done.returncode == WRONG:
        raise UsageError(done.stderr.strip())
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError(f"the policy pack cannot evaluate the state: {last[0]}")
    return parse_evaluation(json.loads(done.stdout))
