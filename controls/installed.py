"""What operators' resources have installed or fetched as their pods start, as lines of a shell."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from corral.controls.said import DOCUMENTS

Fields = Mapping[str, Any]
_ENVIRONMENTS = ("runtimeEnvYAML", "runtimeEnv", "runtime_env")
"""Keys of an environment that Ray makes: https://docs.ray.io/en/latest/ray-core/handling-dependencies.html."""
_INSTALLERS: Mapping[str, str] = {"pip": "pip install", "uv": "uv pip install", "conda": "conda install"}
_PACKAGES = "spark.jars.packages"
_CODE = frozenset(
    {
        *("working_dir", "py_modules"),
        *("mainApplicationFile", "jars", "pyFiles", "spark.jars", "spark.submit.pyFiles"),
        "jarURI",
    }
)
"""Keys of code, each a place or several: of Ray, of Spark's operator, of Flink's."""
_ADDRESS = re.compile(r"(?:^|,)\s*(https?://[^\s,]+)")


def installed(value: Any, key: str = "") -> Iterator[str]:
    """Lines for what `value`, at `key`, has brought; nothing for what the image has."""
    if isinstance(value, str):
        yield from _of_text(value, key)
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from installed(item, key)
    elif isinstance(value, Mapping):
        fields = cast(Fields, value)
        if key in _ENVIRONMENTS:
            yield from _of_environment(fields)
        if key == "deps" and (packages := _words(fields.get("packages"))):
            yield f"spark-submit --packages {','.join(packages)}"
        for name, item in fields.items():
            yield from installed(item, name)


def _of_text(value: str, key: str) -> Iterator[str]:
    if key in DOCUMENTS:
        try:
            document = yaml.safe_load(value)
        except yaml.YAMLError:
            return
        if not isinstance(document, str):
            yield from installed(document, key)
    elif key == _PACKAGES and value.strip():
        yield f"spark-submit --packages {value}"
    elif key in _CODE:
        yield from (f"curl {address} | python" for address in _ADDRESS.findall(value))


def _of_environment(fields: Fields) -> Iterator[str]:
    for name, line in _INSTALLERS.items():
        stated: Any = fields.get(name)
        if name == "conda" and isinstance(stated, str) and not stated.endswith((".yml", ".yaml")):
            continue  # An environment that the image has.
        if isinstance(stated, Mapping):
            named = cast(Fields, stated)
            options = _words(named.get(f"{name}_install_options"))
            yield " ".join((line, *options, *_words(named.get("packages") or named.get("dependencies"))))
        elif stated:
            yield " ".join((line, *_words(stated)))


def _words(value: Any) -> list[str]:
    several = cast(list[Any], value) if isinstance(value, list) else [value]
    return [one for one in several if isinstance(one, str)]
