"""Which entry of `model-sources` opens a model's source, and what that entry needs."""

from collections.abc import Sequence

from corral.catalogue.sources import SOURCE_KINDS, scheme_of, secret_key
from corral.stacks.config.stack_config import ModelSource


def source_of(uri: str, sources: Sequence[ModelSource]) -> ModelSource | None:
    """The entry whose `url` is the longest beginning of `uri`; None: there is none."""
    fitting = [one for one in sources if _covers(one.url, uri)]
    return max(fitting, key=lambda one: len(one.url), default=None)


def source_secrets(source: ModelSource) -> tuple[str, ...]:
    """Keys of encrypted configuration that open `source`."""
    scheme = scheme_of(source.url)
    if scheme is None or source.anonymous:
        return ()
    return tuple(secret_key(source.name, part) for part in SOURCE_KINDS[scheme].secrets)


def _covers(url: str, uri: str) -> bool:
    return uri == url or uri.startswith(url if url.endswith("/") else f"{url}/")
