"""The plan refuses what controls of the profile would stop of a stack, unless an exception names them."""

from typing import Any

import pytest
from tests.deploy.eks_stack import APPROVED, content, planned
from tests.deploy.test_gke import OUTSIDE

from corral.controls.enforcement import stops
from corral.controls.profiles import PROFILES
from corral.controls.register import control
from corral.stacks.config.errors import StackErrors
from corral.stacks.planning.validation.demands import DEMANDS

AT_HOME: dict[str, Any] = {"data-class": "internal"}


def lines(stack: str, profile: str, *, cluster: Any = None, tenants: Any = None, **sovereignty: Any) -> str:
    """What the plan refuses of a committed stack under another profile, in lines; empty: nothing."""
    stated = content(stack)
    stated["sovereignty"] |= {"profile": profile, **sovereignty}
    kind = stated["cluster"]["kind"]
    if cluster is not None:
        stated["cluster"][kind] |= cluster
    if tenants is not None:
        stated["tenants"] = [{**stated["tenants"][0], **tenants}]
        stated["tenants"] = [{key: one for key, one in stated["tenants"][0].items() if one is not None}]
    try:
        planned(stated, stack)
    except StackErrors as error:
        return str(error)
    return ""


def test_every_demand_is_one_of_a_control_that_some_profile_enforces() -> None:
    for identity in DEMANDS:
        assert any(stops(control(identity), one) for one in PROFILES.values()), identity


@pytest.mark.parametrize("stack", ["eks-eu", "gke-eu"])
def test_a_profile_that_takes_no_provider_takes_no_cluster_of_a_cloud(stack: str) -> None:
    kind = stack.partition("-")[0]
    assert f"cluster.kind: {kind}: profile air-gapped stops that (SOV-OPR-01)" in lines(stack, "air-gapped")
    assert "cluster.kind" not in lines(stack, "eu-sovereign")


@pytest.mark.parametrize("stack", ["eks-eu", "gke-eu"])
def test_logs_are_kept_as_long_as_the_profile_keeps_them(stack: str) -> None:
    kind = stack.partition("-")[0]
    found = lines(stack, "eu-controlled", cluster={"log-days": 30})
    assert found.startswith(f"cluster.{kind}.log-days: 30: profile eu-controlled stops that (SOV-AUD-02)")
    assert found.endswith("use 365 or more")
    assert lines(stack, "eu-controlled", cluster={"log-days": 400}) == ""
    assert lines(stack, "eu-resident", cluster={"log-days": 30}) == ""


def test_keys_come_from_outside_the_provider_where_the_profile_wants_that() -> None:
    found = lines("gke-eu", "eu-sovereign")
    for key in ("keys.secrets", "keys.logs", "keys.disks", "keys.models", "control-plane-keys"):
        assert f"cluster.gke.{key}: missing: profile eu-sovereign stops that (SOV-KEY-" in found, key
    assert lines("gke-eu", "eu-sovereign", cluster=OUTSIDE) == ""
    assert "cluster.eks.keys.models: missing" in lines("eks-eu", "eu-sovereign")
    assert lines("eks-eusc", "eu-sovereign") == "", "its models are in the cluster"


def test_a_tenant_says_of_which_class_its_data_is_where_the_profile_asks() -> None:
    unsaid = {"data-class": None}
    for profile in ("air-gapped", "eu-sovereign"):
        found = lines("edge", profile, tenants=unsaid)
        assert f"tenants[0].data-class: missing: profile {profile} stops that (SOV-" in found
    assert lines("edge", "eu-controlled", tenants=unsaid) == ""


def test_a_model_for_restricted_data_needs_a_machine_that_proves_what_it_is() -> None:
    restricted = {"data-class": "restricted"}
    found = lines("edge", "air-gapped", tenants=restricted)
    assert found.startswith("tenants[0].data-class: restricted: profile air-gapped stops that (SOV-TEE-02)")
    assert lines("edge", "eu-sovereign", tenants=restricted) == ""
    excepted = {**APPROVED, "control": "SOV-TEE-02"}
    assert lines("edge", "air-gapped", tenants=restricted, exceptions=[excepted]) == ""


def test_what_verifies_images_asks_for_attestations_where_the_profile_does() -> None:
    key = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
    found = lines("edge", "air-gapped", signatures={"keys": [key], "attestations": False})
    assert found.startswith("sovereignty.signatures.attestations: false: profile air-gapped stops that")
    assert lines("edge", "eu-resident", signatures={"keys": [key], "attestations": False}) == ""


def test_a_control_that_a_stack_enforces_harder_is_demanded_as_well() -> None:
    harder = {"controls": {"SOV-AUD-02": "mandatory"}}
    assert lines("eks-eu", "eu-resident", cluster={"log-days": 1}, **harder) == ""
    assert "tenants[0].data-class" in lines(
        "edge", "eu-controlled", tenants={"data-class": None}, controls={"SOV-MOD-09": "mandatory"}
    )


@pytest.mark.parametrize("state", ["existing", "off"])
def test_gpus_are_counted_by_quotas_or_queues_where_the_profile_counts_them(state: str) -> None:
    def found(profile: str, **sections: Any) -> str:
        stated = {**content("edge"), **sections}
        stated["sovereignty"]["profile"] = profile
        stated["tenants"] = [{"name": "plant", "data-class": "internal"}]
        stated["addons"] = {"dra-driver": "off", "tenancy": state}
        try:
            planned(stated, "edge")
        except StackErrors as error:
            return str(error)
        return ""

    assert found("air-gapped").startswith(f"addons.tenancy: {state}: profile air-gapped stops that (SOV-GPU")
    assert "addons.tenancy" not in found("eu-controlled")
    assert "addons.tenancy" not in found("air-gapped", **{"fair-sharing": {}})


@pytest.mark.parametrize(("profile", "counted"), [("air-gapped", True), ("eu-controlled", False)])
def test_gpus_of_a_tenant_that_states_none_are_limited_to_its_need_where_the_profile_counts_them(
    profile: str, counted: bool
) -> None:
    stated = content("edge")
    stated["sovereignty"]["profile"] = profile
    stated["tenants"] = [{"name": "plant", "data-class": "internal"}]
    (tenant,) = planned(stated, "edge").tenants
    assert dict(tenant.limits) == ({"nvidia.com/gpu": 0, "nvidia.com/gpu.shared": 2} if counted else {})
