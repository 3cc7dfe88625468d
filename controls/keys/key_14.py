"""Secrets are read from stores within the profile."""

import re
from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import KINDS
from corral.controls.levels import Severity
from corral.controls.network.hosts import PUBLIC
from corral.controls.profiles import Profile

_HOSTED = (
    *("hashicorp.cloud", "1password.com", "1password.eu", "infisical.com", "conjur.cloud"),
    *("secretsmgmt.cyberark.cloud", "passbolt.cloud", "passbolt.com"),
)
"""Hosts at which makers of stores keep the secrets of others."""
_INSIDE = r"(?i)^(https?:[/]{2})?[a-z0-9.-]+[.]svc([.]cluster[.]local)?(:[0-9]+)?(/|$)"
_OWN = r"(?i)^https:[/]{2}[a-z0-9.-]+(:[0-9]+)?(/|$)"
_NAMES = "|".join(re.escape(one) for one in (*PUBLIC, *_HOSTED))
_ELSEWHERE = rf"(?i)^https:[/]{{2}}([a-z0-9-]+[.])*({_NAMES})[.]?(:[0-9]+)?(/|$)"
_CLUSTER = r"(?i)^((https:[/]{2})?kubernetes[.]default)?$"
"""The API server of the cluster itself, which is also what an absent address stands for."""
_PLACES = {"aws": "region", "gcpsm": "location"}
"""Field that says in which region the store of a cloud is."""
_ADDRESSES = {
    "vault": "server",
    "openBao": "server",
    "webhook": "url",
    "conjur": "url",
    "passbolt": "host",
    "onepassword": "connectHost",
    "infisical": "hostAPI",
    "gitlab": "url",
}
"""Field that says where a store of one's own is; one that its maker keeps where it is absent is refused."""


def _own(address: str) -> str:
    """CEL: whether an address is in the cluster, or one of one's own that is reached with TLS."""
    return (
        f"({address}.matches({text(_INSIDE)}) || "
        f"({address}.matches({text(_OWN)}) && !{address}.matches({text(_ELSEWHERE)})))"
    )


def _field(provider: str, path: str) -> str:
    return f"object.spec.provider.?{provider}.?{path.replace('.', '.?')}.orValue('')"


_API = _field("kubernetes", "server.url")
_EXPRESSION = (
    "variables.anywhere || (has(object.spec) && has(object.spec.provider) && "
    "size(object.spec.provider) > 0 && object.spec.provider.all(p, "
    + "".join(f"p == '{one}' ? {_field(one, field)} in variables.places : " for one, field in _PLACES.items())
    + "".join(f"p == '{one}' ? {_own(_field(one, field))} : " for one, field in _ADDRESSES.items())
    + f"p == 'kubernetes' ? ({_API}.matches({text(_CLUSTER)}) || {_own(_API)}) : false))"
)


def _parameters(profile: Profile) -> Mapping[str, str]:
    return {
        "anywhere": "true" if profile.regions is None else "false",
        "places": text(sorted(profile.regions or ())),
    }


def _store(provider: Any, kind: str = "ClusterSecretStore") -> Mapping[str, Any]:
    return {
        "apiVersion": KINDS[kind].api_version,
        "kind": kind,
        "metadata": {"name": "s"},
        "spec": {"provider": provider},
    }


def _vault(server: str) -> Mapping[str, Any]:
    return _store({"vault": {"server": server}})


def _aws(region: Any) -> Mapping[str, Any]:
    return _store({"aws": {"service": "SecretsManager", "region": region}})


CONTROL = Control(
    id="SOV-KEY-14",
    title="Secrets are read from stores within the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "C5 CRY-03"),
    remedy="Use a Vault or OpenBao of your own, reached with TLS, or your cloud's store in the region.",
    rule=ObjectRule(
        kinds=("SecretStore", "ClusterSecretStore"),
        parameters=_parameters,
        expression=_EXPRESSION,
        message="the store of secrets is not one within the profile",
        demanded=("spec.provider",),
    ),
    cases=(
        Case("a Vault of one's own", Verdict.GOOD, _vault("https://vault.example.eu:8200")),
        Case("a Vault in the cluster", Verdict.GOOD, _vault("http://vault.vault.svc:8200")),
        Case(
            "a Vault in the cluster by its whole name", Verdict.GOOD, _vault("http://v.v.svc.cluster.local")
        ),
        Case("a Vault without TLS", Verdict.BAD, _vault("http://vault.example.eu:8200")),
        Case("a Vault that its maker keeps", Verdict.BAD, _vault("https://a.b.hashicorp.cloud:8200")),
        Case("a Vault whose name only ends alike", Verdict.GOOD, _vault("https://myhashicorp.cloud")),
        Case(
            "a Vault whose name only begins in the cluster", Verdict.BAD, _vault("http://v.svc.example.com")
        ),
        Case("a name in the address of another", Verdict.BAD, _vault("https://v.svc@evil.example.com")),
        Case("AWS, the region", Verdict.GOOD, _aws("eu-central-1")),
        Case("AWS, a region outside", Verdict.BAD, _aws("us-east-1")),
        Case("AWS, a zone in place of the region", Verdict.BAD, _aws("eu-central-1a")),
        Case("AWS, of one namespace", Verdict.BAD, _store({"aws": {"region": "us-east-1"}}, "SecretStore")),
        Case("Google, a region outside", Verdict.BAD, _store({"gcpsm": {"location": "us-east1"}})),
        Case("Google, everywhere", Verdict.BAD, _store({"gcpsm": {"projectID": "p"}})),
        Case("the cluster's own Secrets", Verdict.GOOD, _store({"kubernetes": {"auth": {}}}, "SecretStore")),
        Case(
            "another cluster's, public",
            Verdict.BAD,
            _store({"kubernetes": {"server": {"url": "https://a.gr7.eu-west-1.eks.amazonaws.com"}}}),
        ),
        Case("GitLab, its maker's", Verdict.BAD, _store({"gitlab": {"projectID": "1"}})),
        Case("GitLab, one's own", Verdict.GOOD, _store({"gitlab": {"url": "https://git.example.eu"}})),
        Case("a service that says no place", Verdict.BAD, _store({"doppler": {"project": "p"}})),
        Case(
            "Azure, whose address says no region", Verdict.BAD, _store({"azurekv": {"vaultUrl": "https://a"}})
        ),
        Case("values in the object itself", Verdict.BAD, _store({"fake": {"data": []}})),
        Case("no provider", Verdict.BAD, _store({})),
        Case("anywhere in profile open", Verdict.GOOD, _aws("us-east-1"), profile="open"),
        Case("not known yet", Verdict.UNDECIDED, _aws(UNKNOWN)),
    ),
    not_enforced=(
        "where a host of one's own stands: its name does not say",
        "generators (`generators.external-secrets.io`), which make credentials at a cloud or a registry",
        "a store that was there before the policies: the plan compares it with what the stack file states",
    ),
)
