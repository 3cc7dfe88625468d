"""`corral lock`: look up the digest of every chart and image, and keep what was found."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from corral.catalogue.charts import OCI, ChartEntry, charts
from corral.catalogue.digests import FILE, Locked, digests, load
from corral.catalogue.files import replace
from corral.catalogue.images import images, mirrored
from corral.catalogue.registry import Unresolved, client, resolve

AT_ONCE = 8
HEADER = """\
# Written by `corral lock`: digests by reference, each with the date on which its registry gave it.
# What is not here is `unresolved`; every profile but `open` refuses it.
"""


@dataclass(frozen=True)
class Answer:
    """What a registry said about one reference."""

    reference: str
    digest: str | None
    reason: str = ""
    """Why there is no digest."""


def references(mirror: str | None = None) -> dict[str, str]:
    """Reference of every chart and resolvable image -> its place, in `mirror` when that is named."""
    listed = dict(_chart(entry, mirror) for entry in charts().values())
    return listed | {
        entry.pinned: f"{mirrored(entry.repository, mirror)}:{entry.tag}"
        for entry in images().values()
        if not entry.unresolvable
    }


def _chart(entry: ChartEntry, mirror: str | None) -> tuple[str, str]:
    """A chart copied from one OCI registry to another keeps its digest; any other has the mirror's."""
    place = entry.through(mirror).reference
    return (entry.reference if entry.source.startswith(OCI) else place), place


def look_up(requested: Mapping[str, str], http: httpx.Client, insecure: Collection[str]) -> list[Answer]:
    """One answer per reference, in order; `wanted` maps each to where it is asked for."""

    def one(item: tuple[str, str]) -> Answer:
        reference, place = item
        if place.startswith("localhost/"):
            return Answer(reference, None, "built here: push it, and give the registry as mirror")
        try:
            return Answer(reference, resolve(place, http, insecure))
        except Unresolved as error:
            return Answer(reference, None, str(error))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, requested.items()))


def merge(
    known: Mapping[str, Locked],
    answers: Iterable[Answer],
    today: datetime.date,
    kept: Collection[str] = (),
) -> dict[str, Locked]:
    """Digests after `answers`: new ones dated `today`, the same ones with their date, silence keeps old.

    References in `kept` stay when nothing asked for them.
    """
    result = {reference: one for reference, one in known.items() if reference in kept}
    for answer in answers:
        old = known.get(answer.reference)
        if answer.digest is not None and (old is None or old.digest != answer.digest):
            result[answer.reference] = Locked(digest=answer.digest, date=today)
        elif old is not None:
            result[answer.reference] = old
    return result


def text(locked: Mapping[str, Locked]) -> str:
    """The file `digests.yaml`."""
    if not locked:
        return f"{HEADER}digests: {{}}\n"
    lines = (f"  {name}: {{digest: {one.digest}, date: {one.date}}}" for name, one in sorted(locked.items()))
    return "\n".join((f"{HEADER}digests:", *lines, ""))


def main(
    *,
    check: bool = False,
    insecure: Collection[str] = (),
    mirror: str | None = None,
    file: Path = FILE,
    requested: Mapping[str, str] | None = None,
) -> int:
    """Resolve, print one line per reference that has no digest, and write `file`; with `check` write nothing.

    Returns 0 when everything is resolved (with `check`: and the file says the same), else 1.
    """
    with client() as http:
        answers = look_up(references(mirror) if requested is None else requested, http, insecure)
    known = load(file)
    upstream = references() if requested is None else ()
    merged = merge(known, answers, datetime.datetime.now(datetime.UTC).date(), kept=upstream)
    for answer in answers:
        if answer.digest is None:
            kept = ", the digest known before stays" if answer.reference in merged else ""
            print(f"{answer.reference}: unresolved: {answer.reason}{kept}")
        elif answer.reference in known and known[answer.reference].digest != answer.digest:
            print(f"{answer.reference}: changed, was {known[answer.reference].digest}")
    missing = sum(answer.reference not in merged for answer in answers)
    print(f"{len(answers) - missing} of {len(answers)} digests resolved")
    stale = file.read_text(encoding="utf-8") != text(merged) if file.exists() else True
    if not check and stale:
        replace(file, text(merged))
        digests.cache_clear()
    return 1 if missing or (check and stale) else 0
