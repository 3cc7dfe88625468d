"""What types cannot say about a stack file: names, references, the profile's rules, required addons."""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from corral.catalogue.addons import descriptors, reserved_namespaces
from corral.catalogue.gpus import gpus
from corral.catalogue.models import Facts, models
from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    Allocator,
    ClusterKind,
    Profile,
    StorageKind,
    VectorEngine,
    Weights,
)
from corral.controls.profiles import PROFILES, profile
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import GpuPool, Model, StackConfig
from corral.stacks.config.values import DYNAMIC
from corral.stacks.planning.addons import state
from corral.stacks.planning.device_requests import allocator, check_sharing
from corral.stacks.planning.mig.layouts import config_names, fits_geometry, named
from corral.stacks.planning.validation.dynamic_mig import check_dynamic
from corral.stacks.planning.validation.platform import check_platform
from corral.stacks.planning.validation.purchase import check_purchase
from corral.stacks.planning.validation.tenants import check_fair
from corral.stacks.planning.validation.versions import check_versions


def check(config: StackConfig) -> Iterator[Problem]:
    """Everything wrong with a well-typed configuration."""
    for checks in (
        _names,
        _sovereignty,
        _cluster,
        _pools,
        _models,
        _tenants,
        _stores,
        _addons,
        check_sharing,
        check_platform,
        check_fair,
        check_versions,
        check_dynamic,
    ):
        yield from checks(config)


def _names(config: StackConfig) -> Iterator[Problem]:
    yield from _unique("gpu-pools", "name", (pool.name for pool in config.gpu_pools))
    yield from _unique("models", "name", (model.name for model in config.models))
    yield from _unique("tenants", "name", (tenant.name for tenant in config.tenants))
    spaces = (tenant.namespace or tenant.name for tenant in config.tenants)
    yield from _unique("tenants", "namespace", spaces)
    seen: dict[str, str] = {}
    for index, pool in enumerate(config.gpu_pools):
        for place, node in enumerate(pool.nodes.names):
            path = f"gpu-pools[{index}].nodes.names[{place}]"
            if node in seen:
                yield Problem(path, node, f"a node stands once; it is also {seen[node]}")
            seen.setdefault(node, path)


def _unique(section: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    listed = list(names)
    twice = {name for name, count in Counter(listed).items() if count > 1}
    for name in sorted(twice):
        first, second = [index for index, other in enumerate(listed) if other == name][:2]
        yield Problem(
            f"{section}[{second}].{key}", name, f"a {key} stands once; it is also {section}[{first}].{key}"
        )


def _sovereignty(config: StackConfig) -> Iterator[Problem]:
    wanted = config.sovereignty
    try:
        profile(wanted.profile.value, region=wanted.region)
    except ValueError as error:
        allowed = PROFILES[wanted.profile.value].regions or frozenset()
        yield Problem(
            "sovereignty.region",
            wanted.region,
            f"profile {wanted.profile.value} allows {', '.join(sorted(allowed))}" if allowed else str(error),
        )
    if wanted.profile is Profile.AIR_GAPPED and wanted.registry is None:
        yield Problem("sovereignty.registry", "missing", "profile air-gapped pulls from a mirror: name it")


def _cluster(config: StackConfig) -> Iterator[Problem]:
    cluster = config.cluster
    if cluster.kind is ClusterKind.EMBEDDED:
        given = {
            "kubeconfig": cluster.kubeconfig,
            "context": cluster.context,
            "kubernetes": cluster.kubernetes,
            "feature-gates": ", ".join(gate.value for gate in cluster.feature_gates) or None,
        }
        reason = "belongs to kind existing; the embedded cluster brings its own"
    else:
        given = {"plane": cluster.plane}
        reason = "belongs to kind embedded"
    for key, value in given.items():
        if value is not None:
            yield Problem(f"cluster.{key}", value, reason)


def _pools(config: StackConfig) -> Iterator[Problem]:
    for index, pool in enumerate(config.gpu_pools):
        path = f"gpu-pools[{index}]"
        if pool.gpu not in gpus():
            yield Problem(f"{path}.gpu", pool.gpu, one_of(pool.gpu, gpus()))
            continue
        if not gpus()[pool.gpu].resolved:
            known = [key for key, entry in gpus().items() if entry.resolved]
            reason = "the name that its driver reports is unresolved, so no pod would find it"
            yield Problem(f"{path}.gpu", pool.gpu, f"{reason}: {one_of('', known)}")
        yield from _nodes(config, pool, path)
        yield from check_purchase(pool, path)
        if pool.sharing.mig is not None:
            yield from _mig(pool, f"{path}.sharing")


def _nodes(config: StackConfig, pool: GpuPool, path: str) -> Iterator[Problem]:
    nodes = pool.nodes
    ranged = nodes.min is not None or nodes.max is not None
    if bool(nodes.names) == ranged:
        yield Problem(
            f"{path}.nodes",
            "no names and no range" if not ranged else "both",
            "use {names: […]} or {min, max}",
        )
    elif ranged and (nodes.min is None or nodes.max is None or nodes.min > nodes.max):
        yield Problem(f"{path}.nodes", f"min {nodes.min}, max {nodes.max}", "both are needed, and min <= max")
    elif ranged and config.cluster.kind in (ClusterKind.EMBEDDED, ClusterKind.EXISTING):
        kind = config.cluster.kind.value
        yield Problem(
            f"{path}.nodes", "a range", f"cluster kind {kind} has the nodes it has: use {{names: […]}}"
        )


def _mig(pool: GpuPool, path: str) -> Iterator[Problem]:
    gpu = gpus()[pool.gpu]
    mig = pool.sharing.mig
    if not gpu.profiles:
        able = ", ".join(key for key, entry in gpus().items() if entry.profiles)
        yield Problem(path, f"mig on {pool.gpu}", f"{pool.gpu} has no MIG: use whole, or one of {able}")
    elif isinstance(mig, str):
        if mig not in ("auto", DYNAMIC) and named(pool.gpu, mig) is None:
            yield Problem(f"{path}.mig", mig, one_of(mig, ("auto", DYNAMIC, *config_names(pool.gpu))))
    elif mig is not None:
        if len(mig) not in (1, pool.gpus_per_node):
            yield Problem(
                f"{path}.mig", f"{len(mig)} layouts", f"give 1, or {pool.gpus_per_node}: one per GPU"
            )
        for place, layout in enumerate(mig):
            unknown = [key for key in layout if key not in gpu.profiles]
            for key in unknown:
                yield Problem(f"{path}.mig[{place}].{key}", key, one_of(key, gpu.profiles))
            if not unknown and not fits_geometry(pool.gpu, layout):
                asked = ", ".join(f"{count} x {key}" for key, count in layout.items())
                yield Problem(
                    f"{path}.mig[{place}]", asked, f"these slices do not fit together on one {pool.gpu}"
                )


def _models(config: StackConfig) -> Iterator[Problem]:
    pools = [pool.name for pool in config.gpu_pools]
    tenants = [tenant.name for tenant in config.tenants]
    known = config.known_models
    for name in config.custom_models:
        if name in models():
            yield Problem(f"custom-models.{name}", name, "the catalogue has this model: choose another name")
    for index, model in enumerate(config.models):
        path = f"models[{index}]"
        if model.model not in known:
            yield Problem(f"{path}.model", model.model, one_of(model.model, known))
            continue
        facts = known[model.model]
        limit = facts.context
        if model.context is not None and model.context > limit:
            yield Problem(f"{path}.context", str(model.context), f"{model.model} has at most {limit} tokens")
        wanted = facts.engine
        if model.engine not in (None, wanted):
            reason = f"{model.model} comes as {facts.dtype.value}, which {wanted.value} serves"
            yield Problem(f"{path}.engine", str(model.engine and model.engine.value), reason)
        if model.replicas.min > model.replicas.max:
            yield Problem(
                f"{path}.replicas",
                f"min {model.replicas.min}",
                f"min <= max, and max is {model.replicas.max}",
            )
        if model.full_sequences > model.max_num_seqs:
            yield Problem(
                f"{path}.full-sequences",
                str(model.full_sequences),
                f"at most max-num-seqs, {model.max_num_seqs}",
            )
        if model.pool is not None and model.pool not in pools:
            yield Problem(f"{path}.pool", model.pool, one_of(model.pool, pools))
        if model.tenant is not None and model.tenant not in tenants:
            yield Problem(f"{path}.tenant", model.tenant, one_of(model.tenant, tenants))
        if model.tenant is None and len(tenants) > 1:
            yield Problem(f"{path}.tenant", "missing", one_of("", tenants))
        yield from _weights(config, model, facts, path)


def _weights(config: StackConfig, model: Model, facts: Facts, path: str) -> Iterator[Problem]:
    chosen = config.sovereignty.profile
    source = model.source or facts.package_source
    if model.weights is Weights.SIMULATED and chosen is not Profile.OPEN:
        yield Problem(
            f"{path}.weights", "simulated", f"profile {chosen.value} serves real weights; only open simulates"
        )
    if source is None:
        if model.weights is Weights.REAL:
            yield Problem(f"{path}.source", "missing", f"no package carries {model.model}: name its source")
        return
    allowed = PROFILES[chosen.value].model_sources
    if not source.startswith(allowed) or not (urlsplit(source).netloc or urlsplit(source).path.strip("/")):
        yield Problem(f"{path}.source", source, f"profile {chosen.value} allows {', '.join(allowed)}")


def _tenants(config: StackConfig) -> Iterator[Problem]:
    for index, tenant in enumerate(config.tenants):
        space = tenant.namespace or tenant.name
        if space in reserved_namespaces() or space.startswith("kube-"):
            yield Problem(
                f"tenants[{index}].namespace", space, "the platform's own namespace: choose another"
            )


def _stores(config: StackConfig) -> Iterator[Problem]:
    store = config.model_storage
    if (store.kind is StorageKind.EXISTING) != (store.endpoint is not None):
        yield Problem(
            "model-storage.endpoint", store.endpoint or "missing", "kind existing has one, seaweedfs none"
        )
    database = config.vector_db
    if database is not None and database.engine is VectorEngine.PGVECTOR and database.replicas > 1:
        yield Problem(
            "vector-db.replicas", str(database.replicas), "pgvector runs on one node: use 1, or qdrant"
        )


def _addons(config: StackConfig) -> Iterator[Problem]:
    sections: dict[Addon, object] = {
        Addon.VECTOR_DB: config.vector_db,
        Addon.OBSERVABILITY: config.observability,
    }
    for addon, section in sections.items():
        if config.addons.get(addon) is AddonState.MANAGED and section is None:
            yield Problem(f"addons.{addon.value}", "managed", f"the section {addon.value} is missing")
    for addon, described in descriptors().items():
        for other in described.requires:
            if state(config, addon) is not AddonState.OFF and state(config, other) is AddonState.OFF:
                yield Problem(
                    f"addons.{other.value}", "off", f"{addon.value} needs it: use managed or existing"
                )
    rules: tuple[tuple[Addon, bool, str], ...] = (
        (Addon.KSERVE, bool(config.models), "models need it"),
        (Addon.GPU_OPERATOR, any(pool.sharing.mig for pool in config.gpu_pools), "it cuts MIG slices"),
        (
            Addon.GPU_OPERATOR,
            bool(config.models) and allocator(config) is Allocator.DEVICE_PLUGIN,
            "its device plugin hands GPUs out, since the DRA driver is off",
        ),
        (
            Addon.MODEL_STORAGE,
            any(m.weights is Weights.REAL for m in config.models),
            "real weights lie there",
        ),
    )
    for addon, needed_now, why in rules:
        if needed_now and state(config, addon) is AddonState.OFF:
            yield Problem(f"addons.{addon.value}", "off", f"{why}: use managed or existing")
    storage = config.addons.get(Addon.MODEL_STORAGE)
    if storage is AddonState.EXISTING and config.model_storage.kind is not StorageKind.EXISTING:
        yield Problem(
            "addons.model-storage", "existing", "say so in model-storage: {kind: existing, endpoint: URL}"
        )
