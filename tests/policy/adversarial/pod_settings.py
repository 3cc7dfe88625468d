"""Images, nodes, devices and plain objects."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.pods_in import SAFE, container, placed, spec
from tests.policy.adversarial.stacks import DIGEST, REGISTRY


def images() -> Iterator[tuple[str, str, dict[str, Any]]]:
    good = f"{REGISTRY}/a{DIGEST}"
    for image in (
        f"docker.io/library/nginx{DIGEST}",
        f"{REGISTRY}.evil.com/a{DIGEST}",
        f"{REGISTRY}@evil.com/a{DIGEST}",
        f"nginx{DIGEST}",
        f"evil.com/{REGISTRY}/a{DIGEST}",
        f"{REGISTRY}:5000/a{DIGEST}",
        f"{REGISTRY}{DIGEST}",
        f"https://{REGISTRY}/a{DIGEST}",
        f"{REGISTRY}/../evil/a{DIGEST}",
        f"gcr.io/p/a{DIGEST}",
        f"{REGISTRY.upper()}/a{DIGEST}",
        f"{REGISTRY}//a{DIGEST}",
        f"{REGISTRY}/a{DIGEST}\nx",
    ):
        yield f"image {image!r}", "SOV-SUP-01", container(image=image)
    for image in (
        f"{REGISTRY}/a:latest",
        f"{REGISTRY}/a",
        f"{REGISTRY}/a@sha256:abc",
        f"{REGISTRY}/a:v1@md5:{'a' * 64}",
        f"{REGISTRY}/a@sha256:{'A' * 64}",
    ):
        yield f"image {image!r}", "SOV-SUP-02", container(image=image)
    del good


def pods() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What Pod Security's baseline refuses, and devices taken past the scheduler."""

    def secured(**more: Any) -> dict[str, Any]:
        return container(securityContext={**SAFE, **more})

    for title, broken in (
        ("privileged", secured(privileged=True)),
        ("a capability", secured(capabilities={"add": ["SYS_ADMIN"]})),
        ("all capabilities", secured(capabilities={"add": ["ALL"]})),
        ("a capability of the network", secured(capabilities={"add": ["NET_RAW"]})),
        ("a bare seccomp", secured(seccompProfile={"type": "Unconfined"})),
        ("a bare AppArmor", secured(appArmorProfile={"type": "Unconfined"})),
        ("procMount", secured(procMount="Unmasked")),
        ("a SELinux user", secured(seLinuxOptions={"user": "system_u"})),
        ("a SELinux type", secured(seLinuxOptions={"type": "spc_t"})),
        ("a process of the host's", secured(windowsOptions={"hostProcess": True})),
        ("a port of the host's", container(ports=[{"containerPort": 80, "hostPort": 80}])),
        (
            "a probe to another host",
            container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}}),
        ),
    ):
        for place, pod in placed(broken):
            yield f"{title}, {place}", "SOV-POD-01", pod
    for title, more in (
        ("hostNetwork", {"hostNetwork": True}),
        ("hostPID", {"hostPID": True}),
        ("hostIPC", {"hostIPC": True}),
        ("hostPath", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
        (
            "hostPath without a type",
            {"volumes": [{"name": "v", "hostPath": {"path": "/var/run/docker.sock"}}]},
        ),
        ("a sysctl", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
        ("seccomp of the pod", {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        ("AppArmor of the pod", {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}),
        ("SELinux of the pod", {"securityContext": {"seLinuxOptions": {"role": "sysadm_r"}}}),
        ("host process of the pod", {"securityContext": {"windowsOptions": {"hostProcess": True}}}),
    ):
        yield title, "SOV-POD-01", spec(**more)
    for title, broken in (
        ("all GPUs", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])),
        ("GPU 0", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "0"}])),
        ("a GPU by its UUID", container(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "GPU-a1"}])),
        (
            "GPUs from a secret",
            container(
                env=[
                    {
                        "name": "NVIDIA_VISIBLE_DEVICES",
                        "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}},
                    }
                ]
            ),
        ),
        ("AMD's GPUs", container(env=[{"name": "AMD_VISIBLE_DEVICES", "value": "all"}])),
        ("MIG's configuration", container(env=[{"name": "NVIDIA_MIG_CONFIG_DEVICES", "value": "all"}])),
        ("MIG's monitor", container(env=[{"name": "NVIDIA_MIG_MONITOR_DEVICES", "value": "all"}])),
        ("IMEX channels", container(env=[{"name": "NVIDIA_IMEX_CHANNELS", "value": "0"}])),
    ):
        if "ROC" in title or "AMD" in title:
            pass
        for place, pod in placed(broken):
            yield f"{title}, {place}", "SOV-GPU-03", pod
    yield (
        "devices by a mount",
        "SOV-GPU-03",
        spec(
            containers=[
                container(volumeMounts=[{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}])
            ],
            volumes=[{"name": "v", "hostPath": {"path": "/dev/null"}}],
        ),
    )
    yield "a device's path", "SOV-GPU-03", spec(volumes=[{"name": "v", "hostPath": {"path": "/dev/nvidia0"}}])
    yield "all devices' path", "SOV-GPU-03", spec(volumes=[{"name": "v", "hostPath": {"path": "/dev"}}])
    yield (
        "the kubelet's sockets",
        "SOV-GPU-03",
        spec(volumes=[{"name": "v", "hostPath": {"path": "/var/lib/kubelet/device-plugins"}}]),
    )


def plain() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    admin = {
        "devices": {
            "requests": [{"name": "g", "exactly": {"deviceClassName": "gpu.nvidia.com", "adminAccess": True}}]
        }
    }
    old = {"devices": {"requests": [{"name": "g", "deviceClassName": "gpu.nvidia.com", "adminAccess": True}]}}
    for title, claim in (("exactly", admin), ("old", old)):
        yield f"admin access, {title}", "SOV-GPU-04", "resource.k8s.io/v1:ResourceClaim", {"spec": claim}
        yield (
            f"admin access, {title}, template",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimTemplate",
            {"spec": {"spec": claim}},
        )
        yield (
            f"admin access, {title}, beta",
            "SOV-GPU-04",
            "resource.k8s.io/v1beta1:ResourceClaimTemplate",
            {"spec": {"spec": claim}},
        )
        yield (
            f"admin access, {title}, patch",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimPatch",
            {"spec": claim},
        )
        yield (
            f"admin access, {title}, list",
            "SOV-GPU-04",
            "resource.k8s.io/v1:ResourceClaimList",
            {"items": [{"spec": claim}]},
        )
    for title, props in (
        ("LoadBalancer", {"spec": {"type": "LoadBalancer"}}),
        ("NodePort", {"spec": {"type": "NodePort"}}),
        ("external addresses", {"spec": {"externalIPs": ["1.2.3.4"]}}),
        (
            "a public annotation",
            {
                "metadata": {
                    "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}
                },
                "spec": {"type": "LoadBalancer"},
            },
        ),
    ):
        yield title, "SOV-NET-07", "core/v1:Service", props
        yield f"{title}, patch", "SOV-NET-07", "core/v1:ServicePatch", props
        yield f"{title}, list", "SOV-NET-07", "core/v1:ServiceList", {"items": [props]}
    yield (
        "another name",
        "SOV-NET-08",
        "core/v1:Service",
        {"spec": {"type": "ExternalName", "externalName": "huggingface.co"}},
    )
    yield (
        "no TLS",
        "SOV-NET-08",
        "networking.k8s.io/v1:Ingress",
        {"spec": {"rules": [{"host": "a.example.eu"}]}},
    )
    yield (
        "a plain listener",
        "SOV-NET-08",
        "gateway.networking.k8s.io/v1:Gateway",
        {"spec": {"gatewayClassName": "a", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}},
    )
    role = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    yield "a master role", "SOV-POD-08", "rbac.authorization.k8s.io/v1:ClusterRole", role
    yield "a master role of a namespace", "SOV-POD-08", "rbac.authorization.k8s.io/v1:Role", role
    yield (
        "a master role, list",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleList",
        {"items": [role]},
    )
    yield (
        "escalation",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {
            "rules": [
                {
                    "apiGroups": ["rbac.authorization.k8s.io"],
                    "resources": ["clusterroles"],
                    "verbs": ["escalate", "bind"],
                }
            ]
        },
    )
    yield (
        "binding of roles",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {
            "rules": [
                {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}
            ]
        },
    )
    yield (
        "all secrets",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        {"rules": [{"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}]},
    )
    yield (
        "cluster-admin to a group",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "t"}],
        },
    )
    yield (
        "strangers",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "x"},
            "subjects": [{"kind": "User", "name": "system:anonymous"}],
        },
    )
    yield (
        "everybody's accounts",
        "SOV-POD-08",
        "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "x"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
        },
    )
    yield (
        "volumes anywhere",
        "SOV-RES-05",
        "storage.k8s.io/v1:StorageClass",
        {"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true", "kmsKeyId": "k"}},
    )
    yield (
        "volumes elsewhere",
        "SOV-RES-05",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "pd.csi.storage.gke.io",
            "parameters": {"disk-encryption-kms-key": "k"},
            "allowedTopologies": [
                {"matchLabelExpressions": [{"key": "topology.gke.io/zone", "values": ["us-east1-b"]}]}
            ],
        },
    )
    yield (
        "volumes without a key",
        "SOV-KEY-04",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "ebs.csi.aws.com",
            "allowedTopologies": [
                {
                    "matchLabelExpressions": [
                        {"key": "topology.kubernetes.io/zone", "values": ["eu-central-1a"]}
                    ]
                }
            ],
        },
    )
    yield (
        "plain volumes",
        "SOV-KEY-04",
        "storage.k8s.io/v1:StorageClass",
        {
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"encrypted": "false", "kmsKeyId": "k"},
            "allowedTopologies": [
                {
                    "matchLabelExpressions": [
                        {"key": "topology.kubernetes.io/zone", "values": ["eu-central-1a"]}
                    ]
                }
            ],
        },
    )
