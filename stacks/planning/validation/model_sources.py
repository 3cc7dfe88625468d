"""Section `model-sources`: keys that the kind of source has."""

from collections import Counter
from collections.abc import Iterator

from corral.catalogue.sources import SOURCE_KINDS, scheme_of
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_model_sources(config: StackConfig) -> Iterator[Problem]:
    """Sources that occur twice, or have a key that means nothing for their kind."""
    urls = Counter(one.url.rstrip("/") for one in config.model_sources)
    for index, source in enumerate(config.model_sources):
        path = f"model-sources[{index}]"
        if urls[source.url.rstrip("/")] > 1:
            yield Problem(f"{path}.url", source.url, "another entry has this URL: name one of them")
        scheme = scheme_of(source.url)
        allowed = tuple(SOURCE_KINDS[scheme].settings) if scheme is not None else ()
        for key, value in (("endpoint", source.endpoint), ("region", source.region)):
            if value is not None and key not in allowed:
                word = source.url.partition("://")[0]
                yield Problem(f"{path}.{key}", value, f"a source {word}:// has none: leave it out")
