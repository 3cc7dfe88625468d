"""Evidence from the plan, the exported state, and what the pack says of that state."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from corral.catalogue._read import UNRESOLVED
from corral.controls.adjustments import enforced
from corral.controls.control import Control
from corral.controls.enforcement import demanded, level, stops
from corral.controls.levels import Level
from corral.controls.licences import LICENCES, licence_findings
from corral.controls.profiles import PROFILES
from corral.controls.profiles import Profile as Constraints
from corral.controls.register import CONTROLS
from corral.controls.stamp import PASSED, Stamp, rule_digest, rules_digest
from corral.controls.transit import TRANSIT, transit_findings
from corral.controls.verdicts import Evaluation, Outcome
from corral.controls.workspace import PLUGINS, SECRETS, STATE, Workspace
from corral.controls.workspace import findings as workspace_findings
from corral.stacks.config.model_lock import LockedModel as ModelLock
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.sovereignty import BUDGET, PLANNED, STORES
from corral.stacks.reports.evidence.facts import (
    Artifact,
    ControlEvidence,
    ControlVerdict,
    Evidence,
    ExceptionEvidence,
)
from corral.stacks.reports.evidence.frameworks import frameworks
from corral.stacks.reports.evidence.locks import charts_of, images_of, models_of
from corral.stacks.reports.evidence.state import (
    admission_of,
    encrypts_between_nodes,
    facts_of,
    resources_of,
    stamp_of,
    workspace_of,
)

_WORKSPACE = {
    STATE: ("The state is kept in a place of the profile", "critical"),
    SECRETS: ("Secrets of the stack are encrypted by a key of the profile", "high"),
    PLUGINS: ("Plugins of the engine come from no public host", "high"),
}
_ORDER = (
    (Outcome.VIOLATED, ControlVerdict.VIOLATED),
    (Outcome.UNDECIDED, ControlVerdict.UNDECIDED),
    (Outcome.REPORTED, ControlVerdict.REPORTED),
    (Outcome.EXCEPTED, ControlVerdict.EXCEPTED),
)
"""The gravest first."""
_ALWAYS = (
    "What runs now: this is the engine's state, which says what was deployed; the cluster was not asked.",
    "What was deployed beside this stack, by other tools or by hand.",
    "That the stamp is genuine: whoever may run a deployment can also write it, and a backend of one's own "
    "keeps no record of who did.",
    "Charts, images and models beyond their digests: neither scanned nor opened here.",
    "Controls that the register does not have, and whatever is of people, contracts and premises.",
)


def collect(
    plan: Plan,
    locked: Mapping[str, ModelLock],
    export: Any,
    evaluation: Evaluation,
    workspace: Workspace | None,
    made: str,
) -> Evidence:
    """Evidence of stack `plan`, deployed as the state `export` says.

    `workspace`: where state and secrets are; None: Corral keeps both on this machine.

    Raises:
        NoState: `export` is no state.
    """
    resources = resources_of(export)
    limits = enforced(PROFILES[plan.profile.value], dict(plan.policy.levels))
    stamp, state = stamp_of(resources), facts_of(export)
    absent = {BUDGET: plan.cost.ceiling is None, STORES: plan.secrets is None}
    planned = PLANNED - {identity for identity, lacking in absent.items() if lacking}
    of_controls = _controls(limits, stamp, evaluation, admission_of(resources), planned, bool(resources))
    of_files = _workspace(limits, workspace and workspace_of(workspace, export))
    controls = (*of_controls, *of_files, _licences(plan, limits), _transit(plan, limits, export))
    known = {one.id for one in CONTROLS}
    beside = [one for one in evaluation.findings if one.control not in known]
    charts, images, models = charts_of(plan), images_of(plan), models_of(plan, locked)
    return Evidence(
        stack=plan.stack,
        made=made,
        corral=version("corral"),
        profile=limits.name,
        region=plan.region,
        country=plan.country,
        summary=limits.summary,
        run=stamp,
        rules=rules_digest(),
        state=state,
        controls=tuple(sorted(controls, key=lambda one: one.id)),
        other_findings=tuple(sorted({f"{one.control}: {one.outcome.value}: {one.urn}" for one in beside})),
        exceptions=tuple(
            ExceptionEvidence(one.control, one.reason, one.approver, one.expires, one.resources)
            for one in plan.policy.exceptions
        ),
        charts=charts,
        images=images,
        models=models,
        frameworks=frameworks(CONTROLS),
        not_checked=(
            *_not_checked(plan, controls),
            *(f"{one.control} of {one.urn}" for one in beside if one.outcome is Outcome.UNDECIDED),
            *_unresolved("chart", charts),
            *_unresolved("image", images),
            *_ALWAYS,
            *(f"Profile {limits.name}: {one}" for one in limits.not_proved),
        ),
        failures=tuple(_failures(limits, stamp, controls, evaluation, bool(resources))),
    )


def _controls(
    limits: Constraints,
    stamp: Stamp | None,
    evaluation: Evaluation,
    admission: Mapping[str, tuple[str, ...]],
    planned: frozenset[str],
    deployed: bool,
) -> Iterator[ControlEvidence]:
    urns_of: dict[tuple[str, Outcome], set[str]] = defaultdict(set)
    for one in evaluation.findings:
        urns_of[one.control, one.outcome].add(one.urn)
    for one in CONTROLS:
        urns = {outcome: tuple(sorted(urns_of[one.id, outcome])) for outcome in Outcome}
        evaluated = tuple(sorted(evaluation.evaluated.get(one.id, ())))
        yield ControlEvidence(
            id=one.id,
            title=one.title,
            severity=one.severity.value,
            level=level(one, limits).value,
            verdict=_verdict(one, limits, urns, evaluated, deployed),
            rule=rule_digest(one),
            enforced=("planner",) * (one.id in planned and stops(one, limits))
            + tuple(_enforced(one, limits, stamp, admission)),
            sources=tuple(one.sources),
            evaluated=evaluated,
            violated=urns[Outcome.VIOLATED],
            reported=urns[Outcome.REPORTED],
            excepted=urns[Outcome.EXCEPTED],
            undecided=urns[Outcome.UNDECIDED],
        )


def _verdict(
    control: Control,
    limits: Constraints,
    urns: Mapping[Outcome, tuple[str, ...]],
    evaluated: tuple[str, ...],
    deployed: bool,
) -> ControlVerdict:
    if not demanded(control, limits):
        return ControlVerdict.NOT_DEMANDED
    if not deployed:
        return ControlVerdict.NOT_CHECKED
    for outcome, verdict in _ORDER:
        if urns[outcome]:
            return verdict
    return ControlVerdict.HELD if evaluated else ControlVerdict.NOT_APPLICABLE


def _enforced(
    control: Control, limits: Constraints, stamp: Stamp | None, admission: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    if stamp is not None and demanded(control, limits) and control.id.lower() not in stamp.loosened:
        yield f"CrossGuard: {stamp.run}"
    yield from admission.get(control.id, ())


def _workspace(limits: Constraints, workspace: Workspace | None) -> Iterator[ControlEvidence]:
    findings = () if workspace is None else tuple(workspace_findings(workspace, limits))
    stated = workspace and {
        STATE: workspace.backend,
        SECRETS: workspace.secrets_provider,
        PLUGINS: None,  # where the engine that deployed had them from, no file and no state says
    }
    for identity, (title, severity) in _WORKSPACE.items():
        own = limits.workspace[identity]
        if own is Level.DISABLED:
            verdict = ControlVerdict.NOT_DEMANDED
        elif stated is None:
            verdict = ControlVerdict.NOT_APPLICABLE
        elif stated[identity] is None:
            verdict = ControlVerdict.NOT_CHECKED
        elif any(one.control == identity for one in findings):
            verdict = ControlVerdict.VIOLATED if own is Level.MANDATORY else ControlVerdict.REPORTED
        else:
            verdict = ControlVerdict.HELD
        yield ControlEvidence(
            id=identity,
            title=title,
            severity=severity,
            level=own.value,
            verdict=verdict,
            rule="",
            enforced=() if own is Level.DISABLED else ("corral lint, preview and up",),
            sources=("SOV-3",),
        )


def _licences(plan: Plan, limits: Constraints) -> ControlEvidence:
    own = limits.workspace[LICENCES]
    models = [(one.name, one.model, one.license) for one in plan.models]
    if own is Level.DISABLED:
        verdict = ControlVerdict.NOT_DEMANDED
    elif any(licence_findings(models, limits)):
        verdict = ControlVerdict.VIOLATED if own is Level.MANDATORY else ControlVerdict.REPORTED
    else:
        verdict = ControlVerdict.HELD
    return ControlEvidence(
        id=LICENCES,
        title="Models are under a licence of the open-source list",
        severity="medium",
        level=own.value,
        verdict=verdict,
        rule="",
        enforced=() if own is Level.DISABLED else ("corral lint, preview and up",),
        sources=("SOV-6",),
    )


def _transit(plan: Plan, limits: Constraints, export: Any) -> ControlEvidence:
    """Encryption between pods: declared in the stack file, or seen in the state of a cluster that is made."""
    stated, own = plan.cluster.pod_encryption, limits.workspace[TRANSIT]
    where = "seen in the state" if encrypts_between_nodes(export) else "declared in the stack file, not seen"
    if plan.cluster.capabilities.started_here:
        verdict, places = ControlVerdict.NOT_APPLICABLE, ()
    elif any(transit_findings(stated, limits)):
        verdict = ControlVerdict.VIOLATED if own is Level.MANDATORY else ControlVerdict.REPORTED
        places = ()
    elif own is Level.DISABLED:
        verdict, places = ControlVerdict.NOT_DEMANDED, ()
    else:
        verdict, places = ControlVerdict.HELD, (f"{stated.value if stated else 'nothing'}: {where}",)
    return ControlEvidence(
        id=TRANSIT,
        title="What pods on different machines say to each other is encrypted",
        severity="high",
        level=own.value,
        verdict=verdict,
        rule="",
        enforced=places if own is Level.DISABLED else (*places, "corral lint, preview and up"),
        sources=("DORA RTS 6",),
    )


def _not_checked(plan: Plan, controls: Sequence[ControlEvidence]) -> Iterator[str]:
    for one in controls:
        if one.undecided:
            number = len(one.undecided)
            yield f"{one.id} on {number} resources: a value that decides it is encrypted, or not known"
        if one.verdict is ControlVerdict.NOT_CHECKED:
            yield f"{one.id}: neither files nor state say anything about it"
    if plan.cluster.pod_encryption is not None and not plan.cluster.capabilities.started_here:
        yield f"{TRANSIT}: that traffic is encrypted: no packet was looked at"
    if not plan.admission.enforced:
        yield "Policies at admission: this stack does not enforce them."
    if plan.cluster.capabilities.simulated:
        yield "Nodes and GPUs of this cluster are simulated: nothing here is evidence of real hardware."
    simulated = [one.name for one in plan.models if one.weights.value == "simulated"]
    if simulated:
        yield f"Models with simulated weights, of which nothing is imported: {', '.join(simulated)}"


def _unresolved(word: str, entries: Sequence[Artifact]) -> Iterator[str]:
    for one in entries:
        if one.digest == UNRESOLVED:
            yield f"{word.capitalize()} {one.name}: its digest is unresolved{one.note and f', {one.note}'}"


def _failures(
    limits: Constraints,
    stamp: Stamp | None,
    controls: Sequence[ControlEvidence],
    evaluation: Evaluation,
    deployed: bool,
) -> Iterator[str]:
    if not deployed:
        yield "nothing is deployed: the state has no resources"
    elif stamp is None:
        yield "policy: not run: the last deployment ran without the policy pack"
    else:
        if stamp.verdict != PASSED:
            weaker = f", by {', '.join(stamp.loosened)}" if stamp.loosened else ""
            yield f"the last deployment's verdict is {stamp.verdict}{weaker}"
        if stamp.profile != limits.name:
            yield f"the last deployment was evaluated under profile {stamp.profile}, not {limits.name}"
        if stamp.rules != rules_digest():
            yield "the last deployment was evaluated by other rules than those of this version of corral"
    for one in controls:
        if one.verdict is ControlVerdict.VIOLATED:
            where = f" by {len(one.violated)} resources" if one.violated else ""
            yield f"{one.id} is violated{where}"
    known = {one.id for one in CONTROLS}
    for one in evaluation.findings:
        if one.outcome is Outcome.VIOLATED and one.control not in known:
            yield f"{one.control}: {one.urn}"
