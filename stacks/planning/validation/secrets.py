"""Section `secrets`: a store that the profile allows, and what its provider needs."""

from collections.abc import Iterator

from corral.catalogue.secret_stores import API_VERSION, KIND, STORE_KINDS, placed
from corral.catalogue.vocabulary import Addon, AddonState, SecretProvider
from corral.controls.evaluate import evaluate_object
from corral.controls.register import control
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import Secrets, StackConfig
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.secrets import stated_of
from corral.stacks.planning.sovereignty import STORES, limits_of

_TAKEN = {
    SecretProvider.VAULT: ("server", "path", "mount", "role"),
    SecretProvider.AWS: ("region",),
    SecretProvider.GCP: ("region", "project"),
}


def check_secrets(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """What is missing or superfluous of a store, and a place outside the profile."""
    section, state = config.secrets, states[Addon.EXTERNAL_SECRETS]
    if section is None:
        return
    if state is AddonState.OFF:
        yield Problem("addons.external-secrets", "off", "section secrets needs it: use managed or existing")
    if config.cluster.capabilities.started_here:
        reason = "`corral init` makes the secrets of this stack, on this machine: leave the section out"
        yield Problem("secrets.store", section.store, reason)
    problems = list(_stated(config, section, existing=state is AddonState.EXISTING))
    yield from problems
    if not problems:
        yield from _within(config, section)


def _stated(config: StackConfig, section: Secrets, *, existing: bool) -> Iterator[Problem]:
    kind, taken = STORE_KINDS[section.provider], _TAKEN[section.provider]
    said = stated_of(section, config.sovereignty.region_name)
    for key in kind.place.values() if existing else kind.needs:
        if key not in said:
            yield Problem(f"secrets.{key}", "missing", f"provider {section.provider.value} needs it")
    for key in said:
        if key not in taken:
            others = ", ".join(one.value for one, keys in _TAKEN.items() if key in keys)
            yield Problem(f"secrets.{key}", said[key], f"of provider {others} alone: leave it out")
    if section.provider is SecretProvider.GCP and set(section.prefix) & set("./"):
        yield Problem("secrets.prefix", section.prefix, "names in Secret Manager are of a-z, 0-9, _ and -")


def _within(config: StackConfig, section: Secrets) -> Iterator[Problem]:
    """The verdict of the control that the pack and admission hold, on the store as it would be."""
    try:
        limits = limits_of(config.sovereignty)
    except ValueError:
        return
    said = stated_of(section, config.sovereignty.region_name)
    store = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": section.store},
        "spec": {"provider": placed(section.provider, said)},
    }
    within = control(STORES)
    key = "server" if section.provider is SecretProvider.VAULT else "region"
    if evaluate_object(within, store, limits):
        remedy = f"outside profile {limits.name} ({STORES}): {within.remedy[0].lower()}{within.remedy[1:]}"
        yield Problem(f"secrets.{key}", said[key], remedy.rstrip("."))
