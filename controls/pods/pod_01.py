"""No pod takes its node: the baseline of the Pod Security Standards."""

from collections.abc import Mapping
from typing import Any

from corral.catalogue.images import image
from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.pods.drivers import drivers
from corral.controls.profiles import Profile

_SYSTEM = ("kube-system",)
"""Namespaces of what a cluster is made of."""
_CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
_SYSCTLS = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_notsent_lowat": 37,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_slow_start_after_idle": 37,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.tcp_wmem": 32,
}
"""Sysctls that the baseline has as safe, and since which minor version (kubernetes/pod-security-admission at
8f84a87, policy/check_sysctls.go)."""
USER_NAMESPACES = 35
"""Minor version since which a pod in a user namespace of its own may be more (policy/helpers.go)."""
_LABELS = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
"""Types of SELinux."""
_PROFILES = ("RuntimeDefault", "Localhost")
_ARMOUR = "container.apparmor.security.beta.kubernetes.io/"
_CALLS = (
    "livenessProbe.httpGet",
    "livenessProbe.tcpSocket",
    "readinessProbe.httpGet",
    "readinessProbe.tcpSocket",
    "startupProbe.httpGet",
    "startupProbe.tcpSocket",
    "lifecycle.postStart.httpGet",
    "lifecycle.postStart.tcpSocket",
    "lifecycle.preStop.httpGet",
    "lifecycle.preStop.tcpSocket",
)
_ANNOTATIONS = (
    "object.?metadata.?annotations.orValue({})",
    "object.?spec.?template.?metadata.?annotations.orValue({})",
    "object.?spec.?jobTemplate.?spec.?template.?metadata.?annotations.orValue({})",
)


def _reach(holder: str, path: str) -> tuple[str, str]:
    """CEL: whether `path` of `holder` is there, and its value."""
    parts = path.split(".")
    heads = [".".join([holder, *parts[: count + 1]]) for count in range(len(parts))]
    return " && ".join(f"has({head})" for head in heads), heads[-1]


def _where(holder: str, path: str, test: str) -> str:
    """CEL: `test` of the value at `path`, true where that is absent; the value stands at `{}`."""
    there, value = _reach(holder, path)
    return f"(!({there}) || {test.format(value)})"


def _of_either(holder: str) -> tuple[str, ...]:
    """What holds for the security context of a pod as well as of a container."""
    return (
        _where(holder, "securityContext.seccompProfile.type", f"{{}} in {text(list(_PROFILES))}"),
        _where(holder, "securityContext.appArmorProfile.type", f"{{}} in {text(list(_PROFILES))}"),
        _where(holder, "securityContext.seLinuxOptions.type", f"{{}} in {text(list(_LABELS))}"),
        _where(holder, "securityContext.seLinuxOptions.user", "{} == ''"),
        _where(holder, "securityContext.seLinuxOptions.role", "{} == ''"),
        _where(holder, "securityContext.windowsOptions.hostProcess", "{} != true"),
    )


_POD = " && ".join(
    (
        *(_where("p", key, "{} != true") for key in ("hostNetwork", "hostPID", "hostIPC")),
        *_of_either("p"),
        _where("p", "securityContext.sysctls", "{}.all(s, !has(s.name) || s.name in variables.sysctls)"),
    )
)
_CONTAINER = " && ".join(
    (
        _where("c", "securityContext.privileged", "{} != true"),
        _where("c", "securityContext.procMount", "variables.mapped || {} == 'Default'"),
        _where("c", "securityContext.capabilities.add", f"{{}}.all(a, a in {text(list(_CAPABILITIES))})"),
        *_of_either("c"),
        _where("c", "ports", "{}.all(o, !has(o.hostPort) || o.hostPort == 0)"),
        *(_where("c", f"{path}.host", "{} == ''") for path in _CALLS),
    )
)
_ARMOURED = " && ".join(
    f"{one}.all(k, !k.startsWith('{_ARMOUR}') || {one}[k] in ['', 'runtime/default'] || "
    f"{one}[k].startsWith('localhost/'))"
    for one in _ANNOTATIONS
)
_PODS = "[variables.pod, variables.pod1, variables.pod2, variables.pod3]"


_MAPPED = f"{_PODS}.all(p, size(p) == 0 || (has(p.hostUsers) && p.hostUsers == false))"
"""CEL: whether every pod is in a user namespace of its own."""


def _parameters(profile: Profile) -> dict[str, str]:
    minor = profile.kubernetes
    return {
        "drivers": text(drivers(profile)),
        "sysctls": text([name for name, since in _SYSCTLS.items() if minor is None or since <= minor]),
        "mapped": _MAPPED if minor is not None and minor >= USER_NAMESPACES else "false",
    }


def _pod(container: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "spec": {"containers": [{"name": "c", "image": "e/x", **(container or {})}], **spec},
    }


def _secured(**context: Any) -> dict[str, Any]:
    return _pod({"securityContext": context})


def _annotated(profile: str) -> dict[str, Any]:
    return {**_pod(), "metadata": {"annotations": {f"{_ARMOUR}c": profile}}}


_UNMASKED = {"procMount": "Unmasked"}
_PATH = [{"name": "v", "hostPath": {"path": "/"}}]
_EXPORTER = image("node-exporter").reference()

CONTROL = Control(
    id="SOV-POD-01",
    title="No pod takes its node",
    severity=Severity.CRITICAL,
    sources=("Pod Security Standards: baseline", "CIS EKS 4.2"),
    remedy="Take the setting out; what has the node for its task belongs to an image of the catalogue.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=_parameters,
        expression=(
            f"object.?metadata.?namespace.orValue('') in {text(list(_SYSTEM))} || "
            f"({_PODS}.all(p, {_POD}) && variables.volumes.all(v, !has(v.hostPath)) && "
            f"variables.containers.all(c, {_CONTAINER}) && {_ARMOURED}) || "
            "(size(variables.images) > 0 && variables.images.all(i, i.matches(variables.drivers)))"
        ),
        message="a pod has what lets it out of its container",
        demanded=("metadata.namespace",),
        instead="Pod Security, whose level every namespace in scope has",
    ),
    cases=(
        Case("nothing stated", Verdict.GOOD, _pod()),
        Case("nothing stated, restricted", Verdict.GOOD, _secured(runAsNonRoot=True, privileged=False)),
        Case("a port below 1024", Verdict.GOOD, _secured(capabilities={"add": ["NET_BIND_SERVICE"]})),
        *(
            Case(f"a safe sysctl, {name}", Verdict.GOOD, _pod(securityContext={"sysctls": [{"name": name}]}))
            for name in ("kernel.shm_rmid_forced", "net.ipv4.tcp_notsent_lowat")
        ),
        Case("an older AppArmor, empty", Verdict.GOOD, _annotated("")),
        Case("a volume in memory", Verdict.GOOD, _pod(volumes=[{"name": "v", "emptyDir": {}}])),
        Case(
            "an exporter of the node's own figures",
            Verdict.GOOD,
            _pod({"image": _EXPORTER}, hostNetwork=True, hostPID=True, volumes=_PATH),
        ),
        Case(
            "what a cluster is made of",
            Verdict.GOOD,
            {**_pod(hostNetwork=True), "metadata": {"namespace": "kube-system"}},
        ),
        *(
            Case(title, Verdict.BAD, subject)
            for title, subject in (
                ("privileged", _secured(privileged=True)),
                ("a capability", _secured(capabilities={"add": ["SYS_ADMIN"]})),
                ("no seccomp", _secured(seccompProfile={"type": "Unconfined"})),
                ("no AppArmor", _secured(appArmorProfile={"type": "Unconfined"})),
                ("/proc unmasked", _secured(procMount="Unmasked")),
                ("a type of SELinux", _secured(seLinuxOptions={"type": "spc_t"})),
                ("a process of a Windows host", _secured(windowsOptions={"hostProcess": True})),
                ("the node's network", _pod(hostNetwork=True)),
                ("the node's processes", _pod(hostPID=True)),
                ("the node's memory", _pod(hostIPC=True)),
                ("the node's files", _pod(volumes=_PATH)),
                ("a port of the node", _pod({"ports": [{"containerPort": 80, "hostPort": 80}]})),
                ("a sysctl of the node", _pod(securityContext={"sysctls": [{"name": "kernel.msgmax"}]})),
                ("no seccomp for the pod", _pod(securityContext={"seccompProfile": {"type": "Unconfined"}})),
                ("a probe of another host", _pod({"livenessProbe": {"httpGet": {"host": "10.0.0.1"}}})),
                (
                    "an image that only begins like a driver's",
                    _pod({"image": _EXPORTER.partition(":")[0] + "-evil:1"}, hostPID=True),
                ),
                (
                    "an init container",
                    _pod(initContainers=[{"name": "i", "securityContext": {"privileged": True}}]),
                ),
                (
                    "a container of a debugger",
                    _pod(ephemeralContainers=[{"name": "d", "securityContext": {"privileged": True}}]),
                ),
                ("an older AppArmor", _annotated("unconfined")),
            )
        ),
        *(
            Case(title, verdict, _pod({"securityContext": context}, hostUsers=users), profile=profile)
            for title, verdict, profile, users, context in (
                ("/proc unmasked in a user namespace, since 1.35", Verdict.GOOD, "1.35", False, _UNMASKED),
                ("/proc unmasked in one before", Verdict.BAD, "1.34", False, _UNMASKED),
                ("/proc unmasked in one of who knows which", Verdict.BAD, "eu-resident", False, _UNMASKED),
                ("/proc unmasked among the node's users", Verdict.BAD, "1.35", True, _UNMASKED),
                ("privileged in a user namespace", Verdict.BAD, "1.35", False, {"privileged": True}),
            )
        ),
        *(
            Case(
                f"a sysctl that is safe since 1.37, on {profile}",
                verdict,
                _pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_notsent_lowat"}]}),
                profile=profile,
            )
            for profile, verdict in (("1.35", Verdict.BAD), ("1.37", Verdict.GOOD))
        ),
        Case("not known yet", Verdict.UNDECIDED, _pod(hostNetwork=UNKNOWN)),
    ),
)
