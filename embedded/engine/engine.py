"""The real Pulumi CLI for a plane's stack: file backend, own passphrase, the policy pack always on."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from corral.catalogue.addons import config_secrets
from corral.embedded.engine import creations, drift, project, releases, stack_file
from corral.embedded.engine.deployed import LAST_LINES, Deployed
from corral.embedded.engine.events import EventReporter
from corral.embedded.engine.follow import follow
from corral.embedded.engine.state import exported
from corral.embedded.home import Home, PlaneHome, private_directory, pulumi_home, write_private
from corral.embedded.objects import children
from corral.embedded.plane.processes import Process, end, with_variable

Report = Callable[[str], None]

SECRETS: Mapping[str, int] = {f"corral:{key}": secret.bytes for key, secret in config_secrets().items()}
"""Secrets that a stack needs, with their random bytes; written as hexadecimal digits."""

INHERITED = ("USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "COLUMNS", "TMPDIR", "TZ", "NO_COLOR")
"""What Pulumi inherits of the caller's environment: no kubeconfig, no credentials, no proxy."""


class EngineError(Exception):
    """Pulumi refused something that is no part of a deployment."""


def environment(home: Home, plane: PlaneHome, programs_path: str, *, own_provider: bool) -> dict[str, str]:
    """Environment of the CLI and of everything that it starts.

    `programs_path`: folders of the toolchain's programs, in the form of PATH. `own_provider`: the provider
    was built here, and Pulumi must not look for another.
    """
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), programs_path, os.environ.get("PATH", os.defpath)]
    )
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    acquisition = {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"} if own_provider else {}
    return {
        **inherited,
        **acquisition,
        "PATH": path,
        "CORRAL_HOME": str(home.root),
        "CORRAL_TOOLCHAIN": str(home.toolchain),
        # Helm and others keep caches below HOME.
        "HOME": str(plane.engine / "home"),
        "PULUMI_HOME": str(plane.engine / "home"),
        "PULUMI_BACKEND_URL": (plane.engine / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(plane.engine / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


@dataclass(frozen=True)
class Run:
    """One run of Pulumi that worked on the stack."""

    code: int
    """Pulumi's exit code; 0: done."""
    seconds: Mapping[str, float]
    """How long `preview` and `update` took, each if it came to its end."""
    log: Path
    """All of Pulumi's own output."""
    idle: bool = False
    """Whether a preview found nothing to do."""
    planned: int = 0
    """Changes that the preview announced."""


@dataclass(frozen=True)
class Engine:
    """Pulumi for one stack of one checkout, against one plane."""

    plane: PlaneHome
    project: Path
    stack: str
    environment: Mapping[str, str]

    @property
    def config_file(self) -> Path:
        return self.plane.engine / f"Pulumi.{self.stack}.yaml"

    def init(self, report: Report, needed: Sequence[str] = ()) -> None:
        """Make passphrase, stack and secrets where they are absent; refresh the private stack file.

        The committed stack file is read, never written. What of `needed` cannot be made, since it opens
        somebody else's store, is taken from the environment: `CORRAL_SOURCE_INTAKE_TOKEN` and the like.

        Raises:
            EngineError: the passphrase of an existing state is gone, such a secret is absent, or Pulumi
                refused.
            FileNotFoundError: there is no committed stack file.
        """
        committed = project.stack_file(self.project, self.stack).read_text()
        pulumi_home(self.plane.engine / "home")
        private_directory(self.plane.engine / "state")
        passphrase = self.plane.engine / "passphrase"
        if not passphrase.exists():
            if self._exists():
                raise EngineError(
                    f"{passphrase} is gone, and with it the secrets of this state: "
                    f"`corral down -s {self.stack}` starts anew"
                )
            write_private(passphrase, secrets.token_hex(32))
        if not self._exists():
            report(f"creating stack {self.stack}")
            self._create()
        own = self.config_file.read_text() if self.config_file.exists() else ""
        write_private(self.config_file, stack_file.merged(committed, own))
        missing = [key for key in SECRETS if key not in stack_file.secrets(self.config_file.read_text())]
        if missing:
            report("creating secrets: " + ", ".join(key.removeprefix("corral:") for key in missing))
        for key in missing:
            self._set(key, secrets.token_hex(SECRETS[key]))
        self._set_from_environment(needed)

    def _set_from_environment(self, needed: Sequence[str]) -> None:
        """Keep the secrets that are given in the environment; a new value takes the place of an old one."""
        present = stack_file.secrets(self.config_file.read_text())
        absent: list[str] = []
        for key in (one for one in needed if f"corral:{one}" not in SECRETS):
            variable = f"CORRAL_{key.upper().replace('-', '_')}"
            value = os.environ.get(variable)
            if value:
                self._set(f"corral:{key}", value)
            elif f"corral:{key}" not in present:
                absent.append(variable)
        if absent:
            raise EngineError(f"a source of models needs its secrets: give {', '.join(absent)} once")

    def _set(self, key: str, value: str) -> None:
        # By standard input: arguments are readable by everybody.
        self._run(["config", "set", "--secret", key, *self._selected], value)

    def preview(self, report: Report, *, policies_on: bool = True) -> Run:
        """Tell what `up` would do, change by change, with the findings of the policy pack or without."""
        policies = self._policies if policies_on else []
        return self._stream(["preview", *self._selected, *policies], report, changes=True)

    def up(self, report: Report) -> Run:
        """Preview, stop at a violation before any change, deploy; a preview alone where nothing changes."""
        self.recover(report)
        chosen = [*self._selected, *self._policies]
        if not self.outputs():
            return self._stream(["up", "--yes", *chosen], report)
        # Before the preview: Pulumi patches objects of releases, which must be there.
        self._restore_releases(report)
        previewed = self._stream(["preview", *chosen], report)
        if previewed.code or previewed.idle:
            return previewed
        done = self._stream(["up", "--yes", "--skip-preview", *chosen], report, planned=previewed.planned)
        return replace(done, seconds={**previewed.seconds, **done.seconds})

    @property
    def deployed(self) -> Deployed:
        """The stack, to be compared with its program and with what is there."""
        return Deployed(
            self.project,
            self.stack,
            self._program("pulumi"),
            self.environment,
            private_directory(self.plane.logs),
            lambda: self._kubectl,
            ("--config-file", str(self.config_file)),
            self._policies,
        )

    def destroy(self, report: Report) -> Run:
        """Remove everything that the stack made."""
        self.recover(report)
        return self._stream(["destroy", "--yes", *self._selected], report)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; secret ones are masked. Empty before the first `up`."""
        if not self._exists():
            return {}
        command = ["stack", "output", "--json", "--stack", self.stack]
        return cast(dict[str, Any], json.loads(self._run(command)))

    def export(self) -> dict[str, Any]:
        """The stack's state, its secrets encrypted; one without resources before the first `up`.

        Raises:
            StateUnavailable: Pulumi refuses.
        """
        if not self._exists():
            return {"version": 3, "deployment": {}}
        return exported(self._program("pulumi"), self.stack, self.project, self.environment)

    def changed_by_hand(self) -> list[drift.Difference]:
        """What somebody deleted or scaled by hand of what the stack and its Helm releases made.

        Raises:
            EngineError: the cluster cannot be read.
        """
        if not self._exists():
            return []
        try:
            return drift.differences(self._kubectl, self.export())
        except drift.Unreadable as error:
            raise EngineError(f"the cluster cannot be read: {error}") from None

    def _restore_releases(self, report: Report) -> None:
        """Restore what is missing or scaled of Helm releases, which Pulumi's refresh does not see."""
        changed = [one for one in self.changed_by_hand() if one.stated.release is not None]
        for one in changed:
            report(f"changed by hand: {one}")
        for release in dict.fromkeys(one.stated.release for one in changed if one.replicas is None):
            if release is not None:
                report(f"restoring the Helm release {release.namespace}/{release.name}")
                done = self._helm(release.restoring)
                if done.returncode:
                    raise EngineError(f"helm rollback {release.name}: {done.stderr.strip()}")
        for one in changed:
            if one.replicas is not None:
                done = self._kubectl.run(one.scaling)
                if done.returncode:
                    raise EngineError(f"{one}: {done.stderr.strip()}")

    @property
    def _kubectl(self) -> drift.Kubectl:
        own = {"KUBECONFIG": str(self.plane.kubeconfig), "KUBECACHEDIR": str(self.plane.run / "kubectl")}
        return drift.Kubectl([self._program("kubectl")], {**self.environment, **own})

    def recover(self, report: Report) -> None:
        """Clear what an interrupted run left: the lock of a dead process, unfinished operations.

        Raises:
            EngineError: another run is alive.
        """
        locks = list((self.plane.engine / "state" / ".pulumi" / "locks").rglob("*.json"))
        for lock in locks:
            holder = cast(dict[str, Any], json.loads(lock.read_text()))
            if Process.of(int(holder["pid"])) and _is_pulumi(int(holder["pid"])):
                raise EngineError(f"another run works on stack {self.stack} (process {holder['pid']})")
        if not locks:
            return
        report("an earlier run was interrupted: releasing its lock")
        # Its providers do not end with it.
        end(with_variable("PULUMI_HOME", self.environment["PULUMI_HOME"]))
        self._run(["cancel", "--yes", "--stack", self.stack])
        state = self.export()
        pending = children(state, "deployment", "pending_operations")
        if pending:
            report(f"{len(pending)} operations were under way: reading what became of them")
            self._settle(releases.unfinished(pending), report)
            made = creations.taken_over(state, self._kubectl)
            if made is not None:
                self._run(["stack", "import", "--stack", self.stack], json.dumps(made))
            refresh = ["refresh", "--yes", "--clear-pending-creates", "--skip-preview", *self._selected]
            code = self._stream(refresh, report).code
            if code:
                raise EngineError(f"the state could not be refreshed (exit code {code})")

    def _settle(self, unfinished: Sequence[releases.Unfinished], report: Report) -> None:
        for release in unfinished:
            if release.created or self._pending(release):
                report(f"settling the Helm release {release.namespace}/{release.name}")
                done = self._helm(release.settling)
                if done.returncode:
                    raise EngineError(f"helm {release.settling[0]} {release.name}: {done.stderr.strip()}")

    def _pending(self, release: releases.Unfinished) -> bool:
        """Whether Helm itself holds the release for unfinished."""
        done = self._helm(release.question)
        return done.returncode == 0 and json.loads(done.stdout)["info"]["status"].startswith("pending-")

    def _helm(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._program("helm"), *arguments],
            env={**self.environment, "KUBECONFIG": str(self.plane.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def _selected(self) -> list[str]:
        return ["--stack", self.stack, "--config-file", str(self.config_file)]

    @property
    def _policies(self) -> list[str]:
        return ["--policy-pack", str(project.policy_pack(self.project))]

    def _exists(self) -> bool:
        state = self.plane.engine / "state" / ".pulumi" / "stacks" / project.NAME
        return (state / f"{self.stack}.json").exists()

    def _create(self) -> None:
        """Create the stack from a folder of its own: Pulumi writes the salt beside the Pulumi.yaml in use."""
        folder = private_directory(self.plane.engine / "project")
        write_private(folder / "Pulumi.yaml", (self.project / "Pulumi.yaml").read_bytes())
        self._run(["stack", "init", "--no-select", "--stack", self.stack], cwd=folder)
        made = project.stack_file(folder, self.stack).read_text()
        shutil.rmtree(folder)
        write_private(self.config_file, made)

    def _run(self, arguments: Sequence[str], stdin: str = "", cwd: Path | None = None) -> str:
        done = subprocess.run(
            [self._program("pulumi"), *arguments, "--non-interactive"],
            cwd=cwd or self.project,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            umask=0o077,
            check=False,
        )
        if done.returncode:
            raise EngineError(f"pulumi {' '.join(arguments[:2])}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _stream(
        self, arguments: Sequence[str], report: Report, *, changes: bool = False, planned: int = 0
    ) -> Run:
        """Run and tell its events; an interrupt is Pulumi's to handle, and is awaited."""
        private_directory(self.plane.logs)
        log = self.plane.logs / f"engine-{time.strftime('%Y%m%dT%H%M%S')}-{arguments[0]}.log"
        reporter = EventReporter(report, changes=changes, planned=planned)
        code = follow(
            [self._program("pulumi"), *arguments, "--suppress-progress", "--non-interactive"],
            cwd=self.project,
            environment=self.environment,
            log=log,
            reporter=reporter,
        )
        if code and not reporter.errors:
            report("\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:]))
        if code:
            report(f"everything that pulumi said: {log}")
        return Run(code, reporter.seconds, log, reporter.idle, reporter.planned)

    def _program(self, name: str) -> str:
        path = shutil.which(name, path=self.environment["PATH"])
        if path is None:
            raise EngineError(f"there is no {name}: `corral setup`")
        return path


def _is_pulumi(pid: int) -> bool:
    """Guards against a stranger with the pid of a run that is gone."""
    return Path(f"/proc/{pid}/comm").read_text().strip() == "pulumi"
