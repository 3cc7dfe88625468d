"""What the gateway needs to know."""

from typing import NotRequired, TypedDict

import pulumi

from corral.components._words import TokenUnitWord
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply


class TokenIssuer(TypedDict):
    """An identity provider that callers have JSON Web Tokens of."""

    issuer: str
    """Issuer that tokens name, an `https://` URL."""
    jwks: str
    """`https://` URL of its keys."""
    network: str
    """Addresses of that URL's host, such as `10.20.0.0/24`; the proxies go out to no others."""
    audiences: list[str]
    """Audiences, of which a token names one; another tenant's tokens must not name them."""
    ca: NotRequired[str]
    """Authorities in PEM that sign the certificate of that host; those that the proxies' image trusts when
    omitted."""
    refresh_seconds: NotRequired[int]
    """Time for which its keys are kept; 300 when omitted."""


class RoutedCanary(TypedDict):
    """Another version of a model that takes a part of its calls."""

    model: str
    """Name of the model."""
    name: str
    """Name of the version's own InferenceService, in the namespace of the model's."""
    weight: int
    """Percent of the calls, from 0 to 100; the model has the rest."""


class TokenLimit(TypedDict):
    """Tokens that calls of one tenant may use in one window of time."""

    tokens: int
    """Tokens of prompts and answers; more than in each shorter window."""
    unit: TokenUnitWord
    """The window; a month has 30 days."""


class RoutedTenant(TypedDict):
    """A tenant, and those of its models that are called through the gateway."""

    name: str
    """Name of the tenant, the first part of its path."""
    namespace: pulumi.Input[str]
    """Where its models are."""
    models: list[str]
    """Names of its models."""
    requests_per_minute: int
    """Requests to each of its models, and to each adapter, by way of one proxy; more are refused with 429."""
    canaries: NotRequired[list[RoutedCanary]]
    """Versions that take a part of the calls of its models; none when omitted."""
    adapters: NotRequired[dict[str, str]]
    """Model by the name of each LoRA adapter that its engine serves; calls by that name go where the model's
    go. None when omitted."""
    services: NotRequired[dict[str, pulumi.Input[str]]]
    """`Model.service` of its models and canaries, by name, where this program makes them: a route changes
    once what it leads to is ready. They must be there already when omitted."""
    scaled: NotRequired[list[str]]
    """Those of its models whose calls go by way of KEDA's interceptors; none when omitted."""
    llm_services: NotRequired[list[str]]
    """Those of its models and canaries that are of kind LLMInferenceService; none when omitted."""
    disaggregated: NotRequired[list[str]]
    """Those of `llm_services` whose prompts other replicas read; none when omitted."""
    tokens: NotRequired[TokenIssuer]
    """Its callers show tokens; API keys when omitted."""
    max_tokens: NotRequired[dict[str, int]]
    """Most tokens of an answer that a request may ask for, by model; a model that is not in it has no such
    limit."""
    token_limits: NotRequired[list[TokenLimit]]
    """Limits for all of its models together, the longest window first; Envoy Gateway must have `rate_limits`.
    No tokens are counted when omitted."""


class GatewayArgs(TypedDict):
    """What the gateway needs to know."""

    supply: Supply
    """Where the image of the proxies comes from."""
    host: str
    """Name that applications call."""
    tenants: list[RoutedTenant]
    """All tenants."""
    port: NotRequired[int]
    """Port of the endpoint; 443 when omitted."""
    issuer: NotRequired[str]
    """ClusterIssuer of cert-manager that signs the certificate; one of its own when omitted."""
    load_balancer: NotRequired[dict[str, str]]
    """Annotations of a Service of type LoadBalancer; ClusterIP when omitted."""
    replicas: NotRequired[int]
    """Proxies, 2 when omitted."""
    timeout_seconds: NotRequired[int]
    """Time that an answer may take, its last word included; 600 when omitted."""
    availability: NotRequired[float]
    """Percent of the calls of each model that no server's error answers, over 30 days; 99.5 when omitted.
    Alerts tell when the errors spend what is allowed too fast."""
    max_body_mib: NotRequired[int]
    """Greatest size of a request in MiB, which a proxy holds as a whole; 10 when omitted."""
    controller: NotRequired[pulumi.Input[str]]
    """`EnvoyGateway.namespace`, where this program makes it; its types must be there already when omitted."""
    cert_manager: NotRequired[pulumi.Input[str]]
    """`CertManager.namespace`, where this program makes it; its types must be there already when omitted."""
    keda: NotRequired[pulumi.Input[str]]
    """`Keda.namespace`, where this program makes it; needed for models that are `scaled`, whose interceptors
    must be there already when omitted."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    dns_addresses: NotRequired[list[str]]
    """Where pods ask for names besides: addresses of a cache on each node (NodeLocal DNSCache)."""
    secret_store: NotRequired[SecretStore]
    """What has the keys of callers, as `keys-TENANT` with a field for each caller; they are written into the
    cluster by hand (`corral keys`) when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    namespace: NotRequired[str]
    """Namespace of the controller, where proxies run and keys are; `envoy-gateway-system` when omitted."""
