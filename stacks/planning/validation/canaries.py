"""Key `canary` of `models[]`: what a part of a model's calls can go to."""

from collections.abc import Iterator

from corral.catalogue.gateway import canary
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ServedModel, StackConfig

LONGEST = 40
"""Characters of a model's name."""


def check_canaries(config: StackConfig) -> Iterator[Problem]:
    """Canaries that nothing leads to, that differ in nothing, or whose name is another model's."""
    models = {one.section.name: one for one in config.served_models if one.canary_of is None}
    for one in config.served_models:
        if one.canary_of is not None:
            yield from _canary(config, one, models)


def _canary(config: StackConfig, one: ServedModel, models: dict[str, ServedModel]) -> Iterator[Problem]:
    stable, name = models[one.canary_of or ""], one.section.name
    if config.gateway is None:
        reason = "the gateway divides the calls: add the section gateway, or take the canary out"
        yield Problem(f"{one.path}.weight", str(one.weight), reason)
    if one.same(stable):
        reason = f"as {stable.section.name} is: state what differs, such as source, model or context"
        yield Problem(one.path, "the same", reason)
    known = [config.known_models.get(each.section.model) for each in (stable, one)]
    tasks = [spec.task.value for spec in known if spec is not None]
    if len(set(tasks)) > 1:
        reason = f"for {tasks[1]}, and {stable.section.name} is for {tasks[0]}: callers expect one of both"
        yield Problem(f"{one.path}.model", one.section.model, reason)
    if name in models:
        yield Problem(f"{models[name].path}.name", name, f"the name of {one.path}: use another")
    if len(name) > LONGEST:
        most = LONGEST - len(canary(""))
        yield Problem(
            f"{stable.path}.name", stable.section.name, f"beside a canary {most} characters at most"
        )
