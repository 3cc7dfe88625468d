"""No network policy opens the world, or the metadata of a node."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_WORLD = r"^[0-9.]+/[0-7]$|^[0-9a-fA-F:]+/([0-9]|1[0-5])$"
"""Ranges so wide that they are the internet's: shorter than any private one."""
_NAME_CACHE = "169.254.20.10/32"
"""NodeLocal DNSCache (Kubernetes' page on it), which answers for names alone."""
_METADATA = r"^169[.]254[.]|^(?i)fd00:ec2:|^fd20:ce:"
"""Link-local addresses, where clouds answer with the identity of a node."""
_POD_IDENTITY = ["169.254.170.23/32", "fd00:ec2::23/128"]
"""EKS's agent, which answers with the identity of the pod that asks, and of no other (EKS user guide,
pod-id-agent-setup)."""
METADATA_SERVER = "corral.dev/metadata-server"
"""Annotation of a policy that opens GKE's metadata server, with value `gke`: it answers with the identity of
the pod that asks, since nodes hide their own there, which SOV-NET-09 keeps."""
METADATA_ADDRESS, METADATA_PORT = "169.254.169.254/32", 80
"""GKE's, under Dataplane V2 (Google's page on Workload Identity Federation for GKE, network policies)."""
_OF_NODE = f"({{0}}.matches({text(_METADATA)}) && !({{0}} in {text([*_POD_IDENTITY, _NAME_CACHE])}))"
_BLOCK = f"(has({{0}}) && ({{0}}.matches({text(_WORLD)}) || {_OF_NODE}))"
_NAMES = "(has(p.port) && string(p.port) in ['53', 'dns', 'dns-tcp', 'dns-udp'])"
_PEERS = "{0}.exists(p, has(p.ipBlock) && " + _BLOCK.format("p.ipBlock.cidr") + ")"
_LIST = "(has({0}) && {0} != null ? {0} : [])"
_OWN = (
    f"(p.ipBlock.cidr == {text(METADATA_ADDRESS)} && "
    f"{text(METADATA_SERVER)} in object.?metadata.?annotations.orValue({{}}) && "
    f"object.metadata.annotations[{text(METADATA_SERVER)}] == 'gke' && "
    "has(r.ports) && r.ports != null && size(r.ports) > 0 && "
    f"r.ports.all(o, has(o.port) && string(o.port) == '{METADATA_PORT}' && !has(o.endPort)))"
)
_PEERS_OUT = (
    "{0}.exists(p, has(p.ipBlock) && "
    + _BLOCK.format("p.ipBlock.cidr")
    + f" && !{_OWN.replace('{', '{{').replace('}', '}}')})"
)
_OUT = _LIST.format("r.to")
_IN = _LIST.format("r.from")
_PORTS = _LIST.format("r.ports")
_NATIVE = (
    "object.?spec.?egress.orValue([]).all(r, "
    f"!{_PEERS_OUT.format(_OUT)} && "
    f"(size({_OUT}) > 0 || (size({_PORTS}) > 0 && {_PORTS}.all(p, {_NAMES})))) && "
    f"object.?spec.?ingress.orValue([]).all(r, !{_PEERS.format(_IN)} && size({_IN}) + size({_PORTS}) > 0)"
)
_ENTITIES = "['world', 'world-ipv4', 'world-ipv6', 'all']"
_OPEN = (
    f"{_LIST.format('r.toEntities')}.exists(e, e in {_ENTITIES}) || "
    f"{_LIST.format('r.fromEntities')}.exists(e, e in {_ENTITIES}) || "
    f"{_LIST.format('r.toCIDR')}.exists(c, {_BLOCK.format('c').replace('has(c) && ', '')}) || "
    f"{_LIST.format('r.fromCIDR')}.exists(c, {_BLOCK.format('c').replace('has(c) && ', '')}) || "
    f"{_LIST.format('r.toCIDRSet')}.exists(c, {_BLOCK.format('c.cidr')}) || "
    f"{_LIST.format('r.fromCIDRSet')}.exists(c, {_BLOCK.format('c.cidr')}) || "
    f"{_LIST.format('r.toFQDNs')}.exists(n, "
    "(has(n.matchPattern) && n.matchPattern.matches('^[*.]*([a-z]+)?$')) || "
    "variables.hubs.exists(h, (has(n.matchName) && (n.matchName == h || n.matchName.endsWith('.' + h))) || "
    "(has(n.matchPattern) && (n.matchPattern == h || n.matchPattern.endsWith('.' + h)))))"
)
_SPECS = (
    "((has(object.spec) && object.spec != null ? [object.spec] : []) + "
    "(has(object.specs) && object.specs != null ? object.specs : []))"
)
_CILIUM = f"{_SPECS}.all(s, ({_LIST.format('s.egress')} + {_LIST.format('s.ingress')}).all(r, !({_OPEN})))"
_ISTIO = (
    "object.?spec.?location.orValue('MESH_EXTERNAL') == 'MESH_INTERNAL' || "
    "object.?spec.?hosts.orValue([]).all(n, n != '*' && !n.matches('^[*][.][a-z]+$') && "
    "!variables.hubs.exists(h, n == h || n.endsWith('.' + h)))"
)
_HUBS = [
    "huggingface.co",
    "hf.co",
    "hf-mirror.com",
    "modelscope.cn",
    "ollama.com",
    "ollama.ai",
    "civitai.com",
    "kaggle.com",
    "openai.com",
    "anthropic.com",
    "docker.io",
    "docker.com",
    "ghcr.io",
    "quay.io",
    "nvcr.io",
    "gcr.io",
    "github.com",
    "githubusercontent.com",
]
"""Public hosts of models, images, code and hosted models."""


def _policy(**spec: Any) -> Mapping[str, Any]:
    return {"kind": "NetworkPolicy", "metadata": {"name": "n"}, "spec": {"podSelector": {}, **spec}}


def _out(*peers: Mapping[str, Any], **rule: Any) -> Mapping[str, Any]:
    return _policy(egress=[{"to": list(peers), **rule}])


def _range(cidr: object, **more: Any) -> Mapping[str, Any]:
    return {"ipBlock": {"cidr": cidr, **more}}


def _on_gke(peer: Mapping[str, Any], value: str = "gke", **rule: Any) -> Mapping[str, Any]:
    return {**_out(peer, **rule), "metadata": {"name": "n", "annotations": {METADATA_SERVER: value}}}


def _cilium(kind: str = "CiliumNetworkPolicy", **rule: Any) -> Mapping[str, Any]:
    return {"kind": kind, "metadata": {"name": "n"}, "spec": {"endpointSelector": {}, "egress": [rule]}}


def _entry(*hosts: str, **spec: Any) -> Mapping[str, Any]:
    return {"kind": "ServiceEntry", "metadata": {"name": "n"}, "spec": {"hosts": list(hosts), **spec}}


CONTROL = Control(
    id="SOV-NET-06",
    title="No network policy opens the world, or the metadata of a node",
    severity=Severity.HIGH,
    sources=("OWASP LLM02", "NSA/CISA hardening"),
    remedy="Name pods, namespaces, the ranges of one's own network, or single hosts of the profile.",
    rule=ObjectRule(
        kinds=("NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "ServiceEntry"),
        parameters=lambda profile: {"hubs": text([] if profile.regions is None else _HUBS)},
        expression=(
            f"object.kind == 'NetworkPolicy' ? ({_NATIVE}) : "
            f"object.kind == 'ServiceEntry' ? ({_ISTIO}) : ({_CILIUM})"
        ),
        message="a network policy opens the world, a public hub, or the metadata of a node",
        instead="the guard `corral-network` at the API server, in the namespaces of tenants",
    ),
    cases=(
        Case(
            "the cache of names of a node",
            Verdict.GOOD,
            _out(_range("169.254.20.10/32")),
        ),
        Case("nothing", Verdict.GOOD, _policy(policyTypes=["Ingress", "Egress"])),
        Case("a namespace", Verdict.GOOD, _out({"namespaceSelector": {}}, ports=[{"port": 443}])),
        Case("a network of one's own", Verdict.GOOD, _out(_range("10.0.0.0/8"))),
        Case("names alone, to anywhere", Verdict.GOOD, _policy(egress=[{"ports": [{"port": 53}]}])),
        Case("a host", Verdict.GOOD, _out(_range("203.0.113.7/32"), ports=[{"port": 443}])),
        Case("the world", Verdict.BAD, _out(_range("0.0.0.0/0"))),
        Case("the world but", Verdict.BAD, _out(_range("0.0.0.0/0", **{"except": ["10.0.0.0/8"]}))),
        Case("the world in two halves", Verdict.BAD, _out(_range("0.0.0.0/1"), _range("128.0.0.0/1"))),
        Case("the world of IPv6", Verdict.BAD, _out(_range("2000::/3"))),
        Case("a network of one's own of IPv6", Verdict.GOOD, _out(_range("fd12:3456:789a::/48"))),
        Case("a rule without peers", Verdict.BAD, _policy(egress=[{}])),
        Case("a port, to anywhere", Verdict.BAD, _policy(egress=[{"ports": [{"port": 443}]}])),
        Case("from the world", Verdict.BAD, _policy(ingress=[{"from": [_range("0.0.0.0/0")]}])),
        Case("from anywhere, to any port", Verdict.BAD, _policy(ingress=[{}])),
        Case("from anywhere in the cluster", Verdict.GOOD, _policy(ingress=[{"ports": [{"port": 80}]}])),
        Case("the metadata", Verdict.BAD, _out(_range("169.254.169.254/32"), ports=[{"port": 80}])),
        Case("GKE's metadata", Verdict.GOOD, _on_gke(_range(METADATA_ADDRESS), ports=[{"port": 80}])),
        Case(
            "GKE's metadata, not known to be it",
            Verdict.BAD,
            _on_gke(_range(METADATA_ADDRESS), "eks", ports=[{"port": 80}]),
        ),
        Case("GKE's metadata, any port", Verdict.BAD, _on_gke(_range(METADATA_ADDRESS))),
        Case(
            "GKE's metadata and more ports",
            Verdict.BAD,
            _on_gke(_range(METADATA_ADDRESS), ports=[{"port": 80}, {"port": 1}]),
        ),
        Case(
            "GKE's metadata and its neighbours",
            Verdict.BAD,
            _on_gke(_range("169.254.169.0/24"), ports=[{"port": 80}]),
        ),
        Case("GKE's metadata and the world", Verdict.BAD, _on_gke(_range("0.0.0.0/0"), ports=[{"port": 80}])),
        Case("the agent of pods", Verdict.GOOD, _out(_range("169.254.170.23/32"), ports=[{"port": 80}])),
        Case("the agent of pods and its neighbours", Verdict.BAD, _out(_range("169.254.170.0/24"))),
        Case("the metadata of IPv6", Verdict.BAD, _out(_range("fd00:ec2::254/128"))),
        Case("Cilium, the world", Verdict.BAD, _cilium(toEntities=["world"])),
        Case("Cilium, the cluster", Verdict.GOOD, _cilium(toEntities=["cluster", "kube-apiserver"])),
        Case("Cilium, a range of all", Verdict.BAD, _cilium(toCIDRSet=[{"cidr": "0.0.0.0/0"}])),
        Case("Cilium, a range", Verdict.GOOD, _cilium(toCIDR=["10.1.0.0/16"])),
        Case("Cilium, any name", Verdict.BAD, _cilium(toFQDNs=[{"matchPattern": "*"}])),
        Case("Cilium, any name of a domain", Verdict.BAD, _cilium(toFQDNs=[{"matchPattern": "*.com"}])),
        Case("Cilium, a hub", Verdict.BAD, _cilium(toFQDNs=[{"matchName": "cdn-lfs.huggingface.co"}])),
        Case("Cilium, a name", Verdict.GOOD, _cilium(toFQDNs=[{"matchName": "s3.example.eu"}])),
        Case(
            "Cilium of the cluster, the world",
            Verdict.BAD,
            _cilium("CiliumClusterwideNetworkPolicy", toEntities=["world"]),
        ),
        Case(
            "Cilium, several",
            Verdict.BAD,
            {"kind": "CiliumNetworkPolicy", "specs": [{"egress": [{"toEntities": ["all"]}]}]},
        ),
        Case("Istio, a hub", Verdict.BAD, _entry("huggingface.co", location="MESH_EXTERNAL")),
        Case("Istio, any name", Verdict.BAD, _entry("*")),
        Case("Istio, a name", Verdict.GOOD, _entry("s3.example.eu")),
        Case("Istio, of the mesh", Verdict.GOOD, _entry("*.local", location="MESH_INTERNAL")),
        Case("not known yet", Verdict.UNDECIDED, _out(_range(UNKNOWN))),
    ),
)
