"""The platform whose dashboards and alerts are tested."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, content, write_kubeconfig

from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan


def graphs(home: Path) -> list[Graph]:
    """The dev platform on an existing cluster with all that is watched, once with each vector database."""
    with pytest.MonkeyPatch.context() as patch:
        unexamined(patch)
        write_kubeconfig(home / "kubeconfig", "https://127.0.0.1:16443")
        patch.setenv("KUBECONFIG", str(home / "kubeconfig"))
        return [_with_database("qdrant"), _with_database("pgvector")]


FURTHER = {
    "chat": {"time-to-first-token": 1},
    "embed": {"engine": "text-embeddings"},
    "chat-large": {"kind": "LLMInferenceService", "prefill": {}},
}
"""Keys of models that give them more to watch, or another engine."""


def _with_database(engine: str) -> Graph:
    dev: dict[str, Any] = content()
    scaled, *others = dev["models"]
    stack: dict[str, Any] = {
        **dev,
        "cluster": {"kind": "existing"},
        "fair-sharing": {},
        "gateway": {"host": "models.example.eu"},
        "models": [
            {**scaled, "scaling": {"max": 2}},
            *({**one, **FURTHER.get(one["name"], {})} for one in others),
        ],
        "vector-db": {"engine": engine},
    }

    def program() -> None:
        for name, value in Platform(plan(parse(stack), "dev")).outputs.items():
            pulumi.export(name, value)

    return build(program, secret_config=SECRETS, stack="dev")
