"""Envoy Gateway, which turns routes of the Gateway API into proxies."""

from corral.components.envoy_gateway.component import EnvoyGateway, EnvoyGatewayArgs

__all__ = ["EnvoyGateway", "EnvoyGatewayArgs"]
