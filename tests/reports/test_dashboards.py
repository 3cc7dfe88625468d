"""Dashboards of a running platform: what is asked of Prometheus, and what the page shows of its answers."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.reports.browser import DARK, PROGRAM, dump, picture
from tests.reports.pages import parsed

from corral.stacks.reports.dashboards import NoPrometheus, measured, page
from corral.stacks.reports.dashboards.drawing import amount

END = 1_800_000_000.0
START = END - 3600
SERVICE = "/api/v1/namespaces/watch/services/prometheus-operated:http-web/proxy"
HOSTILE = '<img src="https://example.eu/x.png">'


def board(title: str, *panels: dict[str, Any], tags: tuple[str, ...] = ("corral",)) -> dict[str, Any]:
    content = {"uid": title.lower(), "title": title, "tags": tags, "panels": list(panels)}
    return {"metadata": {"namespace": "team"}, "data": {"a.json": json.dumps(content)}}


def panel(title: str, unit: str, **queries: str) -> dict[str, Any]:
    targets = [{"expr": query, "legendFormat": form} for form, query in queries.items()]
    return {"title": title, "targets": targets, "fieldConfig": {"defaults": {"unit": unit}}}


class Cluster:
    """An API server before a Prometheus."""

    def __init__(self, boards: list[dict[str, Any]], answers: dict[str, Any], **spec: str) -> None:
        self.boards, self.answers = boards, answers
        self.prometheuses = [{"metadata": {"namespace": "watch"}, "spec": {"portName": "http-web", **spec}}]
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def read(self, path: str) -> str:
        where = urlsplit(path)
        if where.path.endswith("/prometheuses"):
            return json.dumps({"items": self.prometheuses})
        if where.path.endswith("/configmaps"):
            return json.dumps({"items": self.boards})
        asked = parse_qs(where.query)
        self.asked.append((where.path, asked))
        return json.dumps(self.answers.get(asked["query"][0], answer()))


def answer(*series: tuple[dict[str, str], list[tuple[float, str]]]) -> dict[str, Any]:
    return {
        "status": "success",
        "data": {"result": [{"metric": labels, "values": values} for labels, values in series]},
    }


CLUSTER = Cluster(
    [
        board(
            "Models",
            panel("Waiting", "short", **{"{{pod}} waits": "waiting"}),
            panel("Memory", "bytes", used="memory", free="none"),
        ),
        board("Nodes of others", panel("Load", "short", all="load"), tags=()),
    ],
    {
        "waiting": answer(
            ({"pod": "chat-0"}, [(START + 60 * n, str(n % 5)) for n in range(60)]),
            ({"pod": HOSTILE}, [(START, "1"), (END, "NaN")]),
        ),
        "memory": answer(({}, [(START, "1048576"), (END, "2147483648")])),
    },
)


def drawn_with_everything() -> list[str]:
    """Pages that have, between them, whatever a page of dashboards may have."""
    several = answer(*(({"pod": f"chat-{n}"}, [(START, "1"), (END, "2")]) for n in range(9)))
    boards = [
        board("Many", panel("Load", "short", **{"{{pod}}": "load"}), panel("None", "short", all="none"))
    ]
    return [
        page("dev", measured(one.read, START, END), START, END)
        for one in (CLUSTER, Cluster(boards, {"load": several}))
    ]


@pytest.fixture
def drawn() -> str:
    return page("dev", measured(CLUSTER.read, START, END), START, END)


def test_each_panel_of_our_dashboards_has_the_series_that_its_queries_return():
    (models,) = measured(CLUSTER.read, START, END)
    assert (models.title, models.namespace) == ("Models", "team")
    waiting, memory = models.panels
    assert [one.name for one in waiting.series] == ["chat-0 waits", f"{HOSTILE} waits"]
    assert len(waiting.series[0].points) == 60
    assert waiting.series[1].points == ((START, 1.0),), "a quotient of nothing by nothing is no sample"
    assert memory.silent == ("none",)


def test_prometheus_is_asked_through_the_service_that_its_operator_makes_for_the_time_that_is_drawn():
    cluster = Cluster(CLUSTER.boards, {}, routePrefix="/prometheus/")
    measured(cluster.read, START, END)
    paths = {path for path, _asked in cluster.asked}
    assert paths == {f"{SERVICE}/prometheus/api/v1/query_range"}
    assert {(float(one["start"][0]), float(one["end"][0])) for _path, one in cluster.asked} == {(START, END)}


def test_a_cluster_without_prometheus_names_the_section_that_brings_it():
    cluster = Cluster([], {})
    cluster.prometheuses = []
    with pytest.raises(NoPrometheus, match="section `observability`"):
        measured(cluster.read, START, END)


def test_a_query_that_prometheus_refuses_is_named():
    refused = {"status": "error", "error": "parse error"}
    cluster = Cluster(CLUSTER.boards, {"memory": refused})
    with pytest.raises(ValueError, match="refuses memory: parse error"):
        measured(cluster.read, START, END)


def test_the_page_draws_lines_with_their_names_and_last_values_and_names_silent_queries(drawn: str):
    found = parsed(drawn)
    assert found is not None
    assert "2 of 2 have data" in drawn
    assert drawn.count("<svg") == 2 and 'class="line-0"' in drawn
    assert "2 GiB" in drawn and "nothing for <code>none</code>" in drawn
    assert HOSTILE not in drawn and "https://" not in drawn.replace("https://example.eu/x.png", "")


def test_a_panel_without_any_series_says_so():
    boards = [board("Empty", panel("Load", "short", all="load"))]
    drawn = page("dev", measured(Cluster(boards, {}).read, START, END), START, END)
    assert "no data" in drawn and "<svg" not in drawn and "0 of 1 have data" in drawn


def test_a_line_is_interrupted_where_samples_are_missing():
    values = [(START + 60 * n, "1") for n in (*range(10), *range(30, 40))]
    boards = [board("Gap", panel("Load", "short", all="load"))]
    drawn = page(
        "dev", measured(Cluster(boards, {"load": answer(({}, values))}).read, START, END), START, END
    )
    (line,) = re.findall(r'<path d="([^"]*)" class="line-0"', drawn)
    assert line.count("M") == 2


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "short", "0"),
        (12345.0, "short", "12.3 k"),
        (0.42, "percentunit", "42 %"),
        (1.5, "s", "1.5 s"),
        (0.012, "s", "12 ms"),
        (1536.0, "Bps", "1.5 KiB/s"),
        (7_000_000.0, "s", "7000000 s"),
    ],
)
def test_values_have_their_unit(value: float, unit: str, text: str):
    assert amount(value, unit) == text


@pytest.mark.browser
@pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on PATH: `make browser`")
@pytest.mark.parametrize("options", [(), (DARK,)])
def test_a_browser_draws_the_lines_in_colour_and_has_nothing_to_say(drawn: str, tmp_path, options):
    file = tmp_path / "dashboards.html"
    file.write_text(drawn)
    shot, said = picture(file, 1280, 1200, *options)
    assert said == []
    red, green, blue = (0x93, 0xC0, 0xEA) if options else (0x17, 0x51, 0x8A)
    assert bytes((red, green, blue)) in shot.colours(), "the first line's colour"
    dom, _said = dump(file, 400)
    assert "<svg" in dom
