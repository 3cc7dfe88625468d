"""All checks of a well-typed stack file, in the order in which problems are reported."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.validation.adapters import check_adapters
from corral.stacks.planning.validation.addons import check_addons
from corral.stacks.planning.validation.admission import check_admission
from corral.stacks.planning.validation.batches import check_batches
from corral.stacks.planning.validation.canaries import check_canaries
from corral.stacks.planning.validation.cluster import check_cluster
from corral.stacks.planning.validation.demands import check_demands
from corral.stacks.planning.validation.dynamic_mig import check_dynamic
from corral.stacks.planning.validation.eks import check_eks
from corral.stacks.planning.validation.engine_settings import check_engine_settings
from corral.stacks.planning.validation.fabric import check_fabrics
from corral.stacks.planning.validation.fast_start import check_fast_start
from corral.stacks.planning.validation.gateway import check_gateway
from corral.stacks.planning.validation.gke import check_gke
from corral.stacks.planning.validation.gpu_pools import check_gpu_pools
from corral.stacks.planning.validation.made_pools import check_made_pools
from corral.stacks.planning.validation.model_sources import check_model_sources
from corral.stacks.planning.validation.model_storage import check_model_storage
from corral.stacks.planning.validation.models import check_models
from corral.stacks.planning.validation.names import check_names
from corral.stacks.planning.validation.observability import check_observability
from corral.stacks.planning.validation.platform import check_platform
from corral.stacks.planning.validation.prefill import check_prefill
from corral.stacks.planning.validation.scaling import check_scaling
from corral.stacks.planning.validation.secrets import check_secrets
from corral.stacks.planning.validation.serving_kinds import check_serving_kinds
from corral.stacks.planning.validation.sharing import check_sharing
from corral.stacks.planning.validation.sovereignty import check_sovereignty
from corral.stacks.planning.validation.tenants import check_fair, check_tenants
from corral.stacks.planning.validation.vector_db import check_vector_db
from corral.stacks.planning.validation.versions import check_versions


def check(config: StackConfig, states: AddonStates, day: date) -> Iterator[Problem]:
    """Everything wrong with a well-typed configuration on `day`; `states`: who answers for each addon.

    What is wrong with a model is not said of its canary again.
    """
    said: set[Problem] = set()
    for one in _checks(config, states, day):
        said.add(one)
        of_model = replace(one, path=one.path.replace(".canary.", ".", 1))
        if of_model == one or of_model not in said:
            yield one


def _checks(config: StackConfig, states: AddonStates, day: date) -> Iterator[Problem]:
    yield from check_names(config)
    yield from check_sovereignty(config, day)
    yield from check_admission(config, states)
    yield from check_cluster(config)
    yield from check_eks(config)
    yield from check_gke(config)
    yield from check_demands(config, states)
    yield from check_gpu_pools(config)
    yield from check_made_pools(config)
    yield from check_fabrics(config)
    yield from check_models(config)
    yield from check_canaries(config)
    yield from check_adapters(config)
    yield from check_scaling(config, states)
    yield from check_serving_kinds(config, states)
    yield from check_prefill(config)
    yield from check_batches(config)
    yield from check_engine_settings(config)
    yield from check_fast_start(config, states)
    yield from check_tenants(config)
    yield from check_model_storage(config)
    yield from check_model_sources(config)
    yield from check_vector_db(config)
    yield from check_gateway(config, states)
    yield from check_observability(config, states)
    yield from check_addons(config, states)
    yield from check_secrets(config, states)
    yield from check_sharing(config, states)
    yield from check_platform(config, states)
    yield from check_fair(config, states)
    yield from check_versions(config, states)
    yield from check_dynamic(config, states)
