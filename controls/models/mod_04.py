"""Every engine is of a version that runs no code of a model."""

from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service

_DIGEST = "@sha256:" + "a" * 64


def _below(floor: str) -> str:
    """Regular expression (RE2) of the versions before `floor`, of the same first number or a smaller one."""
    numbers = [int(part) for part in floor.split(".")]
    ways: list[str] = []
    for place, number in enumerate(numbers):
        if number:
            head = "".join(f"{one}[.]" for one in numbers[:place])
            smaller = "|".join(map(str, range(number)))
            ways.append(f"{head}({smaller})([.][0-9]+)*")
    return f"({'|'.join(ways)})"


@cache
def _floors() -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], yaml.safe_load((Path(__file__).parent / "floors.yaml").read_text()))


@cache
def outdated() -> str:
    """Regular expression (RE2) of the images of engines that are too old, by their tag."""
    several = [f"({'|'.join(one['names'])}):v?{_below(one['floor'])}" for one in _floors()]
    return f"(^|/)({'|'.join(several)})([^0-9.]|$)"


CONTROL = Control(
    id="SOV-MOD-04",
    title="Every engine is of a version that runs no code of a model",
    severity=Severity.HIGH,
    sources=("CVE-2026-22807", "OWASP LLM03"),
    remedy="Use an image of the engine's fixed version; `controls/models/floors.yaml` has the least ones.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "engines": text([name for one in _floors() for name in one["names"]]),
            "outdated": text(outdated()),
        },
        expression="variables.images.all(i, !variables.engines.exists(n, i.contains(n)) || "
        "!i.matches(variables.outdated))",
        message="an engine is of a version that runs code of a model although that was switched off",
    ),
    cases=(
        *(
            Case(f"{image}", verdict, pod(image=f"registry.example.eu/{image}"))
            for image, verdict in (
                ("vllm/vllm-openai:v0.30.0", Verdict.GOOD),
                ("vllm/vllm-openai:v0.14.0", Verdict.GOOD),
                ("vllm/vllm-openai:v0.14.0rc1", Verdict.GOOD),
                ("vllm/vllm-openai:v0.13.9", Verdict.BAD),
                ("vllm/vllm-openai:v0.11.0" + _DIGEST, Verdict.BAD),
                ("vllm/vllm-openai:0.9", Verdict.BAD),
                ("vllm/vllm-openai:v1.0.0", Verdict.GOOD),
                ("vllm/vllm-openai:v0.100.1", Verdict.GOOD),
                ("vllm/vllm-openai" + _DIGEST, Verdict.GOOD),
                ("vllm-router:0.1.0", Verdict.GOOD),
                ("my-vllm:0.1.0", Verdict.GOOD),
                ("openmmlab/lmdeploy:v0.12.3-cu12", Verdict.BAD),
                ("openmmlab/lmdeploy:v0.13.0-cu12", Verdict.GOOD),
            )
        ),
        Case("a model's own engine", Verdict.BAD, service(image="vllm/vllm-openai:v0.10.2")),
        Case("not known yet", Verdict.UNDECIDED, pod(image=UNKNOWN)),
    ),
)
