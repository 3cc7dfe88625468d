"""House rules, by reflection over every component of the published surface."""

import ast
import importlib
import inspect
import itertools
import pkgutil
import sys
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from corral import components
from corral.components._kit import ArgsError, hints_of, token

ROOT = Path(components.__path__[0])


def _modules():
    for found in pkgutil.walk_packages(components.__path__, "corral.components."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _components() -> list[type[pulumi.ComponentResource]]:
    found = {
        value
        for module in _modules()
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, pulumi.ComponentResource)
        and value.__module__.startswith("corral.components.")
    }
    return sorted(found, key=lambda one: one.__name__)


COMPONENTS = _components()
every_component = pytest.mark.parametrize("component", COMPONENTS, ids=lambda one: one.__name__)


def _args_of(component: type) -> type:
    return hints_of(component.__init__)["args"]


def _documented(class_: type) -> set[str]:
    """Names of annotated fields that a string literal follows, in the class and its bases in our code."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(class_))).body[0]
    documented = {
        field.target.id
        for field, after in itertools.pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
    # A TypedDict forgets its bases: their names stand in its source.
    names = [base.id for base in definition.bases if isinstance(base, ast.Name)]
    bases = [getattr(sys.modules[class_.__module__], name) for name in names]
    ours = [base for base in bases if inspect.isclass(base) and base.__module__.startswith("corral.")]
    return documented.union(*(_documented(base) for base in ours))


def test_there_are_components_to_look_at():
    assert len(COMPONENTS) >= 5, [one.__name__ for one in COMPONENTS]


@every_component
def test_a_component_takes_a_name_its_args_and_options(component):
    parameters = list(inspect.signature(component.__init__).parameters.values())
    assert [p.name for p in parameters] == ["self", "name", "args", "opts"]
    assert parameters[3].default is None


@every_component
def test_a_component_s_args_are_a_typed_dict_named_after_it(component):
    args = _args_of(component)
    assert typing.is_typeddict(args), "a packaged component receives a plain dict"
    assert args.__name__ == f"{component.__name__}Args"


@every_component
def test_every_argument_is_documented(component):
    args = _args_of(component)
    assert args.__doc__
    missing = set(hints_of(args)) - _documented(args)
    assert not missing, "field docstrings become the published API's documentation"


@every_component
def test_every_output_is_annotated_and_documented(component):
    outputs = {
        name: hint
        for name, hint in inspect.get_annotations(component).items()
        if typing.get_origin(hint) is pulumi.Output
    }
    assert set(outputs) <= _documented(component)


@every_component
def test_a_component_is_documented_and_its_token_names_it(component):
    assert component.__doc__
    assert token(component) == f"corral:index:{component.__name__}"
    assert "token(type(self))" in inspect.getsource(component.__init__)


@every_component
def test_a_component_that_refuses_has_registered_nothing(component, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda self, t, *_, **__: registered.append(t))
    with pytest.raises(ArgsError, match="unknown key 'nonsense'"):
        component("one", {"nonsense": True})
    assert registered == []


@every_component
def test_nothing_is_refused_once_a_component_is_registered(component):
    body = ast.parse(textwrap.dedent(inspect.getsource(component.__init__))).body[0].body
    texts = [ast.unparse(one) for one in body]
    start = next(index for index, text in enumerate(texts) if text.startswith("super().__init__"))
    assert any("checked(" in text for text in texts[:start])
    assert "ArgsError(" not in inspect.getsource(component)


@every_component
def test_outputs_are_registered_as_the_last_statement(component):
    body = ast.parse(textwrap.dedent(inspect.getsource(component.__init__))).body[0].body
    last = ast.unparse(body[-1])
    assert last.startswith("self.register_outputs("), last
    returns = [node for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Return)]
    assert not returns, "a path that leaves early must register its outputs too"


def beside_the_surface(file: Path) -> Iterator[str]:
    """What a file of the components has that it must not have."""
    text = file.read_text()
    tree = ast.parse(text)
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    if "__future__" in imported:
        yield "schema inference refuses postponed annotations"
    rooms = {name.split(".")[1] for name in imported if name.startswith("corral.")}
    if not rooms <= {"components", "catalogue", "controls"}:
        yield "a component knows nothing of stacks or planes"
    if "pulumi.Config(" in text or "os.environ" in text:
        yield "inputs come through Args alone"
    if any(call.endswith("ResourceOptions.merge") for call in calls(tree)):
        yield "children get nothing from the caller's options"


def test_files_of_components_keep_to_the_surface():
    found = {str(file.relative_to(ROOT)): [*beside_the_surface(file)] for file in sorted(ROOT.rglob("*.py"))}
    assert len(found) > 100
    assert {file: lines for file, lines in found.items() if lines} == {}


def calls(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_helm_is_called_in_one_place():
    helm = [
        f"{file.relative_to(ROOT)}: {call}"
        for file in sorted(ROOT.rglob("*.py"))
        for call in sorted(calls(ast.parse(file.read_text())))
        if call.endswith((".Chart", ".Release"))
    ]
    assert [line.partition(":")[0] for line in helm] == ["_kit.py"], helm
