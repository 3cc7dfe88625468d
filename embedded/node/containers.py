"""The state of one container as the pod's status tells it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from corral.embedded.kube import Object
from corral.embedded.node.attempts import Attempt, Outcome, latest
from corral.embedded.node.program_spec import Omitted, ProgramSpec

MESSAGE_BYTES, MESSAGE_LINES = 2048, 80
"""Most of a log that becomes a termination message (Kubernetes, Container v1, terminationMessagePolicy)."""


def timestamp(seconds: float) -> str:
    """Kubernetes' form of a time given in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class ContainerRun:
    """One container of a pod that runs here."""

    spec: Object
    program: ProgramSpec | Omitted
    init: bool
    uid: str
    """The pod's."""
    folder: Path
    state: Object = field(
        default_factory=lambda: {"waiting": {"reason": "PodInitializing"}},
    )
    last_state: Object = field(default_factory=dict[str, object])
    started: bool = False
    ready: bool = False
    attempt: Attempt | None = None
    last_problem: str = ""
    """What the node itself did to the last run, such as a failed liveness probe."""

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def sidecar(self) -> bool:
        """A restartable init container: starts before the main ones and keeps running."""
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def outcome(self) -> Outcome | None:
        """How the latest run ended, when it has."""
        return self.attempt.outcome if self.attempt and "terminated" in self.state else None

    def recall(self, published: Object) -> None:
        """Take up what the disk knows; `told` is this container's last published status."""
        self.attempt = latest(self.folder)
        self.last_state = published.get("lastState") or {}
        if self.attempt is None:
            return
        outcome = self.attempt.outcome
        if outcome is not None:
            self.end(outcome)
        else:
            self.begin(self.attempt)
            self.started, self.ready = bool(published.get("started")), bool(published.get("ready"))

    def wait(self, reason: str, message: str = "") -> bool:
        """Now waiting for something; whether that is news."""
        if "terminated" in self.state:
            self.last_state = self.state
        fresh = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.ready = self.started = False
        changed, self.state = fresh != self.state, fresh
        return changed

    def begin(self, attempt: Attempt) -> None:
        """Now running."""
        if "terminated" in self.state:
            self.last_state = self.state
        self.attempt, self.started, self.ready = attempt, False, False
        self.state = {"running": {"startedAt": timestamp(attempt.begun)}}

    def end(self, outcome: Outcome) -> None:
        """Now ended."""
        assert self.attempt is not None
        message = outcome.problem or self.last_problem or self._last_output(outcome)
        self.state = {
            "terminated": {
                "exitCode": outcome.code,
                "reason": outcome.reason,
                **({"signal": outcome.signal} if outcome.signal else {}),
                **({"message": message} if message else {}),
                "startedAt": timestamp(self.attempt.begun),
                "finishedAt": timestamp(outcome.finished),
                "containerID": self.identifier,
            }
        }
        self.last_problem = ""
        self.started = False
        self.ready = self.init and not self.sidecar and outcome.code == 0

    def _last_output(self, outcome: Outcome) -> str:
        """The end of the log where the container names that as its message, within Kubernetes' bounds."""
        if outcome.code == 0 or self.spec.get("terminationMessagePolicy") != "FallbackToLogsOnError":
            return ""
        assert self.attempt is not None
        with self.attempt.log.open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - MESSAGE_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-MESSAGE_LINES:])

    @property
    def identifier(self) -> str:
        number = self.attempt.number if self.attempt else 0
        return f"corral://{self.uid}/{self.name}/{number}"

    def omit(self, begun: float) -> None:
        """Left out here: shown as done (init) or running, as what depends on it expects."""
        when = timestamp(begun)
        self.ready = True
        if self.init and not self.sidecar:
            self.state = {
                "terminated": {"exitCode": 0, "reason": "Omitted", "startedAt": when, "finishedAt": when}
            }
        else:
            self.started, self.state = True, {"running": {"startedAt": when}}

    def status(self) -> Object:
        """As a ContainerStatus."""
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": "omitted" if isinstance(self.program, Omitted) else f"process://{self.program.name}",
            "containerID": self.identifier if self.attempt else "",
            "state": self.state,
            "lastState": self.last_state,
            "restartCount": self.attempt.number if self.attempt else 0,
            "ready": self.ready,
            "started": self.started,
        }
