"""What commands print with `--json`: one document each, and their JSON Schema.

`python -m corral.cli.documents --write` refreshes `schema/output.schema.json`; `--check` exits with 1 where
it is stale. Amounts of money are text, so that no digit is lost; sizes are bytes.
"""

import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from corral.catalogue.files import GeneratedFiles
from corral.catalogue.models import Model
from corral.catalogue.vocabulary import Dtype, Engine, Task
from corral.cli.cluster_check import ClusterCheck
from corral.embedded.engine.changes import Change
from corral.stacks.config.errors import Problem
from corral.stacks.planning.results.cost import month
from corral.stacks.planning.results.fit import FitPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.dashboards.measured import MeasuredDashboard
from corral.stacks.reports.exit import ExitRegister

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "schema" / "output.schema.json"


@dataclass(frozen=True)
class SecretCommand:
    """A secret that a stack needs, and the command that sets it."""

    key: str
    command: str


@dataclass(frozen=True)
class PlanDocument:
    """`corral plan --json`: what a stack becomes."""

    plan: Plan
    secrets: tuple[SecretCommand, ...]
    month: Decimal
    """All pools that have a price, at their most nodes, in the currency of the plan."""
    month_at_minimum: Decimal
    """The same at their fewest nodes."""
    cluster_check: ClusterCheck | None = None
    """What the cluster has and lacks; None: that was not asked."""
    kind: Literal["Plan"] = "Plan"
    version: Literal[1] = 1


@dataclass(frozen=True)
class FileFindings:
    """What is wrong in one stack file, and what is worth saying."""

    file: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LintDocument:
    """`corral lint --json`: the problems of stack files."""

    files: tuple[FileFindings, ...]
    problems: int
    kind: Literal["Lint"] = "Lint"
    version: Literal[1] = 1


@dataclass(frozen=True)
class ProgramStatus:
    """One program of a plane."""

    name: str
    phase: str
    pid: int | None
    memory: int
    restarts: int
    note: str


@dataclass(frozen=True)
class PodStatus:
    """One pod of a plane."""

    namespace: str
    name: str
    runs_as: str
    """`process`, `simulated`, `refused` or `pending`; `container` on a cluster that Corral did not start."""
    state: str
    """`ready`, `done`, else what is in the way."""
    model: str | None
    devices: tuple[str, ...]
    memory: int
    note: str


@dataclass(frozen=True)
class ModelStatus:
    """One served model: how many of its replicas are ready."""

    name: str
    namespace: str
    service: str
    ready: int
    minimum: int


@dataclass(frozen=True)
class StatusDocument:
    """`corral status --json`: what runs, and what is not as it should be."""

    plane: str
    """Empty: the cluster is none that Corral started."""
    server: str
    supervised: bool
    fine: bool
    """Whether all is as it should be; the command exits with 1 otherwise."""
    programs: tuple[ProgramStatus, ...]
    pods: tuple[PodStatus, ...]
    models: tuple[ModelStatus, ...]
    """Empty where no stack file is at hand."""
    faults: tuple[str, ...]
    kind: Literal["Status"] = "Status"
    version: Literal[1] = 1


@dataclass(frozen=True)
class ModelEntry:
    """One model of the catalogue."""

    name: str
    task: Task
    engine: Engine
    dtype: Dtype
    weights: int
    context: int
    license: str
    gated: bool
    source: str
    checked: bool
    hub: str | None
    """Repository on Hugging Face; None: not looked up, as are the next two."""
    revision: str | None
    files_gib: float | None


@dataclass(frozen=True)
class ModelsDocument:
    """`corral models --json`: models of the catalogue."""

    models: tuple[ModelEntry, ...]
    kind: Literal["Models"] = "Models"
    version: Literal[1] = 1


@dataclass(frozen=True)
class FitDocument:
    """`corral fit --json`, and `corral models NAME --json`: where a model fits, and at what price."""

    fit: FitPlan
    kind: Literal["Fit"] = "Fit"
    version: Literal[1] = 1


@dataclass(frozen=True)
class ExitDocument:
    """`corral exit --json`: what of a stack is bound to something, and how it is left."""

    register: ExitRegister
    kind: Literal["Exit"] = "Exit"
    version: Literal[1] = 1


@dataclass(frozen=True)
class DiffDocument:
    """`corral diff --json`: what the next `up` would change."""

    stack: str
    changes: tuple[Change, ...]
    kind: Literal["Diff"] = "Diff"
    version: Literal[1] = 1


@dataclass(frozen=True)
class DriftDocument:
    """`corral drift --json`: what was changed by hand since the last update."""

    stack: str
    changes: tuple[Change, ...]
    kind: Literal["Drift"] = "Drift"
    version: Literal[1] = 1


@dataclass(frozen=True)
class DashboardsDocument:
    """`corral dashboards --json`: every dashboard with the series of its panels."""

    stack: str
    start: float
    """Seconds since 1970, as are `end` and the times of points."""
    end: float
    dashboards: tuple[MeasuredDashboard, ...]
    kind: Literal["Dashboards"] = "Dashboards"
    version: Literal[1] = 1


DOCUMENTS = (
    PlanDocument,
    LintDocument,
    StatusDocument,
    ModelsDocument,
    FitDocument,
    ExitDocument,
    DiffDocument,
    DriftDocument,
    DashboardsDocument,
)
Document = (
    PlanDocument
    | LintDocument
    | StatusDocument
    | ModelsDocument
    | FitDocument
    | ExitDocument
    | DiffDocument
    | DriftDocument
    | DashboardsDocument
)


def print_document(document: Document) -> None:
    """Write `document` to standard output."""
    content = TypeAdapter[Any](type(document)).dump_python(document, mode="json")
    print(json.dumps(content, indent=2, ensure_ascii=False))


def plan_document(plan: Plan, cluster_check: ClusterCheck | None = None) -> PlanDocument:
    """The document of `plan`; `cluster_check`: what its cluster was seen to have and to lack."""
    return PlanDocument(
        plan=plan,
        cluster_check=cluster_check,
        secrets=tuple(SecretCommand(*one) for one in plan.secret_commands),
        month=month(plan.cost.hour),
        month_at_minimum=month(plan.cost.hour_at_minimum),
    )


def model_entry(name: str, entry: Model) -> ModelEntry:
    """The line of model `name` of the catalogue."""
    return ModelEntry(
        name=name,
        task=entry.task,
        engine=entry.engine,
        dtype=entry.dtype,
        weights=entry.weights,
        context=entry.context,
        license=entry.license,
        gated=entry.gated,
        source=f"{entry.source.name}, {entry.source.date}",
        checked=entry.source.checked,
        hub=entry.hub,
        revision=entry.revision,
        files_gib=entry.files_gib,
    )


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every document, told apart by its `kind`."""
    adapters = [(one.__name__, "serialization", TypeAdapter[Any](one)) for one in DOCUMENTS]
    _names, content = TypeAdapter.json_schemas(adapters, ref_template="#/$defs/{model}")  # pyright: ignore[reportArgumentType]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What corral prints with --json",
        "oneOf": [{"$ref": f"#/$defs/{one.__name__}"} for one in DOCUMENTS],
        "$defs": content["$defs"],
    }


def rendered() -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


GENERATED = GeneratedFiles("corral.cli.documents", ROOT, {SCHEMA: rendered})

if __name__ == "__main__":
    sys.exit(GENERATED.main(sys.argv[1:]))
