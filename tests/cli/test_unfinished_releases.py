"""What an interrupted run left of Helm releases is settled before Pulumi goes on."""

from corral.embedded.engine.releases import unfinished


def operation(kind, of="kubernetes:helm.sh/v3:Release", **inputs):
    return {"type": kind, "resource": {"type": of, "urn": "urn:pulumi:dev::corral::x", "inputs": inputs}}


def test_a_half_installed_release_is_removed_and_a_half_upgraded_one_goes_back():
    found = unfinished(
        [
            operation("creating", name="kyverno", namespace="policies"),
            operation("updating", name="cert-manager", namespace="certificates"),
        ]
    )
    assert [(one.settling[:2], one.settling[one.settling.index("--namespace") + 1]) for one in found] == [
        (["uninstall", "kyverno"], "policies"),
        (["rollback", "cert-manager"], "certificates"),
    ]


def test_other_objects_are_left_to_pulumi():
    assert unfinished([operation("creating", of="kubernetes:core/v1:Secret", metadata={"name": "x"})]) == []
