"""The pack under exceptions of a stack: what they name is advice until their date, and nothing else is."""

import json
from datetime import date
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from corral.policy.configured import configured
from corral.policy.constraints import constraints_of
from corral.policy.pack import EXCEPTED, concerns, policies
from corral.policy.rendered import RELEASE

MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY
TODAY = date(2026, 11, 27)
POD, BUCKET = "kubernetes:core/v1:Pod", "aws:s3/bucket:Bucket"
ENTRY = {"control": "SOV-SUP-02", "reason": "no digests before release 4", "approver": "jane"}


def section(*exceptions: dict[str, Any], **more: Any) -> dict[str, str]:
    listed = [{**ENTRY, "expires": "2026-12-31", **one} for one in exceptions]
    sovereignty = {"profile": "eu-resident", "exceptions": listed, **more}
    return {"corral:platform": json.dumps({"sovereignty": sovereignty})}


def analyzer(config: dict[str, str]) -> Any:
    made = policies(constraints_of(config, TODAY), TODAY)
    return configured(lambda _config: made, concerns)("corral", "0.1.0", made, EnforcementLevel.MANDATORY)


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(props)
    return made


def analyze(config: dict[str, str], token: str, props: dict[str, Any]) -> list[tuple[str, int, str]]:
    urn = f"urn:pulumi:s::p::{token}::x"
    request = analyzer_pb2.AnalyzeRequest(type=token, name="x", urn=urn, properties=struct(props))
    response = analyzer(config).Analyze(request, None)
    return [(d.policyName, d.enforcementLevel, d.message) for d in response.diagnostics]


def pod(name: str = "web", namespace: str | None = "shop") -> dict[str, Any]:
    metadata = {"name": name, **({} if namespace is None else {"namespace": namespace})}
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": "c", "image": "evil.example/x:1"}]},
    }


def stopped(config: dict[str, str], token: str, props: dict[str, Any]) -> set[str]:
    return {name for name, weight, _ in analyze(config, token, props) if weight == MANDATORY}


def test_what_an_exception_names_is_advice_with_who_approved_it_and_until_when() -> None:
    found = analyze(section({"resources": ["shop/web"]}), POD, pod())
    assert [f[0] for f in found if f[1] == MANDATORY] == ["sov-sup-01"], "another control still stops"
    ((_, level, line),) = [f for f in found if f[0] == EXCEPTED]
    assert level == ADVISORY and "SOV-SUP-02: an image is not pinned by digest: c (evil" in line
    assert line.endswith("Excepted until 2026-12-31 by jane: no digests before release 4")


@pytest.mark.parametrize(
    ("resources", "name", "namespace", "excepted"),
    [
        ([], "web", "shop", True),
        (["shop/web"], "web-2", "shop", False),
        (["shop/web*"], "web-2", "shop", True),
        (["shop/web"], "web", "shop-2", False),
        (["default/web"], "web", None, True),
        (["x"], "web", "shop", False),
    ],
)
def test_an_exception_is_as_narrow_as_it_says(
    resources: list[str], name: str, namespace: str | None, excepted: bool
) -> None:
    found = stopped(section({"resources": resources}), POD, pod(name, namespace))
    assert ("sov-sup-02" not in found) is excepted


def test_a_name_that_is_not_known_yet_is_decided_by_the_update() -> None:
    found = analyze(section({"resources": ["shop/web"]}), POD, pod(namespace=UNKNOWN_STRING_VALUE))
    assert "sov-sup-02" not in {f[0] for f in found}
    assert any("cannot be decided in preview whether it is one of shop/web" in f[2] for f in found)
    assert "sov-sup-02" not in stopped(section({}), POD, pod(namespace=UNKNOWN_STRING_VALUE))


def test_an_object_that_is_evaluated_among_others_goes_by_its_own_name() -> None:
    asking = pod("train", "shop")
    asking["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "1"}}
    space = {"metadata": {"name": "shop"}}
    several = [
        analyzer_pb2.AnalyzerResource(
            type=token, name="logical", urn=f"urn:{token}", properties=struct(props)
        )
        for token, props in (("kubernetes:core/v1:Namespace", space), (POD, asking))
    ]
    for named, excepted in (("shop/train", True), ("logical", False)):
        config = section({"control": "SOV-GPU-01", "resources": [named]})
        said = analyzer(config).AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=several), None)
        levels = {one.enforcementLevel for one in said.diagnostics if one.policyName == "sov-gpu-01"}
        assert (analyzer_pb2.MANDATORY not in levels) is excepted


def test_an_object_of_a_release_goes_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from corral.policy import adapter

    hidden = {"apiVersion": "v1", "kind": "Pod", **pod("web", None)}
    monkeypatch.setattr(adapter, "objects", lambda _subject: [hidden])
    release = {"chart": "some", "namespace": "shop"}
    assert "sov-sup-02" not in stopped(section({"resources": ["shop/web"]}), RELEASE, release)
    assert "sov-sup-02" in stopped(section({"resources": ["default/web"]}), RELEASE, release)


def stack(config: dict[str, str]) -> set[tuple[str, int, str]]:
    buckets = [
        analyzer_pb2.AnalyzerResource(type=BUCKET, name=one, urn=f"urn:{one}", properties=struct({}))
        for one in ("models", "logs")
    ]
    response = analyzer(config).AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=buckets), None)
    return {(d.policyName, d.enforcementLevel, d.urn) for d in response.diagnostics}


def test_a_cloud_resource_goes_by_its_name_in_the_program() -> None:
    found = stack(section({"control": "SOV-NET-13", "resources": ["logs"]}))
    assert ("sov-net-13", MANDATORY, "urn:models") in found
    assert ("sov-net-13", MANDATORY, "urn:logs") not in found
    assert (f"{EXCEPTED}-of-the-stack", ADVISORY, "urn:logs") in found


def test_an_exception_that_ends_soon_says_in_how_many_days() -> None:
    found = analyze(section({"expires": "2026-12-02"}), POD, pod())
    assert any(f[0] == EXCEPTED and f[2].endswith("release 4; ends in 5 days") for f in found)


def test_an_expired_exception_ends_the_run() -> None:
    with pytest.raises(
        ValueError, match=r"sovereignty\.exceptions\[0\]\.expires: 2026-11-26: expired yesterday"
    ):
        constraints_of(section({"expires": "2026-11-26"}), TODAY)


def test_what_a_stack_tightens_stops() -> None:
    volume = "aws:ebs/volume:Volume"
    props = {"encrypted": True, "availabilityZone": "eu-central-1a"}
    assert "sov-key-05" not in stopped(section(), volume, props)
    assert "sov-key-05" in stopped(section(controls={"SOV-KEY-05": "mandatory"}), volume, props)


def test_a_site_of_ones_own_is_no_region_of_a_cloud() -> None:
    site = section(region={"country": "DE", "site": "fra-1"})
    assert "sov-res-01" in stopped(site, BUCKET, {"region": "eu-central-1"})
    assert "sov-res-01" not in stopped(section(region="eu-central-1"), BUCKET, {"region": "eu-central-1"})
    for wrong in ({"country": "CH", "site": "zrh-1"}, {"country": "DE"}, {"site": 5, "country": "DE"}):
        with pytest.raises(ValueError, match=r"country|region"):
            constraints_of(section(region=wrong), TODAY)
