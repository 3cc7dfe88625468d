"""Section `secrets`: a store within the profile, what its provider needs, and which keys it has."""

import pytest
from tests.stacks.stack_files import model, parsed, problems

from corral.stacks.planning.planner import plan

SITE = {"profile": "eu-resident", "region": {"country": "DE", "site": "fra-1"}}
THERE = {"kind": "existing"}
VAULT = {"store": "platform", "provider": "vault", "server": "https://vault.example.eu", "role": "corral"}
EXISTING = {"external-secrets": "existing"}
SERVED = {
    "cluster": THERE,
    "models": [],
    "vector_db": {"engine": "pgvector"},
    "observability": {"alerts": "webhook"},
    "gateway": {"host": "models.example.eu"},
    "model_storage": {"kind": "existing", "endpoint": "https://s3.example.eu"},
}


def planned(**changes):
    return plan(parsed(**{**SERVED, **changes}), "site", pinned=False)


def test_without_the_section_every_secret_is_in_the_stack_s_configuration():
    made = planned()
    assert made.secrets is None
    assert {"vector-db-password", "grafana-password", "alerts-url"} <= set(made.secrets_needed)


def test_a_store_has_every_secret_and_the_keys_of_callers():
    made = planned(secrets={**VAULT, "prefix": "corral/site/"}, addons=EXISTING)
    assert made.secrets_needed == ()
    assert set(made.secrets.names) == {
        f"corral/site/{key}"
        for key in (
            "vector-db-password",
            "grafana-password",
            "alerts-url",
            "storage-access-key",
            "storage-secret-key",
            "keys-models",
        )
    }


def test_keys_of_a_store_of_models_that_the_stack_makes_stay_in_its_configuration():
    made = planned(secrets=VAULT, model_storage={}, addons=EXISTING)
    assert set(made.secrets_needed) == {"storage-encryption-key", "storage-access-key", "storage-secret-key"}


@pytest.mark.parametrize(("addons", "here"), [(EXISTING, ()), ({}, ("registry-auth",))])
def test_the_mirror_s_credentials_come_first_where_the_stack_installs_the_operator(addons, here):
    mirror = {**SITE, "registry": "registry.example.eu", "pull-secret": "mirror"}
    made = planned(sovereignty=mirror, secrets=VAULT, addons=addons)
    assert made.secrets_needed == here
    assert ("registry-auth" in made.secrets.keys) is not bool(here)


OUTSIDE = [
    ({"server": "http://vault.example.eu"}, "secrets.server: http://vault.example.eu: outside profile"),
    ({"server": "https://a.hashicorp.cloud"}, "secrets.server"),
    ({"provider": "aws", "server": None, "role": None, "region": "us-east-1"}, "secrets.region: us-east-1"),
    ({"provider": "aws", "server": None, "role": None, "region": "eu-west-1"}, "secrets.region: eu-west-1"),
]


@pytest.mark.parametrize(("changes", "said"), OUTSIDE)
def test_a_store_outside_the_profile_is_refused_by_the_control_of_pack_and_admission(changes, said):
    section = {key: value for key, value in {**VAULT, **changes}.items() if value is not None}
    (problem,) = problems(**{**SERVED, "sovereignty": SITE, "secrets": section, "addons": EXISTING})
    assert problem.startswith(said) and "SOV-KEY-14" in problem
    assert not problems(**{**SERVED, "secrets": section, "addons": EXISTING}), "profile open takes it"


@pytest.mark.parametrize("server", ["https://vault.example.eu:8200", "http://vault.vault.svc:8200"])
def test_a_vault_of_one_s_own_or_in_the_cluster_is_within_every_profile(server):
    section = {**VAULT, "server": server}
    changes = {**SERVED, "sovereignty": SITE, "secrets": section, "addons": EXISTING}
    assert [one for one in problems(**changes) if not one.startswith("sovereignty.profile")] == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            {"store": "s", "provider": "vault", "role": "r"},
            "secrets.server: missing: provider vault needs",
        ),
        ({"store": "s", "provider": "vault", "server": "https://v"}, "secrets.role: missing"),
        ({"store": "s", "provider": "gcp", "region": "europe-west3"}, "secrets.project: missing"),
        ({**VAULT, "project": "p"}, "secrets.project: p: of provider gcp alone: leave it out"),
        ({"store": "s", "provider": "gcp", "project": "p", "prefix": "a/"}, "secrets.prefix: a/"),
    ],
)
def test_what_a_provider_needs_or_does_not_take_is_said(section, said):
    found = problems(**{**SERVED, "secrets": section})
    assert [one for one in found if one.startswith(said)], found


def test_a_store_that_is_there_needs_no_role():
    section = {key: value for key, value in VAULT.items() if key != "role"}
    assert not problems(**{**SERVED, "secrets": section, "addons": EXISTING})


def test_the_operator_is_needed_and_no_plane_of_this_machine_has_it():
    off = problems(**{**SERVED, "secrets": VAULT, "addons": {"external-secrets": "off"}})
    assert any("addons.external-secrets: off" in one for one in off)
    here = problems(secrets=VAULT, models=[model()])
    assert any(one.startswith("secrets.store: platform: `corral init` makes the secrets") for one in here)
