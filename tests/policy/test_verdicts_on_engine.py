"""The pack under the real engine tells the mutations of good objects from them, each by its own control."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.controls.same_verdict.generated import object_controls, stored
from tests.controls.same_verdict.mutated import Mutated, mutations
from tests.policy.test_stamp_on_engine import ROOT, pulumi

from corral.controls.control import Verdict
from corral.controls.enforcement import demanded
from corral.controls.kinds import KINDS
from corral.controls.profiles import PROFILES
from corral.policy.mounted import declared

pytestmark = pytest.mark.engine

PROFILE = "eu-resident"
STOPS = re.compile(r"(sov-[a-z]{3}-\d\d)\s+\(\S+:\s+([\w-]+)\)")
"""A control and the resource that it is about, as the engine prints a violation."""
PROGRAM = """
import json
import pulumi
import pulumi_kubernetes as kubernetes

rendered = kubernetes.Provider("rendered", render_yaml_to_directory="rendered")
for name, (token, props) in json.load(open("objects.json")).items():
    pulumi.CustomResource(token, name, props, pulumi.ResourceOptions(provider=rendered))
"""


def sample() -> dict[str, Mutated]:
    """The first good and the first bad object of each control of the profile, by a name in the program."""
    found: dict[str, Mutated] = {}
    for control in object_controls():
        if declared(control) and demanded(control, PROFILES[PROFILE]):
            for one in mutations(control.id):
                if one.profile == PROFILE and one.stores is None and not one.unseen:
                    found.setdefault(f"{control.id.lower()}-{one.verdict.value}", one)
    return found


def declaration(one: Mutated, name: str) -> tuple[str, dict[str, Any]]:
    made = stored(one.subject)
    metadata = {**made["metadata"], "name": name}
    return KINDS[made["kind"]].token, {**made, "metadata": metadata}


def test_the_engine_gets_every_verdict_by_its_control(tmp_path: Path) -> None:
    chosen = sample()
    assert len(chosen) > 50 and {one.verdict for one in chosen.values()} == {Verdict.GOOD, Verdict.BAD}
    (tmp_path / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    objects = {name: declaration(one, name) for name, one in chosen.items()}
    (tmp_path / "objects.json").write_text(json.dumps(objects))
    (tmp_path / "state").mkdir()
    pulumi(tmp_path, "stack", "init", "s")
    pulumi(tmp_path, "config", "set", "--path", "corral:platform.sovereignty.profile", PROFILE, "-s", "s")
    with pytest.raises(AssertionError) as stopped:
        pulumi(tmp_path, "preview", "-s", "s", "--policy-pack", str(ROOT / "policy"))
    said = {(found[2], found[1]) for found in STOPS.finditer(str(stopped.value).replace("\\n", "\n"))}
    wrong = [
        f"{name}: {one.title}"
        for name, one in chosen.items()
        if ((name, one.control.lower()) in said) is not (one.verdict is Verdict.BAD)
    ]
    assert not wrong, "\n".join(wrong)
