"""Secrets of a component: held by the program, or read from a store by External Secrets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components._credentials import revision
from corral.components._kit import child
from corral.components.secret_store import REFRESH, SecretStore

_, VERSION = definition(Addon.EXTERNAL_SECRETS)
API_VERSION = f"external-secrets.io/{VERSION}"
READY = {"pulumi.com/waitFor": "condition=Ready"}
"""Of an ExternalSecret: its Secret is there, with what the store has."""
Texts = Callable[[Mapping[str, str]], Mapping[str, str]]
"""Values by name -> content of a Secret."""


def secret_object(
    parent: pulumi.Resource,
    logical: str,
    metadata: Mapping[str, Any],
    *,
    values: Mapping[str, pulumi.Input[str] | None],
    keys: Mapping[str, str],
    store: SecretStore | None,
    texts: Texts = dict,
    type_: str | None = None,
    quoted: bool = False,
    **options: Any,
) -> pulumi.Resource:
    """The Secret of `metadata`, whoever has its values.

    Args:
        values: values by name, an identifier each; what the program has of them.
        keys: key in the store of each value, without the store's prefix.
        store: what has the values in place of the program; None: the program does.
        texts: content of the Secret, given its values or templates of them; `values` by their names when
            omitted.
        quoted: whether `texts` puts values within double quotes.
    """
    if store is None:
        known = pulumi.Output.all(**{name: pulumi.Output.secret(one or "") for name, one in values.items()})
        return kubernetes.core.v1.Secret(
            logical,
            type=type_,
            metadata=cast(Any, metadata),
            string_data=known.apply(lambda every: dict(texts(every))),
            opts=child(parent, **options),
        )
    content = dict(texts({name: _value(name) for name in values}))
    if quoted:
        content = {key: _quoted(text, values) for key, text in content.items()}
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version=API_VERSION,
        kind="ExternalSecret",
        metadata={**metadata, "annotations": READY},
        spec=external_spec(
            store,
            template={
                "data": content,
                "metadata": {key: metadata[key] for key in ("labels", "annotations") if key in metadata},
                **({"type": type_} if type_ else {}),
            },
            data=[{"secretKey": name, "remoteRef": remote(store, keys[name])} for name in values],
        ),
        opts=child(parent, **options),
    )


def _value(name: str) -> str:
    """Template of a value as it is."""
    return f"{{{{ .{name} }}}}"


def _quoted(text: str, names: Iterable[str]) -> str:
    """`text` with its templates within double quotes as ones that quote by themselves."""
    for name in names:
        text = text.replace(f'"{_value(name)}"', f"{{{{ .{name} | toRawJson }}}}")
    return text


def remote(store: SecretStore, key: str) -> dict[str, str]:
    """Where a key of configuration is in the store."""
    stated = {"property": store["property"]} if "property" in store else {}
    return {"key": store.get("prefix", "") + key, **stated}


def external_spec(store: SecretStore, *, template: Mapping[str, Any], **source: Any) -> dict[str, Any]:
    """`spec` of an ExternalSecret that alone owns the Secret of its own name.

    What is gone from the store stays in the cluster: a store that was emptied by mistake stops no platform.
    """
    return {
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": store["name"]},
        "refreshPolicy": "Periodic",
        "refreshInterval": store.get("refresh", REFRESH),
        "target": {
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": {"engineVersion": "v2", **template},
        },
        **source,
    }


def revision_of(store: SecretStore | None, *secrets: pulumi.Input[str]) -> pulumi.Input[str]:
    """What changes where pods must start anew: with the program's secrets, or as the store's entry says."""
    return revision(*secrets) if store is None else store.get("revision", "1")


def either(name: str, args: Mapping[str, Any], *keys: str) -> Iterator[str]:
    """Secrets of `args` that are missing, or stated beside a store that has them, one line each."""
    held = "secret_store" in args
    for key in keys:
        if (key in args) is held:
            reason = (
                "is in 'secret_store': leave one of them out" if held else "is missing; or use 'secret_store'"
            )
            yield f"{name}: {key!r} {reason}"
