"""The status of a plane as a document."""

from collections.abc import Iterator, Sequence

from corral.cli import summary
from corral.cli.documents import ModelStatus, PodStatus, ProgramStatus, StatusDocument
from corral.embedded.engine.drift import Difference
from corral.embedded.plane.overview import Overview, PodView
from corral.embedded.plane.plane import all_running
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState, ProgramState
from corral.stacks.planning.results.plan import Plan


def document(
    record: PlaneRecord,
    state: PlaneState,
    overview: Overview | None,
    plan: Plan | None,
    changed: Sequence[Difference] = (),
) -> StatusDocument:
    """What runs on the plane of `record`. `overview`: None where the plane does not run."""
    faults = [state.problem] if state.problem else []
    faults += [*_programs_at_fault(state), *summary.faults(overview, plan, changed)] if overview else []
    return StatusDocument(
        plane=record.name,
        server=record.server,
        supervised=state.supervised,
        fine=not faults and all_running(state),
        programs=tuple(_program(name, entry, state.supervised) for name, entry in state.programs.items()),
        pods=tuple(pod(one) for one in overview.pods) if overview else (),
        models=tuple(models(overview, plan)) if overview and plan else (),
        faults=tuple(faults),
    )


def _programs_at_fault(state: PlaneState) -> Iterator[str]:
    for name, entry in state.programs.items():
        now = summary.phase(entry, state.supervised)
        if now != "running":
            yield f"program {name} is {now}"


def _program(name: str, entry: ProgramState, supervised: bool) -> ProgramStatus:
    process = entry.process if entry.process and entry.process.alive else None
    return ProgramStatus(
        name=name,
        phase=summary.phase(entry, supervised),
        pid=process.pid if process else None,
        memory=process.memory if process else 0,
        restarts=entry.restarts,
        note=entry.note,
    )


def pod(pod: PodView) -> PodStatus:
    """A pod as the document has it."""
    return PodStatus(
        namespace=pod.namespace,
        name=pod.name,
        runs_as=pod.kind,
        state=pod.state,
        model=pod.model,
        devices=pod.devices,
        memory=pod.memory,
        note=pod.note,
    )


def models(overview: Overview, plan: Plan) -> Iterator[ModelStatus]:
    """Every model of the plan with the replicas that are ready."""
    for model in plan.models:
        pods = overview.of_model(model.namespace, model.name)
        yield ModelStatus(
            name=model.name,
            namespace=model.namespace,
            service=model.service,
            ready=sum(pod.state == "ready" for pod in pods),
            minimum=model.replicas_min,
        )
