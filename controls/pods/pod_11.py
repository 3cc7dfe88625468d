"""No volume is a folder that the node itself lives by."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_FOLDERS = (
    "bin",
    "boot",
    "dev",
    "etc",
    "home/kubernetes",
    "lib",
    "lib64",
    "opt/(cni|containerd|nvidia)",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "usr",
    "var/log",
    "var/run",
    "var/spool",
    "var/lib/(kubelet|docker|containerd|containers|crio|etcd|cni|calico|cilium|cloud|dpkg|rpm|systemd|kubernetes"
    "|kube-proxy|k0s|kubeadm|nfs|rook|ceph|longhorn|microk8s)",
    "var/lib/rancher/(rke2|k3s/(agent|data|server|etc))",
    "var/snap/microk8s/(current|[0-9]+)",
)
"""Folders of what a node is made of, with all below them."""
_WHOLE = (
    "home",
    "opt",
    "srv",
    "var",
    "var/(lib|cache|opt|snap)",
    "var/lib/rancher(/k3s(/storage)?)?",
    "var/openebs(/local)?",
    "(opt|var)/local-path-provisioner",
)
"""Folders that hold those, or the volumes of everybody; below them each may have its own."""
_STEP = "/([.]?/)*"
"""What parts folders, however it is written."""
_LIVED = "|".join(_FOLDERS).replace("/", _STEP)
_HELD = "|".join(_WHOLE).replace("/", _STEP)
_WINDOWS = r"^[A-Za-z]:[\\/]*$|(?i)^[a-z]:[\\/]+(windows|programdata|etc|var|k)([\\/]|$)"
_SYSTEM = (
    rf"^{_STEP}$|^{_STEP}({_LIVED})(/|$)|^{_STEP}({_HELD})({_STEP})?$|(^|/)[.][.](/|$)|[.]sock/*$|{_WINDOWS}"
)
_BLOCK = "/dev/"
_LOCAL = "object.?spec.?local.?path.orValue('')"
_PATHS = f"[object.?spec.?hostPath.?path.orValue(''), {_LOCAL}]"
_EXPRESSION = (
    f"{_PATHS}.all(p, p == '' || !p.matches({text(_SYSTEM)}) || "
    f"(p == {_LOCAL} && p.startsWith('{_BLOCK}') && !p.contains('..') && "
    "object.?spec.?volumeMode.orValue('') == 'Block'))"
)


def _volume(path: Any, kind: str = "local", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "v"},
        "spec": {"capacity": {"storage": "1Gi"}, kind: {"path": path}, **spec},
    }


_THE_NODES = (
    "/",
    "//",
    "/./",
    "/etc",
    "/etc/kubernetes/pki",
    "//etc/",
    "/./etc",
    "/var//lib/./kubelet/pki",
    "/var/./",
    "/var/lib/kubelet",
    "/var/lib/kubelet/pods",
    "/run/containerd/containerd.sock",
    "/var/run/docker.sock",
    "/mnt/models/../../etc",
    "/data/engine.sock",
    "/var/lib",
    "/opt/local-path-provisioner",
    "/var/lib/rancher/k3s/storage/",
    "/var/lib/rancher/k3s/server/node-token",
    "/root/.ssh",
    "C:\\Windows",
)
_THEIR_OWN = (
    "/mnt/models",
    "/mnt/disks/ssd1",
    "/models",
    "/data",
    "/etcetera",
    "/srv/models",
    "/var/lib/models",
    "/var/lib/kubelet-models",
    "/opt/local-path-provisioner/pvc-1_team-a_models",
    "/var/lib/rancher/k3s/storage/pvc-1_team-a_models",
    "/var/openebs/local/pvc-1",
    "/home/models",
)
CONTROL = Control(
    id="SOV-POD-11",
    title="No volume is a folder that its node lives by",
    severity=Severity.CRITICAL,
    sources=("Pod Security Standards: baseline", "NSA/CISA hardening"),
    remedy="Give the volume a folder of its own, such as `/mnt/models`.",
    rule=ObjectRule(
        kinds=("PersistentVolume",),
        expression=_EXPRESSION,
        message="a volume is a folder of its node's system, or of everybody's volumes",
        reads=("spec.hostPath", "spec.local"),
        instead="volumes are the cluster's, and no tenant may make one",
    ),
    cases=(
        *(
            Case(f"{path} by {kind}", verdict, _volume(path, kind))
            for verdict, paths in ((Verdict.BAD, _THE_NODES), (Verdict.GOOD, _THEIR_OWN))
            for kind in ("hostPath", "local")
            for path in paths
        ),
        Case("a disk as it is", Verdict.GOOD, _volume("/dev/disk/by-id/nvme-1", volumeMode="Block")),
        Case("a disk that is a folder", Verdict.BAD, _volume("/dev/disk/by-id/nvme-1")),
        Case("a device of the host", Verdict.BAD, _volume("/dev/mem", "hostPath", volumeMode="Block")),
        Case(
            "a disk of a driver",
            Verdict.GOOD,
            {"kind": "PersistentVolume", "spec": {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "v"}}},
        ),
        Case("not known yet", Verdict.UNDECIDED, _volume(UNKNOWN)),
    ),
)
