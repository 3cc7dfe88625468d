"""cosign itself, where it is on PATH, beside what our doubles write of its formats."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.doubles.mirror import Mirror

PROGRAM = shutil.which("cosign")
OFFLINE = ("--use-signing-config=false", "--tlog-upload=false")
"""As docs/admission.md has it: nothing is asked of a Sigstore."""


@dataclass(frozen=True)
class Cosign:
    """cosign with one key, for the images of one registry."""

    folder: Path
    mirror: Mirror

    @staticmethod
    def of(folder: Path, mirror: Mirror, private_key: str) -> "Cosign":
        """With `private_key`, in PEM."""
        (folder / "plain.key").write_text(private_key)
        made = Cosign(folder, mirror)
        made._run("import-key-pair", "--key", "plain.key")
        return made

    def sign(self, image: str, predicates: Mapping[str, Any]) -> None:
        """Sign an image and attest `predicates`, by the word for their type, as its documentation says."""
        key = ("--key", "import-cosign.key", "--yes", *OFFLINE)
        self._run("sign", *key, *self._registry, image)
        for kind, predicate in predicates.items():
            (self.folder / "predicate.json").write_text(json.dumps(predicate))
            chosen = ("--type", kind, "--predicate", "predicate.json")
            self._run("attest", *key, *self._registry, *chosen, image)

    @property
    def _registry(self) -> tuple[str, ...]:
        user, password = self.mirror.credential or ("", "")
        entry = ("--registry-username", user, "--registry-password", password) if user else ()
        return ("--registry-cacert", str(self.mirror.authority), *entry)

    def _run(self, *arguments: str) -> None:
        assert PROGRAM is not None
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": ""}
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"cosign {arguments[0]}: {done.stderr}"
