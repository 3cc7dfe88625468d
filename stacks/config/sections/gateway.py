"""How applications outside the cluster call models: `gateway`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.gateway import AVAILABILITY, LEAST_AVAILABILITY
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    Annotation,
    BodySize,
    Certificates,
    Cidr,
    HostName,
    LabelKey,
    Name,
    ObjectName,
    Pods,
    Port,
    Positive,
    ProviderUrl,
    Seconds,
    TokenCount,
)


class Jwt(Section):
    """Tokens of an identity provider, in the place of API keys."""

    issuer: ProviderUrl
    """Issuer that tokens name, as the provider's discovery document has it."""
    jwks: ProviderUrl
    """Address of the provider's keys."""
    network: Cidr
    """Addresses that the host of `jwks` has, such as `10.20.0.0/24`: the gateway goes out to no others."""
    audiences: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, max_length=8)]
    """Audiences, of which a token must name one; no other tenant with this issuer has one of them."""
    ca: Certificates | None = None
    """Authorities in PEM that sign the certificate of the host of `jwks`; those that Envoy's image trusts
    when absent."""
    refresh: Annotated[Seconds, Field(ge=10)] = 300
    """Seconds for which the provider's keys are kept: as long a new one may be unknown, and a withdrawn one
    still taken."""


class GatewayTenant(Section):
    """What one tenant has of its own."""

    requests_per_minute: Positive | None = None
    """Requests to each of its models; those of the gateway when absent."""
    jwt: Jwt | None = None
    """Its callers show tokens; API keys when absent."""


class TenantTokens(Section):
    """What models may read and write for one tenant."""

    tokens_per_minute: TokenCount | None = None
    """Tokens of prompts and answers in a minute; the common limit when absent."""
    tokens_per_day: TokenCount | None = None
    """Tokens in a day of UTC; the common limit when absent."""
    tokens_per_month: TokenCount | None = None
    """Tokens in 30 days, counted from 1970 on; the common limit when absent."""


class TokenLimits(Section):
    """Limits by tokens, which all proxies share; they bring the rate limit service and a store of counts."""

    tokens_per_minute: TokenCount | None = None
    """Tokens of one tenant's prompts and answers in a minute; no such limit when absent."""
    tokens_per_day: TokenCount | None = None
    """Tokens of one tenant in a day of UTC; no such limit when absent."""
    tokens_per_month: TokenCount | None = None
    """Tokens of one tenant in 30 days, counted from 1970 on; no such limit when absent."""
    tenants: dict[Name, TenantTokens] = {}
    """What tenants have of their own, by name."""


class Gateway(Section):
    """An endpoint with TLS, keys and limits before all models."""

    host: HostName
    """Name that applications call, such as `models.example.eu`; its address is looked up by your own DNS."""
    port: Port = 443
    """Port of the endpoint."""
    issuer: ObjectName | None = None
    """ClusterIssuer of cert-manager that signs its certificate; one of its own, which callers must be told to
    trust, when absent."""
    load_balancer: dict[LabelKey, Annotation] | None = None
    """Annotations of a Service of type LoadBalancer; reached from within the cluster alone when absent."""
    replicas: Pods | None = None
    """Proxies; 2, or one on this machine, when absent."""
    requests_per_minute: Positive = 600
    """Requests of one tenant to one of its models by way of one proxy; more are refused with 429."""
    timeout: Seconds = 600
    """Seconds that an answer may take, its last word included."""
    availability: Annotated[float, Field(ge=LEAST_AVAILABILITY, lt=100)] = AVAILABILITY
    """Percent of the calls of each model that no server's error answers, over 30 days; alerts tell when the
    errors spend what is allowed too fast."""
    max_body: BodySize = "10Mi"
    """Greatest size of a request; a larger one is refused with 413."""
    tenants: dict[Name, GatewayTenant] = {}
    """What tenants have of their own, by name."""
