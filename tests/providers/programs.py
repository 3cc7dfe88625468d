"""Programs that import components of Corral, run by the real engine against a test provider."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corral.embedded import toolchain
from corral.embedded.home import pulumi_home

SECONDS = 300
"""Longest that one command may take."""


@dataclass
class Program:
    """A program in a folder of its own, whose state is beside it."""

    folder: Path
    providers: str
    """Where the providers are: `aws:PORT`."""
    stack: str = "test"
    config: dict[str, str] = field(default_factory=dict[str, str])
    """Plain configuration, such as `aws:region`."""
    variables: dict[str, str] = field(default_factory=dict[str, str])
    """Further variables of the environment."""

    def __post_init__(self) -> None:
        for name in ("program", "home", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        pulumi_home(self.folder / "home" / ".pulumi")
        (self.program / "Pulumi.yaml").write_text("name: own\nruntime: python\n")
        configured = {"config": self.config}
        (self.program / f"Pulumi.{self.stack}.yaml").write_text(json.dumps(configured))
        self.done("stack", "init", self.stack)

    @property
    def program(self) -> Path:
        return self.folder / "program"

    @property
    def environment(self) -> dict[str, str]:
        path = [str(Path(sys.executable).parent), toolchain.programs_path(), "/usr/bin", "/bin"]
        return {
            "HOME": str(self.folder / "home"),
            "PATH": os.pathsep.join(path),
            "LANG": "C.UTF-8",
            "USER": "somebody",
            "PULUMI_HOME": str(self.folder / "home" / ".pulumi"),
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "somebody's own",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": self.providers,
            **self.variables,
        }

    def write(self, text: str) -> None:
        """The program from now on."""
        (self.program / "__main__.py").write_text(text)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A Pulumi command that runs on."""
        return subprocess.Popen(
            ["pulumi", *command, "--non-interactive"],
            cwd=self.program,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        """Exit status and output of a Pulumi command."""
        started = self.start(*command)
        try:
            output, _ = started.communicate(timeout=SECONDS)
        finally:
            started.kill()
        return started.returncode, output

    def done(self, *command: str) -> str:
        """Output of a command that must succeed."""
        status, output = self.run(*command)
        assert status == 0, f"{command}: {status}\n{output}"
        return output

    def refused(self, *command: str) -> str:
        """Output of a command that must fail."""
        status, output = self.run(*command)
        assert status != 0, f"{command}\n{output}"
        assert "Traceback" not in output, output
        return output

    def state(self) -> list[dict[str, Any]]:
        """Resources of the stack."""
        return json.loads(self.done("stack", "export", "--show-secrets"))["deployment"].get("resources", [])
