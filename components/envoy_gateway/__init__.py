"""Envoy Gateway, which turns routes of the Gateway API into proxies."""

from corral.components.envoy_gateway.component import EnvoyGateway, EnvoyGatewayArgs
from corral.components.envoy_gateway.rate_limits import RateLimits

__all__ = ["EnvoyGateway", "EnvoyGatewayArgs", "RateLimits"]
