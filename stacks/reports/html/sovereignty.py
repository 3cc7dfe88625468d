"""What the profile demands, what this plan has for it, and the controls that judge the rest."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Profile, Weights
from corral.controls.adjustments import enforced
from corral.controls.control import Control
from corral.controls.enforcement import demanded, stops
from corral.controls.page import places
from corral.controls.profiles import PROFILES
from corral.controls.profiles import Profile as Constraints
from corral.controls.register import CONTROLS
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import Digests, ExceptionPlan
from corral.stacks.reports.html.html import Content, Html, prose, tag, together
from corral.stacks.reports.html.tables import Column, count, second, table
from corral.stacks.reports.scope import covered, left, place_of, scope_lines

DEMANDS = (
    Column("about"),
    Column("the profile demands", "wrap"),
    Column("this plan has", "wrap"),
    Column("verdict"),
)
EXCEPTION = (
    Column("control"),
    Column("title and resources", "wrap"),
    Column("reason", "wrap"),
    Column("approver", "wrap"),
    Column("until"),
)
CONTROL = (
    Column("control"),
    Column("severity"),
    Column("a violation"),
    Column("title and remedy", "wrap"),
    Column("holds in", "wrap"),
    Column("sources", "wrap"),
)


def sovereignty(plan: Plan) -> Html:
    """Demands that the plan itself answers, then the controls, then the digests."""
    name = plan.profile.value
    demands = table("Demands", f"What profile {name} demands of the plan itself.", DEMANDS, _demands(plan))
    caption = (
        f"Controls in profile {name}: {_weights(plan)}. They judge every resource in preview and update, and "
        "objects once more at the API server; this page has judged none."
    )
    controls = table("Controls", caption, CONTROL, (_control(one, plan) for one in CONTROLS))
    return together([demands, controls, exceptions(plan)])


def exceptions(plan: Plan) -> Html:
    """Each control that does not stop what it names, with reason, approver and last day."""
    rows = plan.policy.exceptions
    if not rows:
        return tag("p", "No control is excepted.")
    caption = "Exceptions: what these controls stop elsewhere is reported here, until the day of each."
    return table("Exceptions", caption, EXCEPTION, (_exception(one) for one in rows))


def _exception(one: ExceptionPlan) -> tuple[Content, ...]:
    days = _verdict("is reported") if one.ends_soon else ""
    return (
        one.control,
        together([one.title, second(f"for {covered(one)}")]),
        one.reason,
        one.approver,
        together([str(one.expires), second(left(one)), days]),
    )


def constraints(plan: Plan) -> Constraints:
    """The profile of the plan, with the controls that its stack enforces harder."""
    return enforced(PROFILES[plan.profile.value], dict(plan.policy.levels))


def stopping(plan: Plan) -> int:
    """How many controls stop a deployment under the plan's profile."""
    limits = constraints(plan)
    return sum(1 for one in CONTROLS if stops(one, limits))


def _weights(plan: Plan) -> str:
    stop = stopping(plan)
    limits = constraints(plan)
    rest = sum(1 for one in CONTROLS if demanded(one, limits)) - stop
    return f"{stop} stop{'s' if stop == 1 else ''}, {rest} report{'s' if rest == 1 else ''}"


def _control(control: Control, plan: Plan) -> tuple[Content, ...]:
    limits = constraints(plan)
    hard = stops(control, limits)
    return (
        control.id,
        control.severity.value,
        _verdict("stops" if hard else "is reported" if demanded(control, limits) else "is not demanded"),
        together([control.title, second(prose(control.remedy))]),
        places(control),
        ", ".join(control.sources),
    )


def _verdict(word: str) -> Html:
    return tag("span", word, class_=f"verdict {word.split()[-1]}")


def _demands(plan: Plan) -> Iterator[tuple[Content, ...]]:
    limits, policy = PROFILES[plan.profile.value], plan.policy
    regions = ", ".join(policy.regions) or "any region"
    if plan.country is None:
        yield "region", regions, plan.region, _held(limits.holds(plan.region))
    else:
        countries = "any country" if limits.countries is None else ", ".join(sorted(limits.countries))
        fine = limits.countries is None or plan.country in limits.countries
        yield "country", countries, place_of(plan), _held(fine)
    mirror = plan.supply.registry
    images = f"{count(len(policy.repositories), 'repository', 'repositories')}, "
    yield (
        "images",
        "a mirror" if plan.profile is Profile.AIR_GAPPED else "repositories of the catalogue, or a mirror",
        images + (f"from mirror {mirror}" if mirror else "each from its own registry"),
        _held(mirror is not None or plan.profile is not Profile.AIR_GAPPED),
    )
    yield "digests", "one for every chart and image", digests(plan.digests), _pinned(plan)
    real = [one for one in plan.models if one.weights is Weights.REAL]
    yield (
        "model sources",
        ", ".join(policy.source_schemes),
        ", ".join(one.source for one in real) or "no model with real weights",
        _held(all(one.source.startswith(policy.source_schemes) for one in real)),
    )
    yield (
        "policies at admission",
        "every namespace of the platform, and those that are labelled",
        "; ".join(scope_lines(plan.admission)),
        _held(plan.admission.enforced and not plan.admission.unlabelled),
    )
    simulated = len(plan.models) - len(real)
    yield (
        "weights",
        "real or simulated" if plan.profile is Profile.OPEN else "real",
        f"{len(real)} real" + (f", {simulated} simulated" if simulated else ""),
        _held(not simulated or plan.profile is Profile.OPEN),
    )


def _held(fine: bool) -> Html:
    return _verdict("holds" if fine else "fails")


def _pinned(plan: Plan) -> Html:
    if not plan.digests.unresolved:
        return _verdict("holds")
    return _verdict("fails" if plan.policy.digests_required else "is reported")


def digests(counted: Digests) -> str:
    """How far charts and images are pinned."""
    return f"{counted.resolved} of {counted.resolved + len(counted.unresolved)} resolved"


def pinning(plan: Plan) -> Html:
    """Each chart and image without a digest, and each that can have none."""
    missing, excepted = plan.digests.unresolved, plan.digests.excepted
    parts = [tag("p", f"{digests(plan.digests)}: every chart and image of this plan has one.")]
    if missing:
        advice = f"{digests(plan.digests)}; {len(missing)} unresolved. `corral lock` resolves them."
        names = tag("ul", *(tag("li", name) for name in missing), class_="names", role="list")
        parts = [tag("p", prose(advice)), names]
    for name, reason in excepted:
        parts.append(tag("p", f"Without digest, excepted from SOV-SUP-02: {name}, {reason}."))
    return together(parts)
