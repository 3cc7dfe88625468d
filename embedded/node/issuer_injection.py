"""CA bundles that annotated objects ask for: which Secret they come from, and where they go."""

from collections.abc import Mapping

from corral.embedded.kube import Object, Objects
from corral.embedded.objects import at, child, children

FROM_CERTIFICATE = "cert-manager.io/inject-ca-from"
FROM_SECRET = "cert-manager.io/inject-ca-from-secret"
ALLOWED = "cert-manager.io/allow-direct-injection"
TARGETS = {
    "validatingwebhookconfigurations": "admissionregistration.k8s.io/v1",
    "mutatingwebhookconfigurations": "admissionregistration.k8s.io/v1",
    "customresourcedefinitions": "apiextensions.k8s.io/v1",
    "apiservices": "apiregistration.k8s.io/v1",
}
"""Group version by plural of the objects that may ask."""

Items = Mapping[tuple[str, str], Object]


def bundle_for(target: Object, certificates: Items, secrets: Items) -> str | None:
    """The CA bundle (base64) that `target` asks for; None when it asks for none or there is none yet."""
    annotations = child(target, "metadata", "annotations")
    if FROM_CERTIFICATE in annotations:
        certificate = certificates.get(_key(annotations[FROM_CERTIFICATE]))
        if certificate is None:
            return None
        namespace = certificate["metadata"]["namespace"]
        secret = secrets.get((namespace, certificate["spec"]["secretName"]))
    else:
        secret = secrets.get(_key(annotations.get(FROM_SECRET, "")))
        if secret is None or at(secret, "metadata", "annotations", ALLOWED) != "true":
            return None
    return at(secret, "data", "ca.crt") if secret else None


def changes(plural: str, target: Object, bundle: str) -> Objects:
    """The JSON patch that puts `bundle` into every client configuration that lacks it; often empty."""
    if plural == "customresourcedefinitions":
        webhook = child(target, "spec", "conversion", "webhook")
        places = [("/spec/conversion/webhook/clientConfig", webhook["clientConfig"])] if webhook else []
    elif plural == "apiservices":
        places = [("/spec", child(target, "spec"))] if at(target, "spec", "service") else []
    else:
        places = [
            (f"/webhooks/{index}/clientConfig", webhook["clientConfig"])
            for index, webhook in enumerate(children(target, "webhooks"))
        ]
    patch: Objects = [
        {"op": "add", "path": f"{path}/caBundle", "value": bundle}
        for path, place in places
        if place.get("caBundle") != bundle
    ]
    version = {
        "op": "test",
        "path": "/metadata/resourceVersion",
        "value": target["metadata"]["resourceVersion"],
    }
    return [version, *patch] if patch else []


def _key(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    return namespace, name
