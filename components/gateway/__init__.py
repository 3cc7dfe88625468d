"""The endpoint through which applications call models."""

from corral.components.gateway.args import GatewayArgs, RoutedTenant, TokenIssuer, TokenLimit
from corral.components.gateway.component import Gateway

__all__ = ["Gateway", "GatewayArgs", "RoutedTenant", "TokenIssuer", "TokenLimit"]
