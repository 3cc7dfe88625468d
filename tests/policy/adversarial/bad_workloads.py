"""Kubernetes objects: each way to break a control, in each place and kind that can hold it."""

from collections.abc import Iterator

from tests.policy.adversarial import dialects, operator_models, operators
from tests.policy.adversarial.configuration import mapped
from tests.policy.adversarial.hub_models import hubs
from tests.policy.adversarial.model_sources import sources
from tests.policy.adversarial.operator_parts import lines, parts
from tests.policy.adversarial.pod_settings import images, plain, pods
from tests.policy.adversarial.pods_in import container, holding, placed, spec
from tests.policy.adversarial.remote_code import remote
from tests.policy.adversarial.stacks import DIGEST, REGISTRY, Entry


def bad() -> Iterator[Entry]:
    for title, broken in remote():
        yield Entry(
            f"remote code: {title}",
            "SOV-MOD-03",
            "kubernetes:core/v1:Pod",
            {"spec": spec(containers=[container(**broken)])},
        )
    for title, broken in hubs():
        yield Entry(
            f"hub: {title}",
            "SOV-MOD-02|SOV-MOD-01",
            "kubernetes:core/v1:Pod",
            {"spec": spec(containers=[container(**broken)])},
        )
    for title, control, token, props in sources():
        if props:
            yield Entry(f"source: {title}", f"{control}|SOV-MOD-02|SOV-MOD-01", f"kubernetes:{token}", props)
    for title, control, broken in images():
        yield Entry(title, control, "kubernetes:core/v1:Pod", {"spec": spec(containers=[broken])})
    for title, control, pod in pods():
        yield Entry(f"pod: {title}", control, "kubernetes:core/v1:Pod", {"spec": pod})
    for title, control, token, props in plain():
        yield Entry(title, control, f"kubernetes:{token}", props)
    for title, control, token, props in parts():
        yield Entry(title, control, f"kubernetes:{token}", props)
    for control, line in lines():
        broken = container(command=["sh", "-c", line])
        yield Entry(f"line: {line}", control, "kubernetes:core/v1:Pod", {"spec": spec(containers=[broken])})
    for title, token, props in operator_models.bad():
        yield Entry(title, "SOV-MOD-01|SOV-MOD-02|SOV-MOD-13", f"kubernetes:{token}", props)
    yield from mapped()
    yield from dialects.bad()
    yield from operators.bad()
    violations = (
        ("SOV-MOD-03", container(args=["--trust-remote-code"])),
        ("SOV-MOD-02", container(args=["--model", "org/model"])),
        ("SOV-MOD-02", container(command=["sh", "-c", "vllm serve org/model"])),
        ("SOV-MOD-02", container(env=[{"name": "MODEL_ID", "value": "org/model"}])),
        ("SOV-SUP-01", container(image=f"docker.io/evil/x{DIGEST}")),
        ("SOV-SUP-02", container(image=f"{REGISTRY}/a:latest")),
        ("SOV-GPU-03", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])),
        ("SOV-POD-01", container(securityContext={"privileged": True})),
    )
    for control, broken in violations:
        for place, pod in placed(broken):
            if place != "containers" and control not in ("SOV-SUP-01", "SOV-MOD-03"):
                continue
            for kind, token, props in holding(pod):
                yield Entry(f"{control} in {place} of {kind}", control, f"kubernetes:{token}", props)
    for kind, token, props in holding(
        spec(volumes=[{"name": "m", "image": {"reference": "docker.io/evil/x:1"}}])
    ):
        yield Entry(f"image volume of {kind}", "SOV-SUP-01", f"kubernetes:{token}", props)
    for path in (
        "spec.template.spec.containers[0]",
        "spec.predictor",
        "spec",
        "*",
        "spec.template",
        "spec.template.spec.containers[0].image",
        "spec.template.spec.containers[*].args",
        "spec.template.spec.containers[0].command",
        'spec["template"]',
        "spec.template.spec.containers[0].env",
        "spec.jobTemplate.spec.template.spec",
        "spec.template.spec.hostNetwork",
        "spec.template.spec.securityContext",
        "rules",
        "spec.predictor.model.storageUri",
        "spec.model.uri",
        "spec.template.spec.initContainers",
        "spec.type",
        "metadata.labels",
        "spec.template.spec.volumes[0].hostPath",
        "spec.template.spec.serviceAccountName",
        "spec.egress",
        "webhooks[0].failurePolicy",
        "values.image.tag",
        '["spec"]',
        "spec.template.spec.nodeSelector",
        "spec.template.spec.tolerations",
        "spec.template.spec.containers[0].securityContext.privileged",
    ):
        if path in ("metadata.labels",):
            continue
        yield Entry(
            f"ignoreChanges {path}",
            "SOV-OPS-07",
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": spec()}}},
            ignored=(path,),
        )
