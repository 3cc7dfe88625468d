"""What is generated from the components: each example runs, and no page, stub or schema is stale."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from enum import Enum
from pathlib import Path
from typing import get_args, is_typeddict

import pytest

import corral
from corral.components import reference
from corral.components._args import hints_of
from corral.components.surface import args_of, components, exports

ROOT = Path(__file__).parents[2]
PAGES = reference.GENERATED.texts
WORDS = re.compile(r"^    (\w+)Word = \(?\s*(\w+)\s*\| Literal\[([^]]*)\]", re.MULTILINE)


def test_every_component_has_an_example_that_creates_something():
    for component in components():
        text = PAGES[reference.DOCS / "components" / f"{reference.stem(component)}.md"].__call__()
        makes_nothing = "makes nothing itself" in inspect.getdoc(component)
        assert ("| resource | logical name |" in text) is not makes_nothing, component.__name__


def test_a_page_names_what_must_be_there():
    text = (ROOT / "docs" / "components" / "vector_database.md").read_text()
    assert "`certificates.cert-manager.io` (v1), of addon `cert-manager`" in text
    assert "`vectors-needs-prometheus-crds`" in text


def test_every_component_and_every_type_of_its_arguments_is_at_the_top():
    for name in ("VectorDatabase", "ExistingGpuNodePool", "Model", "Supply", "Store", "VectorEngine"):
        assert getattr(corral, name).__name__ == name
    assert set(exports()) <= set(dir(corral))
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        corral.Nonsense  # noqa: B018


def test_the_top_loads_no_cloud_until_one_is_named(tmp_path):
    program = (
        "import sys, corral; assert not [one for one in sys.modules if one.startswith('pulumi')];"
        "from corral import CertManager;"
        "assert not {'pulumi_aws', 'pulumi_gcp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pulumi_aws", None)
    for name in list(sys.modules):
        if name.startswith("corral.components.gpu_node_pool.eks"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(corral), "EksGpuNodePool", raising=False)
    with pytest.raises(
        ImportError, match=r"corral.EksGpuNodePool needs pulumi_aws: pip install 'corral\[aws\]'"
    ):
        corral.EksGpuNodePool  # noqa: B018


def _enums(hint):
    if isinstance(hint, type) and issubclass(hint, Enum):
        yield hint
    if is_typeddict(hint):
        for inner in hints_of(hint).values():
            yield from _enums(inner)
    for inner in get_args(hint):
        yield from _enums(inner)


def test_editors_accept_the_word_of_each_enumeration_in_arguments():
    stated = {}
    for file in (ROOT / "components").rglob("*.py"):
        for alias, enum, words in WORDS.findall(file.read_text()):
            assert alias == enum
            stated[enum] = ast.literal_eval(f"[{textwrap.dedent(words)}]")
    used = {enum for one in components() for hint in hints_of(args_of(one)).values() for enum in _enums(hint)}
    assert used and {enum.__name__: [one.value for one in enum] for enum in used} == stated


def test_arguments_name_the_alias_and_not_the_enumeration():
    for component in components():
        shapes = [args_of(component), *reference._nested(args_of(component))]
        for shape in shapes:
            (definition,) = ast.parse(inspect.getsource(shape)).body
            for field in definition.body:
                if isinstance(field, ast.AnnAssign):
                    plain = re.sub(r"\w+Word", "", ast.unparse(field.annotation))
                    enums = {enum.__name__ for enum in _enums(hints_of(shape)[field.target.id])}
                    assert not enums & set(re.findall(r"\w+", plain)), f"{shape.__name__}.{field.target.id}"
