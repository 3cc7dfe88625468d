"""Where a stack's state is and what encrypts its secrets: what each profile stops, reports and lets be."""

from pathlib import Path

import pytest

from corral.controls.levels import Level
from corral.controls.profiles import PROFILES
from corral.controls.workspace import KEPT, PASSPHRASE, PUBLISHERS, Workspace, findings
from corral.stacks.config.workspace import read_workspace


def levels(profile: str, backend: str | None = None, provider: str | None = None) -> list[tuple[str, str]]:
    found = findings(Workspace(backend, provider, KEPT), PROFILES[profile])
    return [(one.control, one.level.value) for one in found]


@pytest.mark.parametrize(
    ("backend", "fine"),
    [
        ("https://api.pulumi.com", False),
        ("https://app.pulumi.com/acme", False),
        ("s3://state?region=eu-central-1", True),
        ("s3://state?region=eu-west-2", False),
        ("s3://state", False),
        ("s3://state?endpoint=minio.example.eu&s3ForcePathStyle=true", True),
        ("file:///srv/state", True),
        ("gs://state", True),
        ("https://pulumi.example.eu", True),
        (None, True),
    ],
)
def test_state_stays_in_places_of_the_profile(backend: str | None, fine: bool) -> None:
    assert levels("open", backend) == []
    assert levels("eu-resident", backend) == ([] if fine else [("SOV-OPS-01", "mandatory")])


@pytest.mark.parametrize(
    ("provider", "fine"),
    [
        (PASSPHRASE, False),
        ("awskms://alias/corral?region=eu-central-1", True),
        ("awskms://alias/corral?region=us-east-1", False),
        ("gcpkms://projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k", True),
        ("gcpkms://projects/p/locations/global/keyRings/r/cryptoKeys/k", False),
        ("hashivault://corral", True),
        (None, True),
    ],
)
def test_secrets_are_under_a_key_of_the_profile(provider: str | None, fine: bool) -> None:
    assert levels("open", provider=provider) == []
    assert levels("eu-resident", provider=provider) == ([] if fine else [("SOV-OPS-02", "advisory")])
    assert levels("eu-controlled", provider=provider) == ([] if fine else [("SOV-OPS-02", "mandatory")])


def test_credentials_in_an_address_are_not_repeated() -> None:
    (one,) = findings(Workspace("s3://key:secret@state?region=us-east-1", None, KEPT), PROFILES["air-gapped"])
    assert one.value == "s3://state?region=us-east-1" and one.level is Level.MANDATORY


def test_the_environment_comes_before_the_project_and_a_salt_is_a_passphrase(tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.prod.yaml"
    (tmp_path / "Pulumi.yaml").write_text("name: x\nbackend: {url: 'https://api.pulumi.com'}\n")
    stack.write_text("encryptionsalt: v1:x\n")
    assert read_workspace(stack, {}) == Workspace("https://api.pulumi.com", PASSPHRASE)
    stack.write_text("secretsprovider: awskms://alias/x?region=eu-central-1\nencryptedkey: x\n")
    found = read_workspace(stack, {"PULUMI_BACKEND_URL": "file:///srv"})
    assert found == Workspace("file:///srv", "awskms://alias/x?region=eu-central-1")
    stack.write_text("{{ bad")
    (tmp_path / "Pulumi.yaml").unlink()
    assert read_workspace(stack, {}) == Workspace(None, None)


ACQUISITION, OVERRIDES = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"


@pytest.mark.parametrize(
    ("environment", "origin", "fine"),
    [
        ({}, PUBLISHERS, False),
        ({ACQUISITION: "false"}, PUBLISHERS, False),
        ({ACQUISITION: "true"}, KEPT, True),
        ({OVERRIDES: "=https://mirror.example.eu/plugins"}, "=https://mirror.example.eu/plugins", True),
        ({OVERRIDES: "^aws=https://get.pulumi.com"}, "^aws=https://get.pulumi.com", False),
        ({OVERRIDES: "a=https://mirror.example.eu,b=https://github.com/x"}, None, False),
    ],
)
def test_plugins_come_from_this_machine_or_a_mirror(
    tmp_path: Path, environment: dict[str, str], origin: str | None, fine: bool
) -> None:
    found = read_workspace(tmp_path / "Pulumi.prod.yaml", environment)
    assert origin is None or found.plugins == origin
    for profile, demands in (("eu-controlled", False), ("eu-sovereign", True), ("air-gapped", True)):
        named = [one.control for one in findings(found, PROFILES[profile])]
        assert named == (["SOV-SUP-08"] if demands and not fine else []), profile
