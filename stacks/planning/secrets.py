"""Where the secrets of a stack come from: its encrypted configuration, or a store outside."""

from collections.abc import Sequence

from corral.catalogue.addons import descriptor
from corral.catalogue.gateway import keys_secret
from corral.catalogue.secret_keys import REGISTRY_AUTH
from corral.catalogue.secret_stores import STORE_KINDS
from corral.catalogue.vocabulary import Addon, AddonState, SecretProvider, StorageKind
from corral.stacks.config.stack_config import Secrets
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.results.gateway import GatewayPlan
from corral.stacks.planning.results.secrets import SecretsPlan


def held_here(section: Secrets | None, states: AddonStates, models: StorageKind, key: str) -> bool:
    """Whether the stack's encrypted configuration has `key`, and not the store; `models`: where these are.

    Those of a store of models that the stack makes stay there: others follow from them, and what was written
    under one encryption key can be read under no other. So do the mirror's where the stack installs the
    operator, whose image must be pulled first.
    """
    if section is None:
        return True
    if key in {one.key for one in descriptor(Addon.MODEL_STORAGE).secrets}:
        return models is not StorageKind.EXISTING
    return key == REGISTRY_AUTH and states[Addon.EXTERNAL_SECRETS] is not AddonState.EXISTING


def stated_of(section: Secrets, region: str) -> dict[str, str]:
    """What is stated of the provider, with the region of the stack where the store's is not."""
    keys = ("server", "path", "mount", "role", "project", "region")
    said = {key: str(value) for key in keys if (value := getattr(section, key)) is not None}
    if section.provider is not SecretProvider.VAULT:
        said.setdefault("region", region)
    return said


def secrets_plan(
    section: Secrets | None, region: str, keys: Sequence[str], gateway: GatewayPlan | None
) -> SecretsPlan | None:
    """The store, which has `keys` and those of the gateway's callers; None: there is none."""
    if section is None:
        return None
    callers = [keys_secret(one.tenant) for one in gateway.tenants if one.tokens is None] if gateway else []
    return SecretsPlan(
        store=section.store,
        provider=section.provider,
        stated=stated_of(section, region),
        prefix=section.prefix,
        text_field=STORE_KINDS[section.provider].property,
        refresh=section.refresh,
        revision=section.revision,
        keys=(*keys, *callers),
    )
