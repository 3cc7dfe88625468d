"""Who enters a bucket of models that a stack makes in its cluster's cloud."""

from urllib.parse import urlsplit

from corral.catalogue.sources import scheme_of
from corral.catalogue.stores import SCHEMES
from corral.catalogue.vocabulary import Addon, Weights
from corral.components._accounts import PodAccount
from corral.components.model_storage.names import WRITER_ACCOUNT
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan

MODELS_KEY = "models"
"""Which of a cluster's keys is over its models."""


def bucket_readers(plan: Plan) -> list[PodAccount]:
    """Each model, as its own account."""
    return [{"namespace": one.namespace, "service_account": one.name} for one in _real(plan)]


def bucket_writers(plan: Plan) -> list[PodAccount]:
    """Imports."""
    return [{"namespace": plan.addon(Addon.MODEL_STORAGE).namespace, "service_account": WRITER_ACCOUNT}]


def bucket_sources(plan: Plan) -> list[str]:
    """Other buckets of the same cloud, from which models are imported without a key; each once."""
    imported = (one for model in _real(plan) for one in (model, *model.adapters))
    named = dict.fromkeys(_bucket(plan, one.source) for one in imported if one.origin is None)
    return [one for one in named if one is not None and one != plan.storage.bucket]


def _real(plan: Plan) -> list[ModelPlan]:
    return [model for model in plan.models if model.weights is Weights.REAL]


def _bucket(plan: Plan, source: str | None) -> str | None:
    """The bucket that a model is imported from; None: it is elsewhere than in buckets like the platform's."""
    is_alike = source is not None and scheme_of(source) is SCHEMES[plan.storage.kind]
    return urlsplit(source).netloc if source and is_alike else None
