"""What travels is encrypted, by TLS 1.2 or later."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import Setting, Table, false, limited, missing, needed, true

_OLD = "lets in TLS before 1.2"
_PLAIN = "lets in plain text"
_LISTENER = "aws:lb/listener:Listener"
_LISTENERS = (_LISTENER, "aws:alb/listener:Listener")
_SERVED = tuple(
    f"kubernetes:apiregistration.k8s.io/{version}:APIService{end}"
    for version in ("v1", "v1beta1")
    for end in ("", "Patch", "List", "ListPatch")
)
"""Types of what a cluster's API has another server answer."""
_POLICY = re.compile(r"ELBSecurityPolicy-(?:TLS13-1-[23]-.*|TLS-1-2-.*|FS-1-2-.*)")
"""Policies of a load balancer that let in TLS 1.2 at the earliest."""
_MODERN = re.compile(r"Policy-Min-TLS-1-[23].*|TLS_?(?:V)?1[._][23].*|TLSv?1\.[23].*", re.IGNORECASE)
_REDIRECT = "redirect"


def _modern(value: Any) -> bool:
    return _MODERN.fullmatch(str(value)) is not None


def _is(*words: str) -> Callable[[Any], bool]:
    return lambda value: str(value) in words


_TABLE: Table = {
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        needed("transitEncryptionEnabled", true, f"is not true, which {_PLAIN}"),
        limited("transitEncryptionMode", _is("required"), _PLAIN),
    ),
    "aws:memorydb/cluster:Cluster": (limited("tlsEnabled", true, f"is false, which {_PLAIN}"),),
    "aws:msk/cluster:Cluster": (
        limited("encryptionInfo.encryptionInTransit.clientBroker", _is("TLS"), _PLAIN),
        limited("encryptionInfo.encryptionInTransit.inCluster", true, _PLAIN),
    ),
    "aws:opensearch/domain:Domain": (
        needed("domainEndpointOptions.enforceHttps", true, f"is not true, which {_PLAIN}"),
        needed("domainEndpointOptions.tlsSecurityPolicy", _modern, _OLD),
        needed("nodeToNodeEncryption.enabled", true, "is not true, so nodes talk in plain text"),
    ),
    "aws:apigateway/domainName:DomainName": (needed("securityPolicy", _modern, _OLD),),
    "aws:apigatewayv2/domainName:DomainName": (
        needed("domainNameConfiguration.securityPolicy", _modern, _OLD),
    ),
    "aws:transfer/server:Server": (limited("protocols", lambda one: str(one) != "FTP", _PLAIN),),
    "gcp:compute/sSLPolicy:SSLPolicy": (needed("minTlsVersion", _modern, _OLD),),
    "gcp:compute/regionSslPolicy:RegionSslPolicy": (needed("minTlsVersion", _modern, _OLD),),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        needed(
            "settings.ipConfiguration.sslMode",
            _is("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
            f"is not ENCRYPTED_ONLY, which {_PLAIN}",
        ),
    ),
    "gcp:redis/instance:Instance": (
        needed("transitEncryptionMode", _is("SERVER_AUTHENTICATION"), f"is not set, which {_PLAIN}"),
    ),
    "gcp:redis/cluster:Cluster": (
        needed(
            "transitEncryptionMode",
            _is("TRANSIT_ENCRYPTION_MODE_SERVER_AUTHENTICATION"),
            f"is not set, which {_PLAIN}",
        ),
    ),
    "gcp:alloydb/instance:Instance": (
        limited("clientConnectionConfig.sslConfig.sslMode", _is("ENCRYPTED_ONLY"), _PLAIN),
    ),
    **dict.fromkeys(
        _SERVED,
        (
            Setting(
                ("spec.insecureSkipTLSVerify", "items.spec.insecureSkipTLSVerify"),
                false,
                "`spec.insecureSkipTLSVerify` is true, so whoever answers in place of the server is believed",
                absent=True,
            ),
        ),
    ),
    **dict.fromkeys(
        _LISTENERS,
        (needed("sslPolicy", lambda one: _POLICY.fullmatch(str(one)) is not None, _OLD),),
    ),
}


def _encrypted(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type not in _LISTENERS:
        yield from missing(_TABLE[subject.type], subject)
        return
    protocol = str(subject.value("protocol", "HTTP"))
    kinds = subject.values("defaultActions.type")
    if protocol == "HTTP" and UNKNOWN in kinds:
        raise Undecided("`defaultActions` is not known yet")
    if protocol == "HTTP" and not (kinds and all(kind == _REDIRECT for kind in kinds)):
        yield "`protocol` is HTTP, so plain text comes in"
    if protocol in ("HTTPS", "TLS"):
        yield from missing(_TABLE[subject.type], subject)


def _listener(protocol: str, **props: Any) -> Resource:
    return Resource(_LISTENER, "l", {"protocol": protocol, **props})


_CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
_SQL = "gcp:sql/databaseInstance:DatabaseInstance"


def _sql(mode: object) -> Resource:
    return Resource(_SQL, "d", {"settings": {"ipConfiguration": {"sslMode": mode}}})


CONTROL = Control(
    id="SOV-KEY-12",
    title="What travels is encrypted, by TLS 1.2 or later",
    severity=Severity.MEDIUM,
    sources=("C5:2026", "DORA RTS 6", "NIS2 9"),
    remedy="Set the property that the message names; redirect listeners of plain text to one that is none.",
    rule=ResourceRule(lambda token: token in _TABLE, _encrypted),
    cases=(
        Case("TLS 1.3", Verdict.GOOD, _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")),
        Case("TLS 1.2", Verdict.GOOD, _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")),
        Case("TLS 1.0", Verdict.BAD, _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-0-2021-06")),
        Case("the provider's default", Verdict.BAD, _listener("HTTPS")),
        Case("plain text", Verdict.BAD, _listener("HTTP", defaultActions=[{"type": "forward"}])),
        Case("a redirect", Verdict.GOOD, _listener("HTTP", defaultActions=[{"type": "redirect"}])),
        Case("a listener of TCP", Verdict.GOOD, _listener("TCP")),
        Case("a cache without", Verdict.BAD, Resource(_CACHE, "c", {"transitEncryptionEnabled": False})),
        Case("a cache with", Verdict.GOOD, Resource(_CACHE, "c", {"transitEncryptionEnabled": True})),
        Case("a database that takes both", Verdict.BAD, _sql("ALLOW_UNENCRYPTED_AND_ENCRYPTED")),
        Case("a database that takes one", Verdict.GOOD, _sql("ENCRYPTED_ONLY")),
        Case(
            "an old policy of Google's",
            Verdict.BAD,
            Resource("gcp:compute/sSLPolicy:SSLPolicy", "p", {"minTlsVersion": "TLS_1_0"}),
        ),
        Case(
            "a newer policy of Google's",
            Verdict.GOOD,
            Resource("gcp:compute/sSLPolicy:SSLPolicy", "p", {"minTlsVersion": "TLS_1_2"}),
        ),
        Case(
            "actions not known yet",
            Verdict.UNDECIDED,
            _listener("HTTP", defaultActions=[{"type": UNKNOWN}]),
        ),
        *(
            Case(f"an API whose server is {title}", verdict, Resource(_SERVED[0], "a", {"spec": spec}))
            for title, verdict, spec in (
                ("verified", Verdict.GOOD, {"group": "a", "caBundle": "x"}),
                ("said to be verified", Verdict.GOOD, {"group": "a", "insecureSkipTLSVerify": False}),
                ("not verified", Verdict.BAD, {"group": "a", "insecureSkipTLSVerify": True}),
                ("not verified, as text", Verdict.BAD, {"group": "a", "insecureSkipTLSVerify": "true"}),
                ("not known yet", Verdict.UNDECIDED, {"insecureSkipTLSVerify": UNKNOWN}),
            )
        ),
        Case("not known yet", Verdict.UNDECIDED, _sql(UNKNOWN)),
    ),
)
