"""From a stack file, or the object inside it, to a StackConfig or to a list of problems."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from corral.catalogue.sources import SECRET
from corral.catalogue.stackyaml import StackLoader
from corral.stacks.config.custom_models import with_folders
from corral.stacks.config.errors import ConfigErrors, Problem, one_of, shown
from corral.stacks.config.gpu_layer import with_recipe
from corral.stacks.config.sections.environment import SITE, TEXT
from corral.stacks.config.stack_config import SECRETS, StackConfig
from corral.stacks.config.values import kebab

KEY = "corral:platform"
NO_SECRETS = ("pull-secret", "time-to-first-token")
"""Keys that have such a word, and name no secret."""
SECRET_WORD = re.compile(
    r"(password|passwd|secret|token|credential|(api|access|encryption|private|secret)[-_]?key)$", re.I
)
CREDENTIALS = re.compile(r"://[^/@\s]+@|[?&](sig|signature|token|x-amz-[a-z-]+)=", re.I)


def read(path: Path) -> StackConfig:
    """The configuration in stack file `path`.

    Raises:
        ConfigErrors: the file cannot be read, or something in it is wrong.
    """
    content = _mapping(path)
    outer = content.get("config")
    settings = cast("dict[str, Any]", outer) if isinstance(outer, dict) else {}
    problems = list(_plain_secrets(settings))
    if KEY not in settings:
        problems.append(Problem("config", f"{KEY} is missing", f"{path.name} needs the object {KEY}"))
    elif _encrypted(settings[KEY]):
        problems.append(
            Problem(f"config.{KEY}", "encrypted", "only secrets are; use pulumi config set --path")
        )
    if problems:
        raise ConfigErrors(problems)
    return parse(settings[KEY], path.parent)


def raw(path: Path) -> object:
    """The object `corral:platform` of stack file `path` as it is written; `read` says whether it is right.

    Raises:
        ConfigErrors: the file cannot be read.
    """
    settings = _mapping(path).get("config")
    return cast("dict[str, Any]", settings).get(KEY) if isinstance(settings, dict) else None


def stack_of(path: Path) -> str:
    """Name of the stack whose file is `path`: `dev` for `Pulumi.dev.yaml`."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def parse(content: object, base: Path = Path()) -> StackConfig:
    """The configuration in `content`, the object `corral:platform`; files that it names are below `base`.

    Raises:
        ConfigErrors: something in it is wrong.
    """
    problems = list(_secrets(content, ""))
    if problems:
        raise ConfigErrors(problems)
    stated = with_recipe(with_folders(content, base), base)
    try:
        return StackConfig.model_validate(stated)
    except ValidationError as error:
        found = [dict(one) for one in error.errors()]
        raise ConfigErrors([_problem(one, stated) for one in found if not _follows(one, found)]) from None


def _unique(loader: Any, node: Any) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _value in node.value:
        if key.tag == MERGE:
            continue
        if not isinstance(key, yaml.ScalarNode):
            reason = "a key that is no text, such as a template that was left in"
            raise yaml.constructor.ConstructorError(None, None, reason, key.start_mark)
        name = loader.construct_object(key)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", key.start_mark)
        seen.add(name)
    loader.flatten_mapping(node)
    return cast("dict[Any, Any]", loader.construct_mapping(node, deep=True))


MERGE = "tag:yaml.org,2002:merge"
UniqueKeys: Any = type("UniqueKeys", (StackLoader,), {})
"""Reads a stack file as Pulumi does, and refuses a key that stands twice in one mapping."""
UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise ConfigErrors([Problem(str(path), reason, "a readable stack file is needed")]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigErrors(
            [Problem(f"{path.name}:{line}", error.problem or "bad YAML", "fix the YAML")]
        ) from None
    except yaml.YAMLError as error:
        reason = "bad YAML"
        if isinstance(error, yaml.reader.ReaderError):
            reason = "a character that YAML does not allow"
        raise ConfigErrors([Problem(path.name, reason, "fix the YAML")]) from None
    except RecursionError:
        raise ConfigErrors([Problem(path.name, "nested too deeply", "fix the YAML")]) from None
    if not isinstance(content, dict):
        raise ConfigErrors([Problem(path.name, "no mapping", "a stack file has the key config")])
    return cast("dict[str, Any]", content)


def _plain_secrets(settings: Mapping[str, Any]) -> Iterator[Problem]:
    namespace = KEY.partition(":")[0]
    own = [key.partition(":")[2] for key in settings if key.partition(":")[0] == namespace]
    for key in (*SECRETS, *(key for key in own if SECRET.fullmatch(key))):
        value = settings.get(f"corral:{key}")
        if value is not None and not _encrypted(value):
            yield plain_secret(key)


def _encrypted(value: object) -> bool:
    return isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"secure"}


def plain_secret(key: str) -> Problem:
    """The problem that secret `corral:<key>` is not encrypted; its value is not in it."""
    use = f"use pulumi config set --secret corral:{key}, or corral init"
    return Problem(f"config.corral:{key}", "in plain text", use)


def _secrets(content: object, path: str) -> Iterator[Problem]:
    """Whatever looks like a secret; its value is never repeated."""
    if isinstance(content, dict):
        for key, value in cast("dict[Any, Any]", content).items():
            inner = f"{path}.{key}" if path else str(key)
            if SECRET_WORD.search(str(key)) and key not in NO_SECRETS:
                where = ", ".join(SECRETS)
                yield Problem(
                    inner, "looks like a secret", f"secrets are encrypted keys of their own: {where}"
                )
            else:
                yield from _secrets(value, inner)
    elif isinstance(content, list):
        for index, value in enumerate(cast("list[Any]", content)):
            yield from _secrets(value, f"{path}[{index}]")
    elif isinstance(content, str) and CREDENTIALS.search(content):
        yield Problem(path, "has credentials in an address", "leave them out; the importer has its own")


def _follows(error: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a list is too short only since what it has is wrong."""
    place = error["loc"]
    return error["type"] == "too_short" and any(
        len(one["loc"]) > len(place) and one["loc"][: len(place)] == place for one in others
    )


def _problem(error: dict[str, Any], content: object) -> Problem:
    location = tuple(part for part in error["loc"] if part not in INTERNAL)
    path = where(location) or KEY
    match error["type"]:
        case "extra_forbidden":
            if path in RENAMED:
                return Problem(path, "renamed", f"use {RENAMED[path]}")
            return Problem(path, "unknown key", one_of(str(location[-1]), _keys(location[:-1])))
        case "invalid_key":
            return Problem(where(location[:-1]) or KEY, f"key {shown(error['input'])}", "use text as a key")
        case "missing":
            return Problem(path, "missing", f"{_meaning(location)}".strip() or "this key is needed")
        case "enum":
            words = re.findall(r"'([^']*)'", str(error["ctx"]["expected"]))
            return Problem(path, shown(error["input"]), one_of(str(error["input"]), words))
        case "string_pattern_mismatch":
            return Problem(
                path, shown(error["input"]), "use 1 to 40 of a-z, 0-9 and '-', beginning with a letter"
            )
        case "model_type" | "dict_type" | "model_attributes_type":
            keys = _keys(location)
            return Problem(
                path, shown(error["input"]), "use a mapping" + (f" of {', '.join(keys)}" * bool(keys))
            )
        case "union_tag_invalid":
            kind = cast("dict[str, Any]", error["input"])["kind"]
            words = re.findall(r"'([^']*)'", str(error["ctx"]["expected_tags"]))
            return Problem(f"{path}.kind", shown(kind), one_of(shown(kind), words))
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return Problem(path, shown(error["input"]), _bound(error["ctx"]))
        case "too_short" | "too_long":
            least, most = (error["ctx"].get(key) for key in ("min_length", "max_length"))
            return Problem(
                path, shown(error["input"]), f"use {most} at most" if most else f"use {least} or more"
            )
        case kind if kind in PLAIN:
            return Problem(path, shown(error["input"]), PLAIN[kind])
        case _:
            text = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "use")
            return Problem(path, shown(error["input"]), text[:1].lower() + text[1:])


INTERNAL = ("[key]", TEXT, SITE)
"""Parts of pydantic's locations that are no keys of the file."""
RENAMED = {"parts": "addons"}
"""Keys of earlier versions, by path, with the word that took their place."""
PLAIN = {
    "bool_type": "use true or false",
    "bool_parsing": "use true or false",
    "finite_number": "use a number",
    "float_parsing": "use a number, without quotes",
    "float_type": "use a number, without quotes",
    "int_from_float": "use a whole number",
    "int_parsing": "use a whole number, without quotes",
    "int_parsing_size": "use a whole number of fewer digits",
    "int_type": "use a whole number, without quotes",
    "list_type": "use a list",
    "string_type": "use text, in quotes where YAML reads something else",
    "tuple_type": "use a list",
    "union_tag_not_found": "the key kind is needed: use one of gqa, mla, sliding, hybrid, recurrent, encoder",
}
"""What a value of another type is answered with, by pydantic's word for the error."""


def _bound(limits: Mapping[str, Any]) -> str:
    words = {
        "ge": "use {} or more",
        "gt": "use more than {}",
        "le": "use {} at most",
        "lt": "use less than {}",
    }
    return next(words[key].format(value) for key, value in limits.items() if key in words)


def where(location: tuple[str | int, ...]) -> str:
    """`gpu-pools[0].gpu` for `("gpu-pools", 0, "gpu")`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def _section(location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that describes the mapping at `location`."""
    model: type[BaseModel] | None = StackConfig
    named = False
    for part in location:
        if isinstance(part, int) or model is None or named:
            named = False
            continue
        field = next((f for n, f in model.model_fields.items() if kebab(n) == part), None)
        model = _model_in(field.annotation) if field else None
        named = field is not None and get_origin(field.annotation) is dict
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)


def _keys(location: tuple[str | int, ...]) -> list[str]:
    section = _section(location)
    return [kebab(name) for name in section.model_fields] if section else []


def _meaning(location: tuple[str | int, ...]) -> str:
    section = _section(location[:-1])
    return f"this key of {where(location[:-1]) or KEY} is needed" if section else ""
