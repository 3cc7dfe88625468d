"""What no control knows is named, and stopped where the profile keeps to regions."""

from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2
from tests.policy.test_pack import analyzer, findings, struct

FOREIGN = (
    "azure-native:storage:StorageAccount",
    "hcloud:index/server:Server",
    "google-native:storage/v1:Bucket",
)


def analyze(token: str, profile: str, *, custom: bool = True) -> list[tuple[str, int, str]]:
    request = analyzer_pb2.AnalyzeRequest(
        type=token, name="box", urn=f"urn:pulumi:s::p::{token}::box", properties=struct({"location": "x"})
    )
    if custom:
        package = token.partition(":")[0]
        provider: Any = request.provider
        provider.type, provider.name = f"pulumi:providers:{package}", "default"
        provider.urn = f"urn:pulumi:s::p::pulumi:providers:{package}::default"
    named = findings(analyzer(profile).Analyze(request, None))
    return [one for one in named if one[0] == "providers-are-known"]


@pytest.mark.parametrize("token", FOREIGN)
def test_a_resource_of_an_unknown_cloud_is_named_and_stops_strict_profiles(token: str) -> None:
    for profile in ("eu-resident", "eu-controlled", "eu-sovereign", "air-gapped"):
        [(_, level, message)] = analyze(token, profile)
        assert level == analyzer_pb2.MANDATORY
        assert token in message and "box" in message and "is not evaluated" in message
    [(_, level, _)] = analyze(token, "open")
    assert level == analyzer_pb2.ADVISORY


@pytest.mark.parametrize(
    "token",
    ["aws:s3/bucket:Bucket", "gcp:storage/bucket:Bucket", "kubernetes:core/v1:Pod", "random:index:Id"],
)
def test_what_the_pack_knows_is_not_named(token: str) -> None:
    assert not analyze(token, "eu-resident")


def test_a_component_of_somebodys_is_not_named_since_what_it_is_made_of_is() -> None:
    assert not analyze("acme:platform:Shop", "eu-resident", custom=False)
