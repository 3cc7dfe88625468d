"""The endpoint through which applications call models."""

from corral.components.gateway.args import (
    GatewayArgs,
    RoutedCanary,
    RoutedTenant,
    TokenIssuer,
    TokenLimit,
)
from corral.components.gateway.component import Gateway

__all__ = ["Gateway", "GatewayArgs", "RoutedCanary", "RoutedTenant", "TokenIssuer", "TokenLimit"]
