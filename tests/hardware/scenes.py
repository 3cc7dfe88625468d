"""Helpers of scenes on a plane: what charts leave in its API, and waiting."""

import asyncio
import time

import yaml
from tests.commands import helm_template
from tests.hardware import fleets

from corral.embedded.kube import ApiError, resource

DRIVER = "dra-driver-nvidia-gpu"
"""Where the DRA driver runs; its chart refuses `default`."""
PATHS = {
    "DeviceClass": lambda name: resource("resource.k8s.io/v1", "deviceclasses", name=name),
    "ServiceAccount": lambda name: resource("v1", "serviceaccounts", DRIVER, name),
    "DaemonSet": lambda name: resource("apps/v1", "daemonsets", DRIVER, name),
}


def definition(group, kind, version, scope):
    plural = f"{kind.lower()}s" if not kind.endswith("y") else f"{kind.lower()[:-1]}ies"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": anything},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


async def put(api, group_version, plural, kind, name, namespace=None, **content):
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": group_version, "kind": kind, "metadata": meta, **content}
    return await api.create(resource(group_version, plural, namespace), body)


async def until(true, seconds=30):
    limit = time.monotonic() + seconds
    while True:
        try:
            if items := await true():
                return items
        except ApiError as error:
            if not error.missing:
                raise
        assert time.monotonic() < limit, f"not within {seconds} s"
        await asyncio.sleep(0.1)


def dra_driver(**gates):
    """DeviceClasses, ServiceAccounts and DaemonSet of the DRA driver's chart under feature gates."""
    values = {
        "gpuResourcesEnabledOverride": True,
        "resources": {"computeDomains": {"enabled": False}},
        "featureGates": gates,
        "kubeletPlugin": {"nodeSelector": {"nvidia.com/gpu.deploy.client": "true"}},
    }
    folder = fleets.chart_folder("dra-driver-nvidia-gpu")
    text = helm_template("dra", folder, values, namespace=DRIVER)
    return [one for one in yaml.safe_load_all(text) if one and one["kind"] in PATHS]


async def install(api, objects):
    """Apply DeviceClasses, ServiceAccounts and DaemonSets."""
    for one in objects:
        path = PATHS[one["kind"]](one["metadata"]["name"])
        await api.patch(path, one, kind="apply", field_manager="program")
