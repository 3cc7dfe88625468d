"""Images are verified against the keys that a stack trusts, by policies that the pack itself takes."""

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.components.harness import build
from tests.stacks.stack_files import problems

from corral.components._kit import ArgsError
from corral.components.admission import Admission
from corral.controls.control import Resource
from corral.controls.evaluate import evaluate_resource
from corral.controls.profiles import PROFILES
from corral.controls.register import control

SIGSTORE = {
    "issuer": "https://id.example.eu",
    "subject": "https://ci.example.eu/release",
    "mirror": "https://tuf.example.eu",
    "root": "eyJzaWduZWQiOnt9fQ==",
}


@cache
def public_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def policies(profile: str = "eu-sovereign", **trust: Any) -> dict[str, Any]:
    args: Any = {"controls": ["SOV-SUP-01"], "profile": profile, "signatures": trust}
    graph = build(lambda: Admission("admission", args))
    return {one.object_name: one.inputs for one in graph.of("ImageValidatingPolicy")}


@pytest.mark.parametrize("whom", ["keys", "sigstore"])
def test_the_pack_finds_nothing_wrong_with_the_policies_that_the_platform_makes(whom: str) -> None:
    made = policies(**({"keys": [public_key()]} if whom == "keys" else {"sigstore": SIGSTORE}))
    assert set(made) == {"sov-sup-03", "sov-sup-04"}
    token = "kubernetes:policies.kyverno.io/v1:ImageValidatingPolicy"
    several = [Resource(token, name, one, urn=name) for name, one in made.items()]
    for identity in ("SOV-SUP-03", "SOV-SUP-04"):
        for one in several:
            assert not evaluate_resource(control(identity), one, several, PROFILES["eu-sovereign"]), one.name


def test_a_key_asks_no_log_and_nothing_outside_the_registry() -> None:
    (attestor,) = policies(keys=[public_key()])["sov-sup-03"]["spec"]["attestors"]
    assert attestor["cosign"]["key"]["data"] == public_key()
    assert attestor["cosign"]["ctlog"] == {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}


def test_one_of_those_trusted_is_enough() -> None:
    spec = policies(keys=[public_key()], sigstore=SIGSTORE)["sov-sup-03"]["spec"]
    (checked,) = spec["validations"]
    assert "[attestors.key0, attestors.sigstore]) > 0" in checked["expression"]


def test_images_of_every_list_are_verified_those_of_volumes_too() -> None:
    for one in policies(keys=[public_key()]).values():
        for checked in one["spec"]["validations"]:
            assert checked["messageExpression"].startswith(
                f"'{checked['message']}: ' + (images.containers.filter("
            )
            for place in ("containers", "initContainers", "ephemeralContainers", "volumes"):
                assert f"images.{place}.all(" in checked["expression"]


def test_what_lacks_a_signature_is_refused_where_the_profile_stops_and_reported_elsewhere() -> None:
    for profile, action in (("eu-controlled", "Audit"), ("eu-sovereign", "Deny"), ("air-gapped", "Deny")):
        for one in policies(profile, keys=[public_key()]).values():
            assert one["spec"]["validationActions"] == [action] and one["spec"]["failurePolicy"] == "Fail"


def test_attestations_can_be_left_out_and_a_scan_ends_when_the_stack_says() -> None:
    assert set(policies(keys=[public_key()], attestations=False)) == {"sov-sup-03"}
    spec = policies(keys=[public_key()], scan_days=7)["sov-sup-04"]["spec"]
    assert "duration('168h')" in spec["validations"][-1]["expression"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"signatures": {}}, "name `keys`, `sigstore`, or both"),
        ({"signatures": {"keys": ["x"]}, "kyverno": False}, "Kyverno verifies them"),
    ],
)
def test_signatures_that_nobody_can_verify_are_refused(args: Any, words: str) -> None:
    with pytest.raises(ArgsError, match=words):
        build(lambda: Admission("a", {"controls": ["SOV-SUP-01"], "profile": "open", **args}))


def lines(signatures: Any, **more: Any) -> list[str]:
    sovereignty = {"profile": "open", "region": "embedded", "signatures": signatures}
    found = problems(sovereignty=sovereignty, cluster={"kind": "existing"}, **more)
    return [one for one in found if one.startswith("sovereignty.signatures")]


def test_the_stack_file_names_keys_or_a_sigstore_of_ones_own() -> None:
    assert lines({"keys": [public_key()]}) == [] and lines({"sigstore": SIGSTORE}) == []
    assert "keys, sigstore, or both" in lines({})[0]
    assert "a public key in PEM" in lines({"keys": ["ssh-ed25519 AAAA"]})[0]
    public = {**SIGSTORE, "mirror": "https://tuf-repo-cdn.sigstore.dev"}
    assert "a public host" in lines({"sigstore": public})[0]
    authority = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"
    trusting = {"keys": [public_key()], "registry-ca": authority}
    assert lines(trusting) == []
    assert "certificates in PEM" in lines({**trusting, "registry-ca": public_key()})[0]
    assert "state them where it is installed" in lines(trusting, addons={"kyverno": "existing"})[0]
    assert "it verifies images" in lines({"keys": [public_key()]}, addons={"kyverno": "off"})[0]
