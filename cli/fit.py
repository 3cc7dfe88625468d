"""`corral models` and `corral fit`: what the catalogue has, and where a model fits, without a stack file."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

from corral.catalogue.gpus import gpus
from corral.catalogue.models import Model, ModelSpec, models
from corral.catalogue.prices import priced_regions
from corral.catalogue.vocabulary import Dtype, Engine, Purchase
from corral.cli.console import results
from corral.cli.documents import FitDocument, ModelsDocument, model_entry, print_document
from corral.cli.errors import UsageError
from corral.cli.model_source import NamedModel, named_model
from corral.stacks.config.errors import one_of
from corral.stacks.planning.fit import fit as fit_of
from corral.stacks.planning.fit import spec_plan, with_dtype
from corral.stacks.planning.results.fit import FitPlan
from corral.stacks.reports.terminal.fit import render_fit, render_models


def show(arguments: argparse.Namespace) -> int:
    """List the catalogue's models, those that match every word, or the one that is named."""
    words: Sequence[str] = arguments.words
    if len(words) == 1 and words[0] in models():
        _print(_fitted(named_model(words[0]), arguments), arguments.json)
        return 0
    matching = _matching(words)
    if not matching:
        query = " ".join(words)
        raise UsageError(f"no model of the catalogue matches {query}: {_near(words)}")
    if arguments.json:
        print_document(ModelsDocument(models=tuple(model_entry(key, one) for key, one in matching.items())))
    else:
        render_models(matching, results())
    return 0


def fit(arguments: argparse.Namespace) -> int:
    _print(_fitted(named_model(arguments.model), arguments), arguments.json)
    return 0


def _matching(words: Sequence[str]) -> Mapping[str, Model]:
    """Models of which each word is a part of name, task, licence or dtype."""
    return {
        key: one
        for key, one in models().items()
        if all(
            any(word.lower() in text for text in (key, one.task.value, one.license.lower(), one.dtype.value))
            for word in words
        )
    }


def _near(words: Sequence[str]) -> str:
    hint, _, _all = one_of("-".join(words).lower(), models()).partition("use one of")
    return f"{hint}`corral models` lists all"


def _fitted(model: NamedModel, arguments: argparse.Namespace) -> FitPlan:
    name, spec, read = model.name, model.spec, model.provenance
    if arguments.dtype is not None:
        words = [one.value for one in Dtype]
        if arguments.dtype not in words:
            raise UsageError(f"--dtype {arguments.dtype}: {one_of(arguments.dtype, words)}")
        try:
            name, spec = with_dtype(name, spec, Dtype(arguments.dtype))
        except ValueError as error:
            raise UsageError(f"--dtype {arguments.dtype}: {error}") from None
        if spec is not model.spec and name == model.name:
            read = replace(read, origin=f"{read.origin}; weights computed for {spec.dtype.value}")
    spec = _served_by(name, spec, arguments.engine)
    if arguments.context is not None and arguments.context > spec.context:
        raise UsageError(f"--context {arguments.context}: {name} has at most {spec.context} tokens")
    if spec.engine is Engine.TEXT_EMBEDDINGS and arguments.context not in (None, spec.context):
        reason = f"text-embeddings takes the {spec.context} tokens of {name}, no others"
        raise UsageError(f"--context {arguments.context}: {reason}")
    unknown = [key for key in arguments.gpu if key not in gpus()]
    if unknown:
        raise UsageError(f"--gpu {unknown[0]}: {one_of(unknown[0], gpus())}")
    if arguments.region is not None and arguments.region not in priced_regions():
        raise UsageError(f"--region {arguments.region}: {one_of(arguments.region, priced_regions())}")
    return fit_of(
        spec_plan(name, spec, read),
        spec,
        context=arguments.context,
        max_num_seqs=arguments.max_num_seqs,
        only=arguments.gpu,
        region=arguments.region,
        purchase=Purchase(arguments.purchase),
    )


def _served_by(name: str, spec: ModelSpec, word: str | None) -> ModelSpec:
    able = [one.value for one in spec.engines]
    if word is not None and word not in able:
        what = f"{name} is {spec.dtype.value} for {spec.task.value}"
        raise UsageError(f"--engine {word}: {what}: {one_of(word, able)}")
    return spec if word is None else spec.model_copy(update={"engine": Engine(word)})


def _print(plan: FitPlan, machine: bool) -> None:
    if machine:
        print_document(FitDocument(fit=plan))
    else:
        render_fit(plan, results())
