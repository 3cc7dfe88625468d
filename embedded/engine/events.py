"""What Pulumi's event log says, in few lines: one per finished resource, each warning and finding once."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from corral.embedded.kube import Object
from corral.embedded.objects import child

Report = Callable[[str], None]
Event = Object
"""One line of the event log."""

DONE: Mapping[str, str] = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "read": "read",
    "refresh": "refreshed",
    "import": "imported",
}
SIGNS: Mapping[str, str] = {"create": "+", "update": "~", "delete": "-", "replace": "±"}
UNCOUNTED = frozenset({"same", "read", "refresh", "create-replacement", "delete-replaced"})
"""Operations that change nothing, or are one half of a replacement."""
PLUGIN_FROM_PATH = re.compile(r"using pulumi-resource-\S+ from \$PATH at ")
PLUGIN_VERSION = re.compile(
    r"(?s)resource plugin (\S+) is expected to have version >=(\S+), but has ([^\s;]+);.*"
)
"""Warnings that every run with a provider of our own build has: the first is said by the second."""
STACK = "pulumi:pulumi:Stack"
REPEATED_SECONDS = 60.0
"""The same wait is not told again before."""
SHOWN_SECONDS = 1.0
"""A resource that took less has no time in its line."""


@dataclass
class EventReporter:
    """Turns events into lines for `report`; knows afterwards what happened.

    `changes`: whether a preview names each change. One run of Pulumi has a preview, an update, or both.
    """

    report: Report
    changes: bool = False
    planned: int = 0
    """Changes that the preview announced."""
    collect: Callable[[Event], None] | None = None
    """Takes every event, too."""
    done: int = 0
    errors: int = 0
    idle: bool = False
    """Whether the preview found nothing to do, neither to a resource nor to an output."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """How long `preview` and `update` took, by the clock of this machine."""
    last_line_at: float = field(default_factory=time.monotonic)
    """When the last line was reported."""
    _started: dict[str, float] = field(default_factory=dict[str, float])
    """Resources under way and since when, by URN."""
    _status: dict[str, str] = field(default_factory=dict[str, str])
    """What was last said about a resource under way."""
    _reported: set[str] = field(default_factory=set[str])
    _findings: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Advisory findings: (policy, its title) and on how many resources."""
    _refusals: int = 0
    _outputs_differ: bool = False
    _waited: str = ""
    _waited_at: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def handle(self, event: Event) -> None:
        """Take one line of the event log."""
        if self.collect is not None:
            self.collect(event)
        for kind, handler in (
            ("resourcePreEvent", self._start),
            ("resOutputsEvent", self._finish),
            ("resOpFailedEvent", self._fail),
            ("diagnosticEvent", self._diagnose),
            ("policyEvent", self._policy_finding),
            ("summaryEvent", self._summarise),
        ):
            if kind in event:
                handler(child(event, kind))

    def waiting(self) -> None:
        """Say what has been under way for longest, for a reader who sees nothing else."""
        self.last_line_at = time.monotonic()
        if not self._started:
            return
        urn, since = min(self._started.items(), key=lambda entry: entry[1])
        more = f" and {len(self._started) - 1} more" if len(self._started) > 1 else ""
        text = f"{_resource(urn)}{more}: {self._status.get(urn, 'not done')}"
        if text != self._waited or self.last_line_at - self._waited_at > REPEATED_SECONDS:
            self._waited, self._waited_at = text, self.last_line_at
            self._write(f"{self._count()}   {_time(since)} for {text}")

    def _start(self, event: Event) -> None:
        step = child(event, "metadata")
        if event.get("planning"):
            return
        if _counted(step):
            self._started[step["urn"]] = time.monotonic()

    def _finish(self, event: Event) -> None:
        step = child(event, "metadata")
        if step["type"] == STACK:
            # Said twice of each run: as it begins, and with the outputs.
            self._outputs_differ = child(step, "old", "outputs") != child(step, "new", "outputs")
        if not _counted(step):
            return
        line = f"{SIGNS.get(step['op'], ' ')} {_resource(step['urn'])}"
        if event.get("planning"):
            self.planned += 1
            if self.changes:
                self._write(line)
            return
        self.done += 1
        since = self._started.pop(step["urn"], time.monotonic())
        self._status.pop(step["urn"], None)
        took = f", {_time(since)}" if time.monotonic() - since >= SHOWN_SECONDS else ""
        self._write(f"{self._count()} {line}{took}")

    def _fail(self, event: Event) -> None:
        step = child(event, "metadata")
        since = self._started.pop(step["urn"], time.monotonic())
        self._write(f"{self._count()} ! {_resource(step['urn'])} failed, {_time(since)}")

    def _diagnose(self, event: Event) -> None:
        severity, text = event["severity"], str(event["message"]).strip()
        urn = event.get("urn", "")
        if event.get("ephemeral"):
            self._status[urn] = " ".join(text.split())
        elif severity in ("warning", "error", "info#err"):
            self.errors += severity == "error"
            short = _shortened(text)
            prefix = "" if severity == "info#err" else f"{severity}: "
            self._write_once(short and prefix + _where(urn) + short)

    def _policy_finding(self, event: Event) -> None:
        lines = str(event["message"]).strip().splitlines() or [""]
        if event["enforcementLevel"] == "advisory":
            self._findings[(event["policyName"], lines[0])] += 1
            return
        self._refusals += 1
        subject = _resource(event["resourceUrn"]) if event.get("resourceUrn") else "the stack"
        self._write_once("\n  ".join([f"refused: {subject}: {event['policyName']}", *lines]))

    def _summarise(self, event: Event) -> None:
        phase = "preview" if event["isPreview"] else "update"
        took = time.monotonic() - self._since
        self.seconds[phase] = took
        changes = cast(Mapping[str, int], event.get("resourceChanges") or {})
        if event["isPreview"]:
            self.idle = changes.keys() <= {"same", "read"} and not self._outputs_differ
        counts = ", ".join(self._counts(changes, planned=event["isPreview"])) or "nothing to do"
        for line in self._policy_summary(cast(Mapping[str, str], event.get("PolicyPacks") or {})):
            self._write_once(line)
        failed = "" if event.get("result", "succeeded") == "succeeded" else f", {event['result']}"
        self._write(f"{phase}: {counts}{failed} ({took:.0f} s)")
        self._findings.clear()
        self._started.clear()
        self._since = time.monotonic()

    def _counts(self, changes: Mapping[str, int], *, planned: bool) -> Iterator[str]:
        for operation, count in sorted(changes.items()):
            if operation == "same":
                yield f"{count} unchanged"
            elif operation not in ("read", "create-replacement", "delete-replaced"):
                yield f"{count} to {operation}" if planned else f"{count} {DONE.get(operation, operation)}"

    def _policy_summary(self, packs: Mapping[str, str]) -> Iterator[str]:
        if not packs and not self._findings and not self._refusals:
            return
        names = ", ".join(sorted(pack.split("|")[0] for pack in packs)) or "policies"
        yield f"{names}: " + (f"{self._refusals} violations" if self._refusals else "no violation")
        for (policy, title), count in sorted(self._findings.items()):
            name = policy.upper() if policy.startswith("sov-") else policy
            yield f"advice {name} (x{count}): {title.removeprefix(f'{name}: ')}"

    def _write_once(self, text: str) -> None:
        if text and text not in self._reported:
            self._reported.add(text)
            self._write(text)

    def _write(self, line: str) -> None:
        self.last_line_at = time.monotonic()
        self.report(line)

    def _count(self) -> str:
        width = len(str(self.planned))
        return f"[{self.done:{width}}/{self.planned}]"


def _counted(step: Event) -> bool:
    """Whether a step changes a real object, not a component or a provider."""
    kind = str(step["type"])
    state = child(step, "new") or child(step, "old")
    return step["op"] not in UNCOUNTED and bool(state.get("custom")) and not kind.startswith("pulumi:")


def _resource(urn: str) -> str:
    """Kind and name of a resource, such as `Namespace kyverno-namespace`."""
    types, _, name = urn.rpartition("::")
    return f"{types.rpartition('$')[2].rpartition(':')[2]} {name}"


def _where(urn: str) -> str:
    return "" if not urn or "pulumi:pulumi:Stack::" in urn else f"{_resource(urn)}: "


def _shortened(text: str) -> str:
    if PLUGIN_FROM_PATH.match(text):
        return ""
    return PLUGIN_VERSION.sub(r"the provider \1 is \3, its SDK would like \2", text)


def _time(since: float) -> str:
    return f"{time.monotonic() - since:.0f} s"
