"""How a model's calls reach the interceptors, and how these know the model."""

import pulumi

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon

NAMESPACE = descriptor(Addon.KEDA).namespace
PORT = descriptor(Addon.KEDA).ports["interceptor"]
SCALER_PORT = descriptor(Addon.KEDA).ports["scaler"]
SERVICE = "keda-add-ons-http-interceptor-proxy"
SCALER = "keda-add-ons-http-external-scaler"


def host(model: str, namespace: pulumi.Input[str]) -> pulumi.Output[str]:
    """The host name that a call of `model` carries to the interceptors."""
    return pulumi.Output.concat(model, ".", namespace)
