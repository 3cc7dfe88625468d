"""`corral images`: every image and chart that a stack needs, for a mirror or for an audit."""

import argparse

from corral.catalogue.images import mirrored
from corral.embedded.engine import project
from corral.stacks.config.loader import read
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.addons import addon_states
from corral.stacks.planning.defaults import model_requests, namespaces
from corral.stacks.planning.digests import TOOLS, Artifacts, artifacts


def images(arguments: argparse.Namespace) -> int:
    """A reference per line; with `--mirror` two, where from and where to, as copying tools take them."""
    config = read(project.stack_file(project.find(), arguments.stack))
    for source, target in sorted(references(config, arguments.mirror).items()):
        print(source if arguments.mirror is None else f"{source} {target}")
    return 0


def used_by(config: StackConfig) -> Artifacts:
    """Charts and images of a stack, each from where it is published."""
    requests = model_requests(config.served_models, config.known_models, namespaces(config.tenants))
    states = addon_states(config.addons, config.sections, config.model_storage.kind)
    vectors = config.vector_db and config.vector_db.engine
    apart = any(one.prefill is not None for one in config.models)
    return artifacts(states, vectors, {one.engine for one in requests}, None, prefill=apart)


def references(config: StackConfig, mirror: str | None = None) -> dict[str, str]:
    """Every reference -> its place in `mirror`."""
    used = used_by(config)
    places = {entry.reference: entry.through(mirror).reference for entry in used.charts}
    for entry in used.images:
        if entry.name == TOOLS and config.images.tools is not None:
            places[config.images.tools] = config.images.tools
        else:
            plain = mirrored(entry.repository, mirror)
            places[entry.reference()] = f"{plain}:{entry.tag}"
    return places
