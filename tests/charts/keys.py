"""Walking over the keys of chart values, and asking upstream's values.yaml whether it knows them."""

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FREE_FORM = {
    "lws": {("podSecurityContext",)},
    "qdrant": {("config",), ("containerSecurityContext",)},
}
"""Maps with defaults that the chart writes out as they are: any key below them counts."""

SUBCHART_KEYS = {
    "kube-prometheus-stack": {
        ("grafana", "fullnameOverride"),
        ("grafana", "grafana.ini"),
        ("grafana", "podAnnotations"),
    },
}
"""Keys of sub-charts whose own values.yaml is not in the snapshot; named one by one."""

UNLISTED = {
    "gpu-operator": {("dcgmExporter", "imagePullSecrets")},
}
"""Keys that the chart's templates read although its values.yaml leaves them out."""

Path_ = tuple[str, ...]


def leaves(values: Mapping[str, Any], at: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value that is not a non-empty map, with its path."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*at, key))
        else:
            yield (*at, key), value


def changed(values: Mapping[str, Any], path: Path_) -> dict[str, Any]:
    """`values` with another value of the same type at `path`."""
    other = copy.deepcopy(dict(values))
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = _different(inner[path[-1]])
    return other


def _different(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return value[:-1]
        case _:
            raise TypeError(f"no other value for {value!r}")


def unknown(charts: Path, chart: str, values: Mapping[str, Any]) -> list[str]:
    """Dotted paths of `values` that upstream's chart `chart` does not have.

    A key counts as known when values.yaml has it, shows it in a comment, or has an empty map or nothing above
    it (then it is free-form); when the schema has it; or when a sub-chart of that name has it.
    """
    folder = charts / chart
    text = (folder / "values.yaml").read_text()
    known = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    about = yaml.load((folder / "Chart.yaml").read_text(), Loader=yaml.CSafeLoader)
    subcharts = {entry.get("alias", entry["name"]): entry["name"] for entry in about.get("dependencies", [])}
    missing: list[str] = []

    def walk(given: Mapping[str, Any], has: Any, at: Path_) -> None:
        for key, value in given.items():
            path = (*at, key)
            if path in SUBCHART_KEYS.get(chart, ()) or path in UNLISTED.get(chart, ()):
                continue
            if isinstance(has, Mapping) and key in has:
                if isinstance(value, Mapping) and has[key] and path not in FREE_FORM.get(chart, ()):
                    walk(value, has[key], path)
                continue
            if re.search(rf"^\s*#+ *{re.escape(key)}:", text, re.MULTILINE):
                continue
            missing.append(".".join(path))

    for key, value in values.items():
        if key in subcharts and (charts / subcharts[key]).is_dir() and key != chart:
            inner = {
                k: v for k, v in value.items() if not (isinstance(known.get(key), dict) and k in known[key])
            }
            missing += [f"{key}.{name}" for name in unknown(charts, subcharts[key], inner)]
            value = {k: v for k, v in value.items() if k not in inner}
        walk({key: value}, known if value or key in known else {key: None}, ())
    return missing


def defaults(charts: Path, chart: str) -> dict[Path_, Any]:
    """Leaves of upstream's values.yaml."""
    text = (charts / chart / "values.yaml").read_text()
    return dict(leaves(yaml.load(text, Loader=yaml.CSafeLoader)))
