"""The control plane: defined by kwokctl once, and from then on a list of programs with their arguments."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from corral.catalogue import yamls
from corral.embedded.home import PlaneHome, private_directory, write_private
from corral.embedded.plane.record import PlaneRecord

KUBERNETES_VERSION = "v1.35.4"
FEATURE_GATES = "DRAPartitionableDevices=true"
BINARIES: Mapping[str, str] = {
    "etcd": "etcd",
    "kube-apiserver": "kube-apiserver",
    "kube-controller-manager": "kube-controller-manager",
    "kube-scheduler": "kube-scheduler",
    "kwok-controller": "kwok",
}
"""Components in the order in which they start, and the program of each."""
DEFINITION_SECONDS = 120
AGGREGATED: Mapping[str, str] = {
    "requestheader-allowed-names": "kwok-admin",
    "requestheader-username-headers": "X-Remote-User",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
}
"""By what API servers behind this one, such as that of external metrics, know who calls: the name in the
certificate that kwokctl lets it show, and its own headers."""
THRIFT: Mapping[str, Mapping[str, str]] = {"kube-apiserver": {"GOGC": "40"}}
"""Environment by component, unless the caller's has it: the API server alone holds half of a plane's memory,
most of it garbage; a larger `GOGC` saves a fifth of its time."""

Tool = Callable[[str], Path]
"""Finds a program of the toolchain by name."""


class ControlPlaneError(Exception):
    """kwokctl could not define the control plane."""


@dataclass(frozen=True)
class Program:
    """One program that the supervisor keeps running."""

    name: str
    argv: Sequence[str]
    cwd: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the supervisor's own environment."""


def cluster_folder(home: PlaneHome) -> Path:
    """kwokctl's folder of this plane's cluster: definition, certificates, etcd's data, logs."""
    return home.control / "clusters" / home.name


def certificates(home: PlaneHome) -> Path:
    """Folder of ca.crt, admin.crt and admin.key."""
    return cluster_folder(home) / "pki"


def egress_configuration(record: PlaneRecord) -> str:
    """How the API server reaches pods, Services and webhooks: CONNECT on the node's socket."""
    return yaml.safe_dump(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [
                {
                    "name": "cluster",
                    "connection": {
                        "proxyProtocol": "HTTPConnect",
                        "transport": {"uds": {"udsName": record.egress_socket}},
                    },
                }
            ],
        },
        sort_keys=False,
    )


def scheduler_configuration(home: PlaneHome) -> str:
    """How the scheduler works: alone, and it looks again at a pod after 1 s, not after up to 10."""
    return yaml.safe_dump(
        {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": {"kubeconfig": str(cluster_folder(home) / "kubeconfig.yaml")},
            "leaderElection": {"leaderElect": False},
            "podInitialBackoffSeconds": 1,
            "podMaxBackoffSeconds": 1,
        },
        sort_keys=False,
    )


def stages() -> str:
    """What simulated nodes and pods do, for kwok."""
    return Path(__file__).with_name("stages.yaml").read_text()


def configuration(home: PlaneHome, record: PlaneRecord) -> str:
    """kwokctl's configuration of this plane; everything listens on 127.0.0.1."""
    api_server = {
        "service-cluster-ip-range": record.service_range,
        "egress-selector-config-file": str(home.control / "egress.yaml"),
        # Private and the plane's own: the default is an address of this machine, and needs a network.
        "advertise-address": f"10.{record.pod_octet}.0.1",
        **AGGREGATED,
        "requestheader-client-ca-file": str(certificates(home) / "ca.crt"),
    }
    patches = {
        "kube-apiserver": api_server,
        "kube-controller-manager": {
            "service-cluster-ip-range": record.service_range,
            # There is no other: a lease costs two writes a second, and shuts a restarted one out.
            "leader-elect": "false",
        },
        "kube-scheduler": {"config": str(home.control / "scheduler.yaml")},
        "etcd": {"snapshot-count": "10000"},
    }
    document: dict[str, Any] = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "kubeVersion": KUBERNETES_VERSION,
            "kubeFeatureGates": FEATURE_GATES,
            "kubeApiserverPort": record.api_port,
            "kubeApiserverCertSANs": ["localhost", "kubernetes.default.svc"],
            **record.ports,
        },
        "componentsPatches": [
            {"name": name, "extraArgs": [{"key": key, "value": value} for key, value in arguments.items()]}
            for name, arguments in patches.items()
        ]
        + [
            {
                "name": "kwok-controller",
                "extraArgs": [
                    {"key": "config", "value": str(home.control / "stages.yaml"), "override": True},
                    {"key": "cidr", "value": f"10.{record.service_octet}.0.1/16"},
                    # A lease would shut a restarted kwok out until the one of its predecessor has run out.
                    {"key": "node-lease-duration-seconds", "value": "0", "override": True},
                ],
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False) + "---\n" + stages()


def refresh(home: PlaneHome, record: PlaneRecord, tool: Tool) -> None:
    """Write what components read at their start, and point kwokctl's links at the toolchain's programs."""
    write_private(home.control / "egress.yaml", egress_configuration(record))
    write_private(home.control / "scheduler.yaml", scheduler_configuration(home))
    write_private(home.control / "stages.yaml", stages())
    links = private_directory(cluster_folder(home) / "bin")
    for name, binary in BINARIES.items():
        scratch = links / f".{name}"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(tool(binary))
        scratch.replace(links / name)


def define(home: PlaneHome, record: PlaneRecord, tool: Tool) -> None:
    """Let kwokctl make certificates and arguments, and start the components; nothing to do when it did.

    Raises:
        ControlPlaneError: kwokctl failed; holds the end of what it said.
    """
    if defined(home):
        refresh(home, record, tool)
        return
    # Without a complete definition nothing of an earlier attempt is of use.
    shutil.rmtree(cluster_folder(home), ignore_errors=True)
    refresh(home, record, tool)
    private_directory(home.logs)
    write_private(home.control / "kwokctl.yaml", configuration(home, record))
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home.control),
        "KWOK_WORKDIR": str(home.control),
        "KWOK_ETCD_BINARY": str(tool("etcd")),
        "KWOK_KUBE_APISERVER_BINARY": str(tool("kube-apiserver")),
        "KWOK_KUBE_CONTROLLER_MANAGER_BINARY": str(tool("kube-controller-manager")),
        "KWOK_KUBE_SCHEDULER_BINARY": str(tool("kube-scheduler")),
        "KWOK_CONTROLLER_BINARY": str(tool("kwok")),
        # kwokctl waits by calling kubectl in a loop; the supervisor waits itself, and sees what failed.
        "KWOK_KUBECTL_BINARY": shutil.which("true") or "/bin/true",
    }
    command = [str(tool("kwokctl")), "create", "cluster", "--name", home.name, "--runtime", "binary"]
    command += ["--config", str(home.control / "kwokctl.yaml"), "--kubeconfig", ""]
    log = home.logs / "kwokctl.log"
    try:
        with log.open("wb") as output:
            subprocess.run(
                command,
                env=environment,
                cwd=home.control,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                umask=0o077,
                timeout=DEFINITION_SECONDS,
                check=True,
            )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as cause:
        raise ControlPlaneError(
            f"kwokctl could not create the control plane: {cause}\n{tail(log)}"
        ) from cause
    if not defined(home):
        raise ControlPlaneError(f"kwokctl left no complete definition of the control plane\n{tail(log)}")


def defined(home: PlaneHome) -> bool:
    """Whether kwokctl's definition of the cluster is complete."""
    return {component["name"] for component in _components(home)} >= BINARIES.keys()


def programs(home: PlaneHome) -> list[Program]:
    """The components in starting order, as kwokctl starts them."""
    folder = cluster_folder(home)
    known = {component["name"]: component for component in _components(home)}
    return [
        Program(
            name=name,
            argv=[str(folder / "bin" / name), *known[name].get("args", ())],
            cwd=folder,
            log=folder / "logs" / f"{name}.log",
            # kwok keeps a discovery cache below HOME.
            env={
                "HOME": str(home.control),
                **{key: os.environ.get(key, value) for key, value in THRIFT.get(name, {}).items()},
                **{entry["name"]: entry["value"] for entry in known[name].get("envs", ())},
            },
        )
        for name in BINARIES
    ]


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, indented; empty when there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 16_384))
            text = stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join("  " + line for line in text.splitlines()[-lines:])


def _components(home: PlaneHome) -> list[dict[str, Any]]:
    try:
        documents = list(yamls.load_all((cluster_folder(home) / "kwok.yaml").read_text()))
    except (FileNotFoundError, yaml.YAMLError):
        return []
    for document in documents:
        if isinstance(document, dict) and "components" in document:
            return cast(list[dict[str, Any]], document["components"])
    return []
