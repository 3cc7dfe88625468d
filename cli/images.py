"""`corral images`: every image and chart that a stack needs, for a mirror or for an audit."""

import argparse

from corral.catalogue.images import mirrored
from corral.embedded.engine import project
from corral.stacks.config.loader import read
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.defaults import model_requests, namespaces
from corral.stacks.planning.digests import charts_used, images_used


def images(arguments: argparse.Namespace) -> int:
    """A reference per line; with `--mirror` two, where from and where to, as copying tools take them."""
    config = read(project.stack_file(project.find(), arguments.stack))
    for source, target in sorted(references(config, arguments.mirror).items()):
        print(source if arguments.mirror is None else f"{source} {target}")
    return 0


def references(config: StackConfig, mirror: str | None = None) -> dict[str, str]:
    """Every reference -> its place in `mirror`; a chart's is a folder below that of `corral:charts`."""
    requests = model_requests(config.models, config.known_models, namespaces(config.tenants))
    found = {entry.reference: f"corral:charts/{entry.name}" for entry in charts_used(config)}
    for entry in images_used(config, {one.engine for one in requests}):
        if entry.name == "tools" and config.images.tools is not None:
            found[config.images.tools] = config.images.tools
        else:
            plain = mirrored(entry.repository, mirror)
            found[entry.reference()] = f"{plain}:{entry.tag}"
    return found
