"""Who verifies signatures of images trusts keys of one's own, and verifies every image."""

from collections.abc import Iterator
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true
from corral.controls.supply.image_policies import distrusted, unverified, verifies_images


def _signed(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type.endswith("Patch") and "spec" not in subject.props:
        return
    if true(subject.value("spec.credentials.allowInsecureRegistry", False)):
        yield "`spec.credentials.allowInsecureRegistry` is true, so whoever is on the way can answer"
    actions = subject.value("spec.validationActions", ["Deny"])
    if "Deny" not in actions and UNKNOWN not in actions:
        yield "`spec.validationActions` has no Deny, so an unsigned image is only reported"
    yield from distrusted(subject)
    yield from unverified(subject)


_LOG = {"ctlog": {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}}
_KEY = {"name": "own", "cosign": {"key": {"data": "-----BEGIN PUBLIC KEY-----"}, **_LOG}}
_WHO = {"issuer": "https://id.example.eu", "subject": "https://ci.example.eu/release"}
_ALL = ("images.containers", "images.initContainers", "images.ephemeralContainers")


def _expression(*lists: str, demand: str = " > 0") -> str:
    verified = f".all(i, verifyImageSignatures(i, [attestors.own]){demand})"
    return " && ".join(f"{one}{verified}" for one in lists)


def _policy(*attestors: Any, expression: Any = None, token: str = "", **spec: Any) -> Resource:
    checked = _expression(*_ALL) if expression is None else expression
    return Resource(
        f"kubernetes:policies.kyverno.io/{token or 'v1:ImageValidatingPolicy'}",
        "p",
        {
            "spec": {
                "attestors": list(attestors),
                "validations": [{"expression": checked}],
                "validationActions": ["Deny"],
                **spec,
            }
        },
    )


def _sigstore(who: Any, **tuf: Any) -> dict[str, Any]:
    return {"name": "own", "cosign": {"keyless": {"identities": who}, **({"tuf": tuf} if tuf else {})}}


_OWN_ROOT = {"mirror": "https://tuf.example.eu", "root": {"data": "e30="}}

CONTROL = Control(
    id="SOV-SUP-03",
    title="Who verifies signatures of images trusts keys of one's own, for every image",
    severity=Severity.CRITICAL,
    sources=("C5 OPS-34", "SOV-5"),
    remedy="State `sovereignty.signatures`: a public key, or a Sigstore of one's own with mirror and root.",
    rule=ResourceRule(verifies_images, _signed),
    not_enforced=(
        "a stack without `sovereignty.signatures` has no policy that verifies images, and nothing here "
        "demands one: the control says what such a policy must be. The policy that the section makes is "
        "tested with keys on the live Kyverno of a plane; a Sigstore of one's own was not seen running, and "
        "Kyverno 1.19.0 passes over containers of debuggers (kyverno issue 16947). Older "
        "policies (`ClusterPolicy` with `verifyImages`) are not evaluated",
    ),
    cases=(
        Case("a key", Verdict.GOOD, _policy(_KEY)),
        Case(
            "a certificate",
            Verdict.GOOD,
            _policy({"name": "own", "cosign": {"certificate": {"cert": {"value": "x"}}, **_LOG}}),
        ),
        Case(
            "certificates of Notary",
            Verdict.GOOD,
            _policy({"name": "own", "notary": {"certs": {"value": "x"}}}),
        ),
        Case("a Sigstore of one's own", Verdict.GOOD, _policy(_sigstore([_WHO], **_OWN_ROOT))),
        Case(
            "a key and a log of one's own",
            Verdict.GOOD,
            _policy(
                {
                    "name": "own",
                    "cosign": {"key": {"data": "x"}, "ctlog": {"url": "https://rekor.example.eu"}},
                }
            ),
        ),
        Case(
            "another spelling, in a variable",
            Verdict.GOOD,
            _policy(
                _KEY,
                expression="variables.all.all(i, verifyImageSignatures( i, [ attestors.own ] ) >= 1)",
                variables=[{"name": "all", "expression": " + ".join(_ALL)}],
            ),
        ),
        Case(
            "lists by their names in brackets",
            Verdict.GOOD,
            _policy(_KEY, expression=_expression(*(f"images['{one.partition('.')[2]}']" for one in _ALL))),
        ),
        Case("nobody trusted", Verdict.BAD, _policy()),
        Case(
            "a key and the public log",
            Verdict.BAD,
            _policy({"name": "own", "cosign": {"key": {"data": "x"}}}),
        ),
        Case(
            "a key and the public log by its name",
            Verdict.BAD,
            _policy(
                {
                    "name": "own",
                    "cosign": {"key": {"data": "x"}, "ctlog": {"url": "https://rekor.sigstore.dev"}},
                }
            ),
        ),
        Case("the public Sigstore", Verdict.BAD, _policy(_sigstore([_WHO]))),
        Case(
            "the public Sigstore by its name",
            Verdict.BAD,
            _policy(_sigstore([_WHO], mirror="https://tuf-repo-cdn.sigstore.dev", root={"data": "e30="})),
        ),
        Case(
            "a mirror whose first answer is trusted",
            Verdict.BAD,
            _policy(_sigstore([_WHO], mirror="https://tuf.example.eu")),
        ),
        Case("any identity", Verdict.BAD, _policy(_sigstore([], **_OWN_ROOT))),
        Case(
            "any subject of an issuer",
            Verdict.BAD,
            _policy(_sigstore([{"issuer": "https://id.example.eu", "subjectRegExp": ".*"}], **_OWN_ROOT)),
        ),
        Case("one of two not trusted", Verdict.BAD, _policy(_KEY, _sigstore([_WHO]))),
        Case("no init containers", Verdict.BAD, _policy(_KEY, expression=_expression(_ALL[0], _ALL[2]))),
        Case("no debug containers", Verdict.BAD, _policy(_KEY, expression=_expression(*_ALL[:2]))),
        Case(
            "any number of signatures, none too",
            Verdict.BAD,
            _policy(_KEY, expression=_expression(*_ALL, demand=" >= 0")),
        ),
        Case("nothing verified", Verdict.BAD, _policy(_KEY, expression="true")),
        Case("only reported", Verdict.BAD, _policy(_KEY, validationActions=["Audit"])),
        Case("over plain text", Verdict.BAD, _policy(_KEY, credentials={"allowInsecureRegistry": True})),
        Case("of a namespace", Verdict.BAD, _policy(token="v1beta1:NamespacedImageValidatingPolicy")),
        Case(
            "a patch of a label",
            Verdict.GOOD,
            Resource("kubernetes:policies.kyverno.io/v1:ImageValidatingPolicyPatch", "p", {"metadata": {}}),
        ),
        Case("an identity not known yet", Verdict.UNDECIDED, _policy(_sigstore([UNKNOWN], **_OWN_ROOT))),
        Case("an attestor not known yet", Verdict.UNDECIDED, _policy(UNKNOWN)),
        Case("an expression not known yet", Verdict.UNDECIDED, _policy(_KEY, expression=UNKNOWN)),
    ),
)
