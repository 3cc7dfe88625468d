"""Hardware, network and storage against a real control plane. Needs the toolchain."""

import asyncio

import pytest
from tests.hardware.scenes import DRIVER, PATHS, definition, dra_driver, install, put, until

from corral.embedded.home import Home
from corral.embedded.kube import Api, ApiError, resource
from corral.embedded.plane import plane

pytestmark = pytest.mark.engine

SPACE = "llm"
IMAGE = "example.eu/no/row"
CONFIG = """
version: v1
mig-configs:
  all-disabled: [{devices: all, mig-enabled: false}]
  cut:
    - {devices: [0], mig-enabled: true, mig-devices: {3g.20gb: 1, 2g.10gb: 1, 1g.5gb: 2}}
    - {devices: [1, 2, 3], mig-enabled: false}
  mode-on: [{devices: all, mig-enabled: true, mig-devices: {}}]
  impossible: [{devices: all, mig-enabled: true, mig-devices: {3g.20gb: 2, 1g.5gb: 1}}]
"""
POLICY = {
    "devicePlugin": {"enabled": False},
    "mig": {"strategy": "mixed"},
    "migManager": {"enabled": True, "config": {"name": "corral-mig-parted"}},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A plane of its own, with what charts would leave in its API."""
    actual = Home.find()
    home = Home(tmp_path_factory.mktemp("h"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORRAL_TOOLCHAIN", str(actual.toolchain))
        patch.setenv("CORRAL_HOME", str(home.root))
        try:
            plane.up(home, "addons", lambda _line: None)
            yield home.plane("addons")
        finally:
            plane.down(home, "addons", lambda _line: None)


@pytest.fixture(scope="module")
def live(cluster):
    """Run `scene(api)` against the plane."""

    def start(scene):
        async def whole():
            api = Api.connect(cluster.kubeconfig, user_agent="test")
            try:
                return await scene(api)
            finally:
                await api.aclose()

        return asyncio.run(whole())

    async def prepare(api):
        for name in ("gpu-operator", DRIVER, SPACE):
            await put(api, "v1", "namespaces", "Namespace", name)
        for group, kind, scope in (("nvidia.com", "ClusterPolicy", "Cluster"),):
            body = definition(group, kind, "v1", scope)
            await api.create(resource("apiextensions.k8s.io/v1", "customresourcedefinitions"), body)
        await put(api, "v1", "configmaps", "ConfigMap", "corral-mig-parted", "gpu-operator",
                  data={"config.yaml": CONFIG})  # fmt: skip
        await install(api, dra_driver())

        async def served():
            await api.list(resource("nvidia.com/v1", "clusterpolicies"))
            return True

        await until(served)
        await put(api, "nvidia.com/v1", "clusterpolicies", "ClusterPolicy", "cluster-policy", spec=POLICY)

    start(prepare)
    return start


async def ask(api, config, expected):
    node = resource("v1", "nodes", name="slices-0")
    await api.patch(node, {"metadata": {"labels": {"nvidia.com/mig.config": config}}})

    async def state():
        actual = await api.get(node)
        labels = actual["metadata"]["labels"]
        return (
            labels["nvidia.com/mig.config"] == config
            and labels.get("nvidia.com/mig.config.state") == expected
        )

    await until(state)


def pod(name, profile):
    return {
        "containers": [{"name": "c", "image": IMAGE, "resources": {"claims": [{"name": "gpu"}]}}],
        "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": profile.replace(".", "-")}],
        "terminationGracePeriodSeconds": 0,
    }


async def template(api, profile):
    expression = f"device.attributes['gpu.nvidia.com'].profile == '{profile}'"
    exactly = {"deviceClassName": "mig.nvidia.com", "selectors": [{"cel": {"expression": expression}}]}
    await put(api, "resource.k8s.io/v1", "resourceclaimtemplates", "ResourceClaimTemplate",
              profile.replace(".", "-"), SPACE,
              spec={"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}})  # fmt: skip


async def allocated(api):
    claims = await api.list(resource("resource.k8s.io/v1", "resourceclaims", SPACE))
    return sorted(
        result["device"]
        for claim in claims
        for result in claim.get("status", {}).get("allocation", {}).get("devices", {}).get("results", [])
    )


def test_the_scheduler_hands_out_exactly_the_slices_that_were_cut(live):
    async def scene(api):
        await ask(api, "cut", "success")
        for profile in ("1g.5gb", "3g.20gb"):
            await template(api, profile)
        for name, profile in (("a", "1g.5gb"), ("b", "1g.5gb"), ("c", "1g.5gb"), ("d", "3g.20gb")):
            await put(api, "v1", "pods", "Pod", name, SPACE, spec=pod(name, profile))

        async def three():
            pods = await api.list(resource("v1", "pods", SPACE))
            return len([p for p in pods if p["spec"].get("nodeName")]) == 3 and await allocated(api)

        devices = await until(three)
        await ask(api, "all-disabled", "pending")
        await ask(api, "impossible", "failed")
        still = await allocated(api)
        for name in "abcd":
            await api.delete(resource("v1", "pods", SPACE, name))
        await ask(api, "all-disabled", "success")
        return devices, still

    devices, still = live(scene)
    assert devices == [
        "gpu-0-mig-1g5gb-0",
        "gpu-0-mig-1g5gb-1",
        "gpu-0-mig-3g20gb-0",
    ], "two small slices were cut and three asked for: one pod waits"
    assert still == devices, "what is allocated is never cut away"


async def partitions(api):
    """Devices of `slices-0` that consume counters, by name."""
    slices = await api.list(resource("resource.k8s.io/v1", "resourceslices"))
    return {
        device["name"]: device
        for item in slices
        if item["spec"].get("nodeName") == "slices-0"
        for device in item["spec"].get("devices", [])
        if "consumesCounters" in device
    }


async def on_one_gpu(api, profile, gpu):
    """A claim template `one-<profile>` for a slice of the GPU with UUID `gpu`."""
    attributes = "device.attributes['gpu.nvidia.com']"
    expression = f"{attributes}.profile == '{profile}' && {attributes}.parentUUID == '{gpu}'"
    exactly = {"deviceClassName": "mig.nvidia.com", "selectors": [{"cel": {"expression": expression}}]}
    await put(api, "resource.k8s.io/v1", "resourceclaimtemplates", "ResourceClaimTemplate",
              f"one-{profile.replace('.', '-')}", SPACE,
              spec={"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}})  # fmt: skip


async def start(api, name, profile):
    await put(api, "v1", "pods", "Pod", name, SPACE, spec=pod(name, f"one-{profile}"))


async def runs(api, name):
    actual = await api.get(resource("v1", "pods", SPACE, name))
    return actual["status"].get("phase") == "Running"


async def waits(api, name):
    """Whether the scheduler has looked at the pod's claim and found no device."""
    actual = await api.get(resource("v1", "pods", SPACE, name))
    reported = [one for one in actual["status"].get("conditions", []) if one["type"] == "PodScheduled"]
    return not actual["spec"].get("nodeName") and any(
        "cannot allocate all claims" in one.get("message", "") for one in reported
    )


async def end(api, *names):
    """Delete pods, and wait until their claims are gone."""
    for name in names:
        await api.delete(resource("v1", "pods", SPACE, name))

    async def gone():
        claims = await api.list(resource("resource.k8s.io/v1", "resourceclaims", SPACE))
        owners = {owner["name"] for one in claims for owner in one["metadata"].get("ownerReferences", [])}
        return not owners & set(names)

    await until(gone, 60)


def test_a_gpu_is_cut_for_the_pods_that_ask_and_never_beyond_its_geometry(live):
    objects = dra_driver(DynamicMIG=True)

    async def scene(api):
        await ask(api, "mode-on", "success")
        await install(api, objects)

        async def everything():
            actual = await partitions(api)
            return len(actual) == 4 * 25 and actual

        published = await until(everything)
        gpu = published["gpu-0-mig-7g40gb-0-0"]["attributes"]["parentUUID"]["string"]
        for profile in ("1g.5gb", "3g.20gb", "4g.20gb", "7g.40gb"):
            await on_one_gpu(api, profile, gpu)

        small = [f"small-{number}" for number in range(7)]
        for name in small:
            await start(api, name, "1g.5gb")
        for name in small:
            await until(lambda name=name: runs(api, name))
        await start(api, "eighth", "1g.5gb")
        await until(lambda: waits(api, "eighth"))
        seven = await allocated(api)
        await end(api, *small, "eighth")

        for name, profile in (("four", "4g.20gb"), ("three", "3g.20gb")):
            await start(api, name, profile)
            await until(lambda name=name: runs(api, name))
        beside = await allocated(api)
        await end(api, "four", "three")

        await start(api, "small", "1g.5gb")
        await until(lambda: runs(api, "small"))
        await start(api, "large", "7g.40gb")
        await until(lambda: waits(api, "large"))
        await end(api, "small")
        await until(lambda: runs(api, "large"), 60)
        alone = await allocated(api)
        await end(api, "large")

        await api.delete(PATHS["DaemonSet"]("dra-driver-nvidia-gpu-kubelet-plugin"))
        await ask(api, "all-disabled", "success")

        async def fixed():
            return not await partitions(api)

        await until(fixed)
        return seven, beside, alone

    seven, beside, alone = live(scene)
    assert seven == [f"gpu-0-mig-1g5gb-19-{start}" for start in range(7)]
    assert beside == ["gpu-0-mig-3g20gb-9-4", "gpu-0-mig-4g20gb-5-0"]
    assert alone == ["gpu-0-mig-7g40gb-0-0"]


def test_a_claim_binds_grows_and_takes_its_folder_along(live, cluster):
    async def scene(api):
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        await put(api, "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "data", SPACE, spec=spec)
        path = resource("v1", "persistentvolumeclaims", SPACE, "data")

        async def has(size):
            actual = await api.get(path)
            return actual["status"].get("capacity") == {"storage": size} and actual

        claim = await until(lambda: has("1Gi"))
        folder = cluster.volumes / f"{SPACE}-data-{claim['metadata']['uid'][:8]}"
        assert folder.is_dir()
        await api.patch(path, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
        await until(lambda: has("2Gi"))
        await api.delete(path)

        async def gone():
            return not await api.list(resource("v1", "persistentvolumes"))

        await until(gone)
        return folder

    assert not live(scene).exists()


def test_a_webhook_served_by_simulated_pods_refuses_by_name(live):
    async def scene(api):
        await api.create(
            resource("v1", "pods", SPACE),
            {
                "metadata": {"name": "hook-0", "namespace": SPACE, "labels": {"app": "hook"}},
                "spec": {"containers": [{"name": "c", "image": IMAGE}]},
            },
        )
        await put(api, "v1", "services", "Service", "hook", SPACE,
                  spec={"selector": {"app": "hook"}, "ports": [{"port": 443}]})  # fmt: skip
        hooks = resource("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations")
        await api.create(
            hooks,
            {
                "metadata": {"name": "h"},
                "webhooks": [
                    {
                        "name": "h.corral.dev",
                        "admissionReviewVersions": ["v1"],
                        "sideEffects": "None",
                        "clientConfig": {"service": {"name": "hook", "namespace": SPACE}},
                        "rules": [
                            {
                                "apiGroups": [""],
                                "apiVersions": ["v1"],
                                "resources": ["configmaps"],
                                "operations": ["CREATE"],
                            }
                        ],
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": SPACE}},
                    }
                ],
            },
        )

        async def ready():
            actual = await api.get(resource("v1", "pods", SPACE, "hook-0"))
            return actual["status"]["phase"] == "Running"

        async def refusal():
            try:
                await put(api, "v1", "configmaps", "ConfigMap", "x", SPACE)
            except ApiError as error:
                return error.message if "is simulated" in error.message else None
            raise AssertionError("a webhook that nobody serves must fail closed")

        await until(ready)
        output = await until(refusal)
        await api.delete(f"{hooks}/h")
        return output

    output = live(scene)
    assert "service llm/hook:443 has no endpoint that runs here: pod llm/hook-0 is simulated" in output
