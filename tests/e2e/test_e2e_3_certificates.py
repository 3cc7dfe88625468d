"""cert-manager issues certificates anew and puts their authority where annotations ask for it."""

import base64

import pytest
from cryptography import x509
from platform_client import Platform, holds, wait_for

pytestmark = pytest.mark.engine

SPACE = "cert-manager"
HOST = "hook.cert-manager.svc"
ISSUER = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Issuer",
    "metadata": {"name": "e2e", "namespace": SPACE},
    "spec": {"selfSigned": {}},
}
CERTIFICATE = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "e2e", "namespace": SPACE},
    "spec": {"secretName": "e2e-tls", "dnsNames": [HOST], "issuerRef": {"name": "e2e"}},
}
HOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "e2e", "annotations": {"cert-manager.io/inject-ca-from": f"{SPACE}/e2e"}},
    "webhooks": [
        {
            "name": "e2e.corral.dev",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": {"service": {"name": "hook", "namespace": SPACE}},
            "rules": [],
        }
    ],
}


@pytest.fixture(scope="module")
def issued(platform: Platform):
    """The Secret of a Certificate, once the controller has issued it."""
    for one in (ISSUER, CERTIFICATE):
        platform.kubectl("apply", "-f", "-", stdin=one)
    yield wait_for(lambda: secret(platform), 60, "the Secret of a Certificate")
    for kind, name in (("certificate", "e2e"), ("issuer", "e2e"), ("secret", "e2e-tls")):
        platform.kubectl("delete", kind, name, "-n", SPACE)


def secret(platform: Platform, name: str = "e2e-tls", space: str = SPACE):
    secrets = platform.items("secrets", "-n", space, "--field-selector", f"metadata.name={name}")
    return secrets[0]["data"] if secrets else None


def serving(platform: Platform, name: str, space: str = SPACE):
    data = secret(platform, name, space)
    return data and x509.load_pem_x509_certificate(base64.b64decode(data["tls.crt"]))


def test_a_certificate_becomes_a_secret_for_its_names(issued):
    assert set(issued) == {"tls.crt", "tls.key", "ca.crt"}
    made = x509.load_pem_x509_certificate(base64.b64decode(issued["tls.crt"]))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(base64.b64decode(issued["ca.crt"])))


def test_a_certificate_with_other_names_is_issued_anew(platform: Platform, issued):
    other = {**CERTIFICATE, "spec": {**CERTIFICATE["spec"], "dnsNames": [HOST, "other.svc"]}}
    platform.kubectl("apply", "-f", "-", stdin=other)

    def anew():
        data = secret(platform)
        return data and data["tls.crt"] != issued["tls.crt"] and data

    assert wait_for(anew, 60, "another certificate in the Secret")


def test_a_certificate_is_renewed_before_it_ends(platform: Platform, issued):
    """It lasts an hour and is due 10 s after its begin; cert-manager takes no shorter duration."""
    del issued
    brief = {
        **CERTIFICATE,
        "metadata": {"name": "brief", "namespace": SPACE},
        "spec": {**CERTIFICATE["spec"], "secretName": "brief-tls", "duration": "1h", "renewBefore": "59m50s"},
    }
    platform.kubectl("apply", "-f", "-", stdin=brief)
    try:
        first = wait_for(lambda: serving(platform, "brief-tls"), 60, "the Secret of a brief Certificate")

        def renewed():
            fresh = serving(platform, "brief-tls")
            return fresh if fresh and fresh.serial_number != first.serial_number else None

        fresh = wait_for(renewed, 60, "a renewed certificate")
        assert fresh.not_valid_after_utc > first.not_valid_after_utc
        assert platform.read("certificate", "brief", "-n", SPACE)["status"]["revision"] >= 2
    finally:
        platform.kubectl("delete", "certificate/brief", "secret/brief-tls", "-n", SPACE)


@pytest.mark.parametrize(
    ("space", "name", "host"),
    [
        ("kserve", "kserve-webhook-server-cert", "kserve-webhook-server-service.kserve.svc"),
        ("vector-db", "vector-db-tls", "vector-db.vector-db.svc"),
    ],
)
def test_what_the_stack_serves_has_a_certificate_for_its_name(platform: Platform, space, name, host):
    certificate = serving(platform, name, space)
    assert certificate is not None
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert host in names.get_values_for_type(x509.DNSName)
    issuers = [one for one in platform.items("certificates", "-n", space) if holds(one, "Ready")]
    assert name in {one["spec"]["secretName"] for one in issuers}


def test_a_webhook_configuration_gets_the_authority_of_its_certificate(platform: Platform, issued):
    del issued
    platform.kubectl("apply", "-f", "-", stdin=HOOK)
    try:

        def injected():
            client = platform.read("validatingwebhookconfiguration", "e2e")["webhooks"][0]["clientConfig"]
            data = secret(platform)
            return data and client.get("caBundle") == data["ca.crt"]

        assert wait_for(injected, 60, "the bundle in the webhook configuration")
    finally:
        platform.kubectl("delete", "validatingwebhookconfiguration", "e2e")


def test_a_certificate_of_a_minute_is_refused_by_the_webhook(platform: Platform):
    wrong = {**CERTIFICATE, "spec": {**CERTIFICATE["spec"], "duration": "1m"}}
    done = platform.try_kubectl("apply", "--dry-run=server", "-f", "-", stdin=wrong)
    assert done.code != 0
    assert "webhook.cert-manager.io" in done.output
    assert "duration" in done.output
