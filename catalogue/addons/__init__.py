"""Addon descriptors, `<addon>.yaml` each: everything that is known of an addon before it is installed."""

from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter

from corral.catalogue._read import FOLDER, Entry, Source, read_file
from corral.catalogue.vocabulary import Addon, AddonState, Engine, VectorEngine


class ChartRow(Entry):
    """One Helm chart of an addon."""

    source: str
    version: str
    app_version: str
    reason: str
    """Why it is a Helm release, which runs hooks, and not objects that policies see."""
    hooks: str
    kubernetes: str | None = None
    gpu_driver: int | None = None
    engine: VectorEngine | None = None
    """Installed for this engine alone."""
    pods: tuple[str, ...] = ()
    """Values below which it takes `nodeSelector` and `tolerations` of pods that need no GPU node; empty text:
    its own top."""


class ImageRow(Entry):
    """One container image of an addon."""

    repository: str
    tag: str
    brought_by: str | None = None
    """The chart that brings it; None: the program names it itself."""
    unresolvable: str | None = None
    """Why it is named by its tag: no registry can give a digest for it, or nothing takes one."""
    states: tuple[AddonState, ...] = (AddonState.MANAGED,)
    """States of the addon in which the program names it itself."""
    engine: VectorEngine | None = None
    """Runs for this engine of the vector database alone."""
    serves: Engine | None = None
    """Runs where a model of this engine does."""
    prefill: bool = False
    """Runs where prompts of a model are read apart, alone."""


class Secret(Entry):
    """A key of encrypted configuration, in the namespace `corral`."""

    key: str
    bytes: int
    """Random bytes of a new one."""
    states: tuple[AddonState, ...] = (AddonState.MANAGED,)
    """States of the addon in which it is needed."""
    engine: VectorEngine | None = None
    """Needed for this engine alone."""


class Definition(Entry):
    """The custom resource definition whose presence shows an existing addon."""

    name: str
    version: str


class Descriptor(Entry):
    """One addon."""

    namespace: str = ""
    """Where its pods run, or where Helm notes its release; empty: neither."""
    further_namespaces: tuple[str, ...] = ()
    """Others that its components make."""
    requires: tuple[Addon, ...] = ()
    """Addons that must not be off while this one is not; all are among `after`."""
    after: tuple[Addon, ...] = ()
    """Addons that its own objects wait for, where the stack has them."""
    on_demand: bool = False
    """Whether its tools are brought only for stacks that have it managed."""
    section: str | None = None
    """Section of the stack file without which it is off, such as `gateway` or `models[].scaling`."""
    definition: Definition | None = None
    aicr: tuple[str, ...] = ()
    """Components of NVIDIA AICR that install it, by their names in its recipes."""
    ports: Mapping[str, int] = {}
    """Ports that clients use, by their purpose."""
    secrets: tuple[Secret, ...] = ()
    tools: Mapping[str, str] = {}
    """Toolchain recipes that run it without a cloud, by the chart or image of their version."""
    substitutes: Mapping[str, str] = {}
    """Recipes of another version than the image that they stand for: no package carries that one."""
    source: Source | None = None
    charts: Mapping[str, ChartRow] = {}
    further_charts: tuple[str, ...] = ()
    """Charts of other addons that it installs once more, with values of its own."""
    images: Mapping[str, ImageRow] = {}


KUBERNETES_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


@cache
def descriptors() -> Mapping[Addon, Descriptor]:
    """Descriptors of all addons, in an order of installation: each behind those that it waits for."""
    known = {one: read_file(FOLDER / "addons" / f"{one.value}.yaml", Descriptor) for one in Addon}
    order = TopologicalSorter({addon: one.after for addon, one in known.items()}).static_order()
    return {addon: known[addon] for addon in order}


def descriptor(addon: Addon) -> Descriptor:
    """The descriptor of `addon`."""
    return descriptors()[addon]


def definition(addon: Addon) -> tuple[str, str]:
    """Name and version of the resource definition that shows an existing `addon`.

    Raises:
        KeyError: it has none.
    """
    entry = descriptor(addon).definition
    if entry is None:
        raise KeyError(f"addon {addon.value} has no definition")
    return entry.name, entry.version


@cache
def config_secrets() -> Mapping[str, Secret]:
    """Secrets of all addons by key, in the order of installation."""
    return {secret.key: secret for one in descriptors().values() for secret in one.secrets}


@cache
def tools_on_demand() -> Mapping[str, Addon]:
    """The addon of each toolchain recipe that only stacks with this addon managed need."""
    return {
        tool: addon
        for addon, one in descriptors().items()
        if one.on_demand
        for tool in (*one.tools, *one.substitutes)
    }


@cache
def reserved_namespaces() -> frozenset[str]:
    """Namespaces of Kubernetes and of the addons, which no tenant may have."""
    own = {name for one in descriptors().values() for name in (one.namespace, *one.further_namespaces)}
    return frozenset(KUBERNETES_NAMESPACES) | own - {""}
