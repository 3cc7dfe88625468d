"""A stack whose secrets are in a store: what its program registers, and what it does not know."""

import pytest
from tests.planning.test_secrets import EXISTING, SERVED, SITE, VAULT
from tests.stacks.stack_files import parsed

from corral.stacks.deploy.graph import graph
from corral.stacks.planning.planner import plan

SECRET = "kubernetes:core/v1:Secret"
MIRROR = {**SITE, "registry": "registry.example.eu", "pull-secret": "mirror"}
STORE = "kubernetes:external-secrets.io/v1:ClusterSecretStore"


def registered(**changes):
    stack = {**SERVED, "sovereignty": MIRROR, "secrets": VAULT, "token_limits": {"tokens-per-day": 9}}
    return graph(plan(parsed(**{**stack, **changes}), "site", pinned=False))


def external(seen):
    return {one.inputs["metadata"]["name"] for one in seen if one.kind == "ExternalSecret"}


@pytest.mark.parametrize("addons", [EXISTING, {}])
def test_no_secret_is_the_program_s_but_the_mirror_s_where_it_installs_the_operator(addons):
    seen = registered(addons=addons)
    own = {one.inputs["metadata"]["name"] for one in seen if one.type == SECRET}
    assert own == (set() if addons else {"mirror"})
    assert external(seen) - {"mirror"} == {
        "alertmanager-receiver",
        "grafana-admin",
        "keys-models",
        "model-storage-writer",
        "rate-limit-store",
        "rate-limit-store-credential",
        "vector-db-credential",
    }


def test_a_store_that_is_there_is_read_and_one_that_is_made_serves_the_namespaces_that_read_it():
    assert [one.read for one in registered(addons=EXISTING) if one.type == VAULT["store"]] == [True]
    seen = registered()
    (made,) = [one for one in seen if one.type == STORE]
    (condition,) = made.inputs["spec"]["conditions"]
    readers = {one.inputs["metadata"]["namespace"] for one in seen if one.kind == "ExternalSecret"}
    assert not made.read and readers <= set(condition["namespaces"])


def test_without_the_section_the_program_has_the_secrets():
    seen = registered(secrets=None)
    assert not external(seen) and not [one for one in seen if one.type == STORE]
    assert "grafana-admin" in {one.inputs["metadata"]["name"] for one in seen if one.type == SECRET}
