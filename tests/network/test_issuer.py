"""What the stand-in issuer issues, judged by TLS itself, and where it puts CA bundles."""

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from corral.embedded.node.issuer import StandInIssuer
from corral.embedded.node.issuer_x509 import CannotIssue, duration_of, issue, plane_authority, request_of

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CERTIFICATES = "/apis/cert-manager.io/v1/certificates"
ISSUERS = "/apis/cert-manager.io/v1/issuers"
CLUSTER_ISSUERS = "/apis/cert-manager.io/v1/clusterissuers"
SECRETS = "/api/v1/secrets"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
HOST = "webhook.kserve.svc"


def definition(plural):
    return {
        "metadata": {"name": f"{plural}.cert-manager.io"},
        "spec": {},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }


def issuer(name="self", namespace="kserve", **spec):
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"metadata": meta, "spec": spec or {"selfSigned": {}}}


def certificate(name="serving", by="self", kind="Issuer", namespace="kserve", **spec):
    return {
        "metadata": {"name": name, "namespace": namespace, "generation": 1},
        "spec": {
            "secretName": f"{name}-tls",
            "dnsNames": [HOST],
            "issuerRef": {"name": by, "kind": kind},
            **spec,
        },
    }


@pytest.fixture
def issuing(play, tmp_path):
    """Run a scene in a cluster that has cert-manager's CRDs."""

    def start(scene):
        async def prepared(cluster):
            for plural in ("certificates", "issuers", "clusterissuers"):
                cluster.put(CRDS, definition(plural))
            return await scene(cluster)

        return play(lambda api: StandInIssuer(api, tmp_path / "ca").run(), prepared)

    return start


async def secret_of(cluster, name="serving-tls", namespace="kserve"):
    return await cluster.until(lambda: cluster.get(SECRETS, namespace, name))


async def ready_of(cluster, collection, namespace, name, status):
    def found():
        conditions = cluster.get(collection, namespace, name).get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == "Ready" and c["status"] == status), None)

    return await cluster.until(found)


def pem(secret, key):
    return base64.b64decode(secret["data"][key])


def parsed(secret, key="tls.crt"):
    return x509.load_pem_x509_certificate(pem(secret, key))


def greets(tmp_path, certificate_pem, key_pem, ca_pem, host):
    """Whether a TLS client that trusts `ca_pem` alone accepts the server as `host`."""
    (tmp_path / "tls.crt").write_bytes(certificate_pem)
    (tmp_path / "tls.key").write_bytes(key_pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=ca_pem.decode())

    async def trip():
        async def hello(_reader, writer):
            writer.write(b"hello")
            writer.close()

        listening = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=server)
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=host)
        answer = await reader.read()
        writer.close()
        listening.close()
        return answer == b"hello"

    return asyncio.run(trip())


def secret_greets(tmp_path, secret, host=HOST, ca=None):
    return greets(tmp_path, pem(secret, "tls.crt"), pem(secret, "tls.key"), ca or pem(secret, "ca.crt"), host)


def test_a_self_signed_certificate_serves_its_names_to_clients_that_trust_its_ca(issuing, tmp_path):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate(ipAddresses=["127.96.0.9"]))
        said = await ready_of(cluster, CERTIFICATES, "kserve", "serving", "True")
        return await secret_of(cluster), said

    secret, said = issuing(scene)
    assert secret["type"] == "kubernetes.io/tls"
    assert secret_greets(tmp_path, secret)
    assert secret_greets(tmp_path, secret, "127.96.0.9")
    assert said["reason"] == "StandInIssuer"
    assert "not by cert-manager" in said["message"]
    with pytest.raises(ssl.SSLCertVerificationError):
        secret_greets(tmp_path, secret, "other.kserve.svc")


def test_a_ca_issuer_signs_with_the_ca_of_its_secret(issuing, tmp_path):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate("root", isCA=True, commonName="root", dnsNames=[]))
        cluster.put(ISSUERS, issuer("by-root", ca={"secretName": "root-tls"}))
        cluster.put(CERTIFICATES, certificate(by="by-root"))
        await ready_of(cluster, ISSUERS, "kserve", "by-root", "True")
        return await secret_of(cluster, "root-tls"), await secret_of(cluster)

    root, leaf = issuing(scene)
    assert parsed(root).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not parsed(leaf).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert secret_greets(tmp_path, leaf, ca=pem(root, "tls.crt"))
    assert pem(leaf, "ca.crt") == pem(root, "tls.crt")


def test_a_new_ca_makes_new_certificates(issuing):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate("root", isCA=True, commonName="root"))
        cluster.put(ISSUERS, issuer("by-root", ca={"secretName": "root-tls"}))
        cluster.put(CERTIFICATES, certificate(by="by-root"))
        before = await secret_of(cluster)
        cluster.remove(SECRETS, "kserve", "root-tls")
        await cluster.until(lambda: cluster.get(SECRETS, "kserve", "serving-tls")["data"] != before["data"])
        root = await secret_of(cluster, "root-tls")
        return cluster.get(SECRETS, "kserve", "serving-tls"), root

    leaf, root = issuing(scene)
    parsed(leaf).verify_directly_issued_by(parsed(root))


def test_an_authority_elsewhere_is_replaced_by_the_planes_own_and_said_so(issuing, tmp_path):
    async def scene(cluster):
        acme = issuer("letters", "", acme={"server": "https://acme.example.eu"})
        cluster.put(CLUSTER_ISSUERS, acme)
        cluster.put(CERTIFICATES, certificate(by="letters", kind="ClusterIssuer"))
        said = await ready_of(cluster, CLUSTER_ISSUERS, "", "letters", "True")
        return await secret_of(cluster), said

    secret, said = issuing(scene)
    assert "stand-in issuer" in said["message"]
    assert "Corral stand-in issuer" in parsed(secret).issuer.rfc4514_string()
    assert secret_greets(tmp_path, secret, ca=(tmp_path / "ca" / "ca.crt").read_bytes())
    assert (tmp_path / "ca" / "ca.key").stat().st_mode & 0o777 == 0o600


def test_the_planes_ca_is_made_once(tmp_path):
    now = datetime.now(UTC)
    first, second = plane_authority(tmp_path / "ca", now), plane_authority(tmp_path / "ca", now)
    assert first.certificate == second.certificate


def test_nothing_is_written_again_when_nothing_changed(issuing):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        cluster.put(VALIDATING, webhooks("kserve/serving"))
        await ready_of(cluster, CERTIFICATES, "kserve", "serving", "True")
        await cluster.settled()
        cluster.writes.clear()
        cluster.put(CERTIFICATES, cluster.get(CERTIFICATES, "kserve", "serving"))
        cluster.put(ISSUERS, cluster.get(ISSUERS, "kserve", "self"))
        cluster.put(SECRETS, cluster.get(SECRETS, "kserve", "serving-tls"))
        await cluster.settled()
        return cluster.writes

    assert issuing(scene) == []


@pytest.mark.parametrize("harm", ["removed", "wrong key", "no certificate"])
def test_a_secret_that_is_harmed_is_issued_anew(issuing, tmp_path, harm):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        first = await secret_of(cluster)
        await cluster.settled()
        if harm == "removed":
            cluster.remove(SECRETS, "kserve", "serving-tls")
        elif harm == "wrong key":
            other = issue(request_of(certificate()), None, datetime.now(UTC)).key
            harmed = {**first["data"], "tls.key": base64.b64encode(other).decode()}
            cluster.put(SECRETS, {**first, "data": harmed})
        else:
            cluster.put(SECRETS, {**first, "data": {**first["data"], "tls.crt": ""}})
        await cluster.settled()
        return first, await secret_of(cluster)

    first, second = issuing(scene)
    assert first["data"]["tls.key"] != second["data"]["tls.key"]
    assert secret_greets(tmp_path, second)


def test_a_changed_request_is_issued_anew(issuing, tmp_path):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        first = await secret_of(cluster)
        cluster.put(CERTIFICATES, certificate(dnsNames=[HOST, "second.kserve.svc"]))
        await cluster.until(lambda: cluster.get(SECRETS, "kserve", "serving-tls")["data"] != first["data"])
        return await secret_of(cluster)

    assert secret_greets(tmp_path, issuing(scene), "second.kserve.svc")


def test_a_certificate_past_two_thirds_of_its_life_is_renewed(issuing):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate(duration="3h"))
        fresh = await secret_of(cluster)
        await cluster.settled()
        old = issue(
            request_of(certificate(duration="3h")), None, datetime.now(UTC) - timedelta(hours=2, minutes=1)
        )
        data = {"tls.crt": old.certificate, "tls.key": old.key, "ca.crt": old.ca}
        aged = {**fresh, "data": {key: base64.b64encode(value).decode() for key, value in data.items()}}
        cluster.put(SECRETS, aged)
        await cluster.settled()
        return aged, await secret_of(cluster), cluster.get(CERTIFICATES, "kserve", "serving")["status"]

    aged, renewed, status = issuing(scene)
    assert aged["data"] != renewed["data"], "two of its three hours were over"
    start, renewal = (datetime.fromisoformat(status[key]) for key in ("notBefore", "renewalTime"))
    assert renewal - start == timedelta(hours=2)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"keystores": {"jks": {"create": True}}}, "spec.keystores is not served"),
        ({"duration": "5m"}, "at least 1h"),
        ({"privateKey": {"algorithm": "Ed25519"}}, "Ed25519"),
        ({"issuerRef": {"name": "absent"}}, "no Issuer 'absent'"),
        ({"issuerRef": {"name": "empty"}}, "no Secret kserve/missing"),
    ],
)
def test_what_cannot_be_issued_says_why_in_its_status(issuing, spec, says):
    async def scene(cluster):
        cluster.put(ISSUERS, issuer())
        cluster.put(ISSUERS, issuer("empty", ca={"secretName": "missing"}))
        cluster.put(CERTIFICATES, certificate(**spec))
        said = await cluster.until(
            lambda: [
                c
                for c in cluster.get(CERTIFICATES, "kserve", "serving")
                .get("status", {})
                .get("conditions", [])
                if says in c["message"]
            ]
        )
        await cluster.settled()
        return said[0]["status"], cluster.all(SECRETS)

    assert issuing(scene) == ("False", [])


def test_no_error_without_cert_managers_definitions(play, tmp_path):
    async def scene(cluster):
        cluster.served = {
            SECRETS,
            CRDS,
            VALIDATING,
            APISERVICES,
            VALIDATING.replace("validating", "mutating"),
        }
        cluster.put(VALIDATING, webhooks("kserve/serving"))
        await cluster.settled()
        asked = not any("cert-manager" in path for _, path in cluster.writes)
        cluster.served = None
        for plural in ("certificates", "issuers", "clusterissuers"):
            cluster.put(CRDS, definition(plural))
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        await secret_of(cluster)
        return asked

    assert play(lambda api: StandInIssuer(api, tmp_path / "ca").run(), scene)


def webhooks(source, annotation="cert-manager.io/inject-ca-from", count=2):
    return {
        "metadata": {"name": "kserve", "annotations": {annotation: source}},
        "webhooks": [{"name": f"w{i}", "clientConfig": {"service": {"name": "s"}}} for i in range(count)],
    }


def bundles(cluster):
    return [w["clientConfig"].get("caBundle") for w in cluster.get(VALIDATING, "", "kserve")["webhooks"]]


def test_every_webhook_of_an_annotated_configuration_gets_the_bundle(issuing):
    async def scene(cluster):
        cluster.put(VALIDATING, webhooks("kserve/serving"))
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        secret = await secret_of(cluster)
        await cluster.until(lambda: all(bundles(cluster)))
        return bundles(cluster), secret["data"]["ca.crt"]

    found, wanted = issuing(scene)
    assert found == [wanted, wanted]


def test_a_bundle_that_a_deployment_takes_away_comes_back(issuing):
    async def scene(cluster):
        cluster.put(VALIDATING, webhooks("kserve/serving"))
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        await cluster.until(lambda: all(bundles(cluster)))
        cluster.put(VALIDATING, webhooks("kserve/serving", count=3))
        await cluster.until(lambda: all(bundles(cluster)))
        return len(bundles(cluster))

    assert issuing(scene) == 3


def test_a_bundle_from_a_secret_needs_that_secrets_permission(issuing):
    async def scene(cluster):
        cluster.put(VALIDATING, webhooks("kserve/own", "cert-manager.io/inject-ca-from-secret"))
        own = {"metadata": {"name": "own", "namespace": "kserve"}, "data": {"ca.crt": "Q0E="}}
        cluster.put(SECRETS, own)
        await cluster.settled()
        before = bundles(cluster)
        own["metadata"]["annotations"] = {"cert-manager.io/allow-direct-injection": "true"}
        cluster.put(SECRETS, own)
        await cluster.until(lambda: all(bundles(cluster)))
        return before, bundles(cluster)

    assert issuing(scene) == ([None, None], ["Q0E=", "Q0E="])


def test_conversion_webhooks_and_api_services_get_the_bundle_too(issuing):
    annotations = {"cert-manager.io/inject-ca-from": "kserve/serving"}

    async def scene(cluster):
        conversion = {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"name": "s"}}}}
        cluster.put(
            CRDS,
            {"metadata": {"name": "x.eu", "annotations": annotations}, "spec": {"conversion": conversion}},
        )
        plain = {"conversion": {"strategy": "None"}}
        cluster.put(CRDS, {"metadata": {"name": "y.eu", "annotations": annotations}, "spec": plain})
        cluster.put(
            APISERVICES,
            {"metadata": {"name": "v1.x.eu", "annotations": annotations}, "spec": {"service": {"name": "s"}}},
        )
        cluster.put(ISSUERS, issuer())
        cluster.put(CERTIFICATES, certificate())
        await cluster.until(lambda: "caBundle" in cluster.get(APISERVICES, "", "v1.x.eu")["spec"])
        await cluster.settled()
        client = cluster.get(CRDS, "", "x.eu")["spec"]["conversion"]["webhook"]["clientConfig"]
        return client, cluster.get(CRDS, "", "y.eu")["spec"]

    client, plain = issuing(scene)
    assert "caBundle" in client
    assert plain == {"conversion": {"strategy": "None"}}


@pytest.mark.parametrize(
    ("spec", "kind"),
    [({}, ec.EllipticCurvePublicKey), ({"privateKey": {"algorithm": "RSA"}}, rsa.RSAPublicKey)],
)
def test_keys_are_ecdsa_unless_rsa_is_asked_for(spec, kind):
    issued = issue(request_of(certificate(**spec)), None, datetime.now(UTC))
    assert isinstance(x509.load_pem_x509_certificate(issued.certificate).public_key(), kind)


def test_server_auth_is_stated_where_it_is_asked_for():
    issued = issue(request_of(certificate(usages=["server auth"])), None, datetime.now(UTC))
    found = x509.load_pem_x509_certificate(issued.certificate)
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize("text", ["", "1d", "h", "-1h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(CannotIssue, match="is no duration"):
        duration_of(text)
