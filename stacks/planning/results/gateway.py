"""The endpoint before the models: routes, limits, and what proves who calls."""

from dataclasses import dataclass

from corral.catalogue.gateway import base_url, model_path, tenant_path
from corral.catalogue.vocabulary import TokenUnit


@dataclass(frozen=True)
class TokenPlan:
    """An identity provider of callers."""

    issuer: str
    jwks: str
    network: str
    audiences: tuple[str, ...]
    ca: str | None
    """Authorities in PEM that sign its certificate; None: those that the proxies' image trusts."""
    refresh_seconds: int


@dataclass(frozen=True)
class CanaryRoute:
    """The part of a model's calls that goes to its canary."""

    model: str
    canary: str
    """Name of its InferenceService."""
    weight: int
    """Percent."""


@dataclass(frozen=True)
class AdapterRoute:
    """A name that callers use for an adapter, whose calls go where its model's go."""

    name: str
    model: str


@dataclass(frozen=True)
class TokenLimitPlan:
    """Tokens that a tenant's calls may use in one window of time."""

    tokens: int
    unit: TokenUnit


@dataclass(frozen=True)
class TenantRoutes:
    """What callers of one tenant reach."""

    tenant: str
    namespace: str
    models: tuple[str, ...]
    requests_per_minute: int
    tokens: TokenPlan | None
    """None: API keys."""
    adapters: tuple[AdapterRoute, ...] = ()
    canaries: tuple[CanaryRoute, ...] = ()
    scaled: tuple[str, ...] = ()
    """Models whose calls are counted and held on their way."""
    llm_services: tuple[str, ...] = ()
    """Models and canaries of kind LLMInferenceService."""
    disaggregated: tuple[str, ...] = ()
    """Models whose prompts other replicas read."""
    token_limits: tuple[TokenLimitPlan, ...] = ()
    """The longest window first; empty: its tokens are not counted."""
    max_tokens: tuple[tuple[str, int], ...] = ()
    """Models with a ceiling for the tokens of an answer, and it."""


@dataclass(frozen=True)
class GatewayPlan:
    """The endpoint, and a route per model."""

    host: str
    port: int
    issuer: str | None
    """ClusterIssuer; None: the certificate is signed by an issuer of its own."""
    load_balancer: tuple[tuple[str, str], ...] | None
    """Annotations of its Service; None: reached from within the cluster alone."""
    replicas: int | None
    """Proxies; None: as many as the component has by default."""
    timeout_seconds: int
    max_body_mib: int
    availability: float
    """Percent of calls that no server's error answers."""
    tenants: tuple[TenantRoutes, ...]

    def base_url(self, tenant: str) -> str:
        """What a client of OpenAI's interface takes as `base_url`; the request names the model."""
        return base_url(self.host, self.port, tenant_path(tenant))

    def route(self, tenant: str, model: str) -> str:
        """The same for one model, whatever the request names."""
        return base_url(self.host, self.port, model_path(tenant, model))
