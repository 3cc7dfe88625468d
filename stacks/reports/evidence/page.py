"""Evidence as one HTML page to read and to print."""

from collections import Counter
from collections.abc import Iterable, Iterator

from corral.stacks.reports.evidence.facts import (
    Artifact,
    ControlEvidence,
    ControlVerdict,
    Evidence,
    LockedModel,
)
from corral.stacks.reports.html.document import Part, whole
from corral.stacks.reports.html.html import Content, Html, joined, prose, tag, together
from corral.stacks.reports.html.tables import Column, count, facts, second, table

FOOT = (
    "Evidence, made by `corral evidence`. It says what was evaluated and what was not; it is no certificate, "
    "and a reference to a framework says which requirement a control answers to, not that it is met."
)
CONTROLS = (
    Column("control"),
    Column("verdict"),
    Column("title", "wrap"),
    Column("enforced by", "wrap"),
    Column("resources", "wrap"),
    Column("rule"),
)
SIGNS = {
    ControlVerdict.HELD: "holds",
    ControlVerdict.VIOLATED: "fails",
    ControlVerdict.REPORTED: "reported",
    ControlVerdict.EXCEPTED: "reported",
}
"""Class of the sign before a verdict, as the page of the plan has it."""
SHOWN = 12
"""Characters of a digest on the page; all of them are in evidence.json."""


def page(evidence: Evidence, *, signed: bool) -> str:
    """The page."""
    parts = [
        Part("gate", "Gate", _gate(evidence)),
        Part("controls", "Controls", _controls(evidence)),
        Part("exceptions", "Exceptions", _exceptions(evidence)),
        Part("unchecked", "What was not checked", _list(evidence.not_checked)),
        Part("locks", "Charts and images", _artifacts(evidence)),
        Part("models", "Models", _models(evidence.models)),
        Part("frameworks", "Frameworks", _frameworks(evidence)),
    ]
    return whole(f"{evidence.stack}: evidence", _head(evidence, signed=signed), parts, FOOT)


def _head(evidence: Evidence, *, signed: bool) -> Html:
    title = tag("h1", evidence.stack, " ", tag("span", "evidence", class_="quiet"))
    verdicts = Counter(one.verdict for one in evidence.controls)
    counts = ((one.value, tag("b", str(verdicts[one]))) for one in ControlVerdict if verdicts[one])
    return together([title, facts(_where(evidence, signed=signed), "where"), facts(counts, "counts")])


def _where(evidence: Evidence, *, signed: bool) -> Iterator[tuple[str, Content]]:
    yield "profile", evidence.profile
    place = evidence.region if evidence.country is None else f"{evidence.region} ({evidence.country})"
    yield "region", place
    yield "made", f"{evidence.made} by corral {evidence.corral}"
    yield "policy", "not run" if evidence.run is None else f"{evidence.run.run}, {evidence.run.verdict}"
    yield "signature", "statement.dsse.json" if signed else "unsigned"


def _gate(evidence: Evidence) -> Html:
    if evidence.failures:
        verdict = tag("p", tag("span", "fails", class_="verdict fails"))
        return together([verdict, _list(evidence.failures), facts(_run(evidence))])
    verdict = tag("p", tag("span", "holds", class_="verdict holds"))
    return together([verdict, facts(_run(evidence))])


def _run(evidence: Evidence) -> Iterator[tuple[str, Content]]:
    run, state = evidence.run, evidence.state
    yield "profile", evidence.summary
    yield "rules of this evidence", evidence.rules
    yield "rules of the deployment", "policy: not run" if run is None else run.rules
    if run is not None:
        for word, counts in (
            ("reported", run.reported),
            ("excepted", run.excepted),
            ("undecided", run.undecided),
        ):
            yield f"{word} then", ", ".join(f"{key}: {each}" for key, each in counts.items()) or "none"
    pending = f", {count(state.pending, 'operation')} under way" if state.pending else ""
    yield "state", f"{count(state.resources, 'resource')}, written {state.updated}{pending}"
    yield "other findings", _lines(evidence.other_findings) if evidence.other_findings else "none"


def _controls(evidence: Evidence) -> Html:
    caption = (
        "Each control as the pack finds it on the state of the stack, with where it was enforced; its rule "
        "is the SHA-256 of its file."
    )
    return table("Controls", caption, CONTROLS, (_control(one) for one in evidence.controls))


def _control(one: ControlEvidence) -> tuple[Content, ...]:
    return (
        together([one.id, second(f"{one.severity}, {one.level}")]),
        tag("span", one.verdict.value, class_=f"verdict {SIGNS.get(one.verdict, '')}".strip()),
        together([one.title, second(", ".join(one.sources))]),
        _lines(one.enforced) if one.enforced else "-",
        _resources(one),
        _short(one.rule) if one.rule else "-",
    )


def _resources(one: ControlEvidence) -> Html:
    lines = [count(len(one.evaluated), "resource") + " evaluated"]
    for word in ("violated", "undecided", "reported", "excepted"):
        lines += [f"{word}: {_name(urn)}" for urn in getattr(one, word)]
    return _lines(lines)


def _name(urn: str) -> str:
    """Type and name of a resource."""
    _, _, qualified, name = urn.split("::", 3) if urn.count("::") >= 3 else ("", "", "", urn)
    return f"{qualified.rpartition('$')[2]} {name}".strip()


def _exceptions(evidence: Evidence) -> Html:
    if not evidence.exceptions:
        return tag("p", "No control is excepted.")
    columns = (
        Column("control"),
        Column("until"),
        Column("approver", "wrap"),
        Column("reason", "wrap"),
        Column("resources", "wrap"),
    )
    rows = (
        (one.control, str(one.expires), one.approver, one.reason, ", ".join(one.resources) or "everything")
        for one in evidence.exceptions
    )
    return table("Exceptions", "Each ends by itself after its day.", columns, rows)


def _artifacts(evidence: Evidence) -> Html:
    caption = "Digests of all are in evidence.json and sbom.cdx.json."
    columns = (Column("artifact"), Column("version"), Column("reference", "wrap"), Column("digest"))
    rows = [("chart", one) for one in evidence.charts] + [("image", one) for one in evidence.images]
    return table("Charts and images", caption, columns, (_artifact(word, one) for word, one in rows))


def _artifact(word: str, one: Artifact) -> tuple[Content, ...]:
    plain = one.reference.partition("@")[0]
    reference = together([plain, second(one.note)]) if one.note else plain
    return together([one.name, second(word)]), one.version or "-", reference, _short(one.digest)


def _models(models: Iterable[LockedModel]) -> Html:
    columns = (
        Column("model"),
        Column("source", "wrap"),
        Column("revision"),
        Column("licence"),
        Column("weights"),
        Column("files with SHA-256", "number"),
    )
    rows = (
        (
            together([one.name, second(_is(one))]),
            one.source or "-",
            _short(one.revision),
            one.license,
            one.weights,
            len(one.files),
        )
        for one in models
    )
    return table("Models", "Every file is in mlbom.cdx.json.", columns, rows)


def _is(one: LockedModel) -> str:
    return f"adapter of {one.adapter_of}, {one.model}" if one.adapter_of else one.model


def _frameworks(evidence: Evidence) -> Html:
    columns = (Column("framework"), Column("reference"), Column("controls", "wrap"))
    rows = (
        (name, key, ", ".join(ids))
        for name, references in evidence.frameworks.items()
        for key, ids in references.items()
    )
    caption = "Requirements that the controls name as their source: a mapping, no claim of conformity."
    return table("Frameworks", caption, columns, rows)


def _short(digest: str) -> Html:
    kind, _, value = digest.rpartition(":")
    return tag("code", f"{kind}:{value[:SHOWN]}" if kind else value[: 2 * SHOWN], title=digest)


def _lines(content: Iterable[str]) -> Html:
    return joined((tag("span", one, class_="line") for one in content), " ")


def _list(lines: Iterable[str]) -> Html:
    return tag("ul", *(tag("li", prose(one)) for one in lines), class_="plain")
