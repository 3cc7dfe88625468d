"""What an update of a stack would change, and what was changed by hand; neither changes anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.engine import drift, edited
from corral.embedded.engine.changes import MISSING, Change, Collector, of_releases
from corral.embedded.engine.events import EventReporter
from corral.embedded.engine.follow import follow
from corral.embedded.engine.releases import TYPE as RELEASE
from corral.embedded.engine.state import exported, remedy
from corral.embedded.kube import Object
from corral.embedded.objects import children

Report = Callable[[str], None]
LAST_LINES = 30
"""Shown of Pulumi's output when it fails without naming an error."""
DIFFERS = 3
"""Exit code of `corral diff` and `corral drift` where something differs."""


class NotCompared(Exception):
    """Pulumi could not compare; the text is one line, what Pulumi said was reported before."""


@dataclass(frozen=True)
class Deployed:
    """A stack as one Pulumi and one kubectl reach it."""

    project: Path
    stack: str
    pulumi: str
    environment: Mapping[str, str]
    logs: Path
    """Folder that takes Pulumi's own output."""
    kubectl: Callable[[], drift.Kubectl]
    """Called where the stack has Helm releases alone."""
    options: Sequence[str] = ()
    """For every command that chooses the stack, such as `--config-file`."""
    policies: Sequence[str] = ()

    def diff(self, report: Report) -> tuple[Change, ...]:
        """What `up` would change, the repair of what was changed by hand with it.

        Raises:
            NotCompared: the preview failed, or a policy refuses.
        """
        return self._previewed(["preview", *self.policies], report)

    def drift(self, report: Report) -> tuple[Change, ...]:
        """What was changed by hand in cluster and cloud of what the state has.

        Pulumi reads what it made itself; objects of Helm releases are compared with what Helm has of them.

        Raises:
            StateUnavailable: Pulumi does not give the state.
            NotCompared: Pulumi failed, or the cluster does not answer.
        """
        resources = children(
            exported(self.pulumi, self.stack, self.project, self.environment), "deployment", "resources"
        )
        if not resources:
            raise NotCompared(f"stack {self.stack} has no resources: `corral up -s {self.stack}` first")
        external = {one["urn"] for one in resources if one.get("external")}
        # An object that the stack only reads is another's to change.
        changed = [
            one
            for one in self._previewed(["refresh", "--preview-only"], report)
            if one.operation == MISSING or one.urn not in external
        ]
        gone = frozenset(one.urn for one in changed if one.operation == MISSING)
        return (*changed, *self._of_releases(resources, gone))

    def _of_releases(self, resources: Sequence[Object], gone: frozenset[str]) -> tuple[Change, ...]:
        kept = [one for one in resources if one["type"] == RELEASE and one["urn"] not in gone]
        ours = drift.releases_of(kept)
        if not ours:
            return ()
        kubectl = self.kubectl()
        try:
            releases = drift.contents(ours, drift.items(kubectl, "secrets", drift.STORED))
            stated = list(drift.of_releases(releases))
            read = {(one.release.namespace, one.release.name) for one in stated if one.release}
            unread = ", ".join("/".join(one) for one in sorted(ours - read))
            if unread:
                raise drift.Unreadable(f"the one that kubectl reaches has no deployed Helm release {unread}")
            changed = of_releases(drift.compare(stated, drift.live(kubectl, stated)))
            return (*changed, *edited.changes(kubectl, releases))
        except drift.Unreadable as error:
            raise NotCompared(f"the cluster cannot be read: {error}") from None

    def _previewed(self, command: Sequence[str], report: Report) -> tuple[Change, ...]:
        collector = Collector()
        reporter = EventReporter(report, collect=collector.handle)
        log = self.logs / f"{command[0]}.log"
        log.unlink(missing_ok=True)
        code = follow(
            [
                *(self.pulumi, *command, "--stack", self.stack, *self.options),
                *("--suppress-progress", "--non-interactive"),
            ],
            cwd=self.project,
            environment=self.environment,
            log=log,
            reporter=reporter,
        )
        if code:
            if not reporter.errors:
                report("\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:]))
            way_out = remedy(code, self.stack)
            raise NotCompared(
                f"pulumi {command[0]} failed with exit code {code}: nothing was compared"
                + (f"; {way_out}" if way_out else "")
            )
        return collector.changes
