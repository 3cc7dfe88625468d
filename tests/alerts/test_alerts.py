"""Every alert that the platform writes to Prometheus, judged by promtool: when it fires and when not."""

import json
import re
from pathlib import Path

import pytest
from tests.alerts import platform
from tests.alerts.cases import CASES, END
from tests.alerts.programs import needs, run

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
needs_promtool = needs("promtool")
SHOWN = {"model-smollm2", "model-chat", "model-embed", "model-chat-large"}
"""One model for each engine, and one whose prompts other replicas read."""


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    return platform.graphs(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def rules(graphs):
    """Alerting rules by their object's name and their own; of models those of `SHOWN`."""
    found = {
        f"{one.object_name} {rule['alert']}": rule
        for graph in graphs
        for one in graph.of("PrometheusRule")
        for group in one.inputs["spec"]["groups"]
        for rule in group["rules"]
    }
    extra = {key for key in found if key.startswith("model-") and key.split()[0] not in SHOWN}
    return {key: rule for key, rule in found.items() if key not in extra}


def promtool(folder, *arguments):
    return run("promtool", folder, *arguments)


def minutes(duration: str) -> int:
    (count,) = re.fullmatch(r"(\d+)m", duration).groups()
    return int(count)


def written(folder: Path, stem: str, rule, cases) -> str:
    """Name of a file of promtool's with `cases`, each series and whether the one alert fires at their end."""
    query = f'count(ALERTS{{alertname="{rule["alert"]}",alertstate="firing"}})'
    tests = [
        {
            "name": f"{'fires' if fires else 'silent'}: {json.dumps(series)}",
            "interval": "1m",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": query,
                    "eval_time": f"{END}m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for series, fires in cases
    ]
    rules, name = f"{stem}-rules.json", f"{stem}.json"
    (folder / rules).write_text(json.dumps({"groups": [{"name": "one", "rules": [rule]}]}))
    (folder / name).write_text(
        json.dumps({"rule_files": [rules], "evaluation_interval": "1m", "tests": tests})
    )
    return name


def judged(folder, rule, series, fires: bool):
    """Promtool's verdict on whether one alert, or none, fires at the end."""
    return promtool(folder, "test", "rules", written(folder, "one", rule, [(series, fires)]))


@pytest.fixture(scope="module")
def verdicts(rules, tmp_path_factory):
    """What promtool says of each alert under its series, in one run of it for all."""
    folder = tmp_path_factory.mktemp("alerts")
    files = {}
    for number, key in enumerate(sorted(set(CASES) & set(rules))):
        cases = [
            *((one, True) for one in CASES[key].firing),
            *((one, False) for one in CASES[key].silent),
        ]
        files[written(folder, f"alert-{number}", rules[key], cases)] = key
    said = promtool(folder, "test", "rules", *files).stdout
    sections = re.findall(
        r"^Unit Testing: +(\S+)\n(.*?)(?=^Unit Testing:|\Z)", said, re.MULTILINE | re.DOTALL
    )
    return {files[name]: text.strip() for name, text in sections}


def test_every_alert_has_series_that_fire_it_and_series_that_leave_it_silent(rules):
    assert set(CASES) == set(rules)
    assert all(case.firing and case.silent for case in CASES.values())


@pytest.mark.exhaustive
@needs_promtool
@pytest.mark.parametrize("key", CASES)
def test_an_alert_fires_when_something_is_wrong_and_not_a_little_before(verdicts, key):
    assert verdicts[key] == "SUCCESS"


@pytest.mark.exhaustive
@needs_promtool
def test_promtool_tells_a_firing_alert_from_a_silent_one(rules, tmp_path):
    key = "corral-gpus GpuXidError"
    assert judged(tmp_path, rules[key], CASES[key].firing[0], fires=False).returncode != 0
    assert judged(tmp_path, rules[key], CASES[key].silent[0], fires=True).returncode != 0


@pytest.mark.exhaustive
@needs_promtool
def test_every_query_of_a_dashboard_is_one_that_prometheus_reads(graphs, tmp_path):
    queries = sorted(
        {
            target["expr"]
            for graph in graphs
            for one in graph.of("ConfigMap")
            for name, text in one.inputs.get("data", {}).items()
            if one.inputs["metadata"].get("labels", {}).get("grafana_dashboard")
            for panel in json.loads(text)["panels"]
            for target in panel["targets"]
        }
    )
    assert len(queries) > 30
    records = [{"record": f"query:{index}", "expr": query} for index, query in enumerate(queries)]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "all", "rules": records}]}))
    done = promtool(tmp_path, "check", "rules", "rules.json")
    assert done.returncode == 0, done.stdout


def test_every_alert_leads_to_a_section_of_the_page_which_says_the_same_of_it(rules):
    sections = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=\n##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert set(sections) == {rule["alert"] for rule in rules.values()}
    for rule in rules.values():
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        start = f"{rule['labels']['severity']}, after {minutes(rule['for'])} min."
        assert sections[rule["alert"]].startswith(start), rule["alert"]
        assert len(sections[rule["alert"]]) > len(start) + 40, rule["alert"]
