"""How the API of a cluster is reached: certificates, proxies, and where a credential does not go."""

import base64
import contextlib
import json
import ssl

import pytest
import yaml
from tests.doubles.mirror import certificates
from tests.doubles.servers import Handler, listening

from corral.components.existing_cluster.connection import ClusterUnreachable, connect

AWAY = "http://cluster.example:6443"


@contextlib.contextmanager
def api(tls=None, status=200, **headers):
    """Address of a server, the requests that it got (path, headers), and its connections."""
    requests, connections = [], []

    class Api(Handler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            connections.append(self.client_address)

        def do_GET(self):
            requests.append((self.path, self.headers))
            self.answer(status, json.dumps({"gitVersion": "v1.35.1"}).encode(), headers)

    with listening(Api, tls) as address:
        yield address, requests, connections


def version(server, user=(), **cluster):
    """What is at `/version` of a cluster, read as a kubeconfig with these keys says."""
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": dict(user)}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    connection = connect(yaml.safe_dump(content), None)
    try:
        return (connection.read("/version") or {}).get("gitVersion")
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site(tmp_path):
    """Files of an authority and of a key with a certificate, and what a server needs to show it."""
    authority, certificate = certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    return authority, certificate, tls


@pytest.mark.filterwarnings("error")
def test_a_server_is_believed_when_the_authority_of_the_kubeconfig_signed_its_certificate(site, tmp_path):
    authority, _, tls = site
    (tmp_path / "other").mkdir()
    other, _ = certificates(tmp_path / "other")
    with api(tls) as (address, *_):
        assert version(f"https://{address}", **{"certificate-authority": str(authority)}) == "v1.35.1"
        with pytest.raises(ClusterUnreachable, match="certificate verify failed"):
            version(f"https://{address}", **{"certificate-authority": str(other)})
        assert version(f"https://{address}", **{"insecure-skip-tls-verify": True}) == "v1.35.1"


def test_a_server_behind_a_tunnel_shows_the_name_that_the_kubeconfig_gives(tmp_path):
    authority, certificate = certificates(tmp_path, "api.cluster.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    asked = []
    tls.sni_callback = lambda connection, name, context: asked.append(name)
    known = {"certificate-authority": str(authority)}
    with api(tls) as (address, *_):
        server = f"https://{address}"
        assert version(server, **known, **{"tls-server-name": "api.cluster.example"}) == "v1.35.1"
        with pytest.raises(ClusterUnreachable, match="certificate verify failed"):
            version(server, **known, **{"tls-server-name": "api.other.example"})
    assert asked == ["api.cluster.example", "api.other.example"]


def test_an_identity_that_acts_as_another_does_so_here_as_well():
    user = {
        "token": "t",
        "as": "auditor",
        "as-groups": ["readers", "staff"],
        "as-user-extra": {"acme.example/project": ["blue"]},
    }
    with api() as (address, requests, _):
        version(f"http://{address}", user)
    ((_, headers),) = requests
    assert headers["Authorization"] == "Bearer t" and headers["Impersonate-User"] == "auditor"
    assert headers.get_all("Impersonate-Group") == ["readers", "staff"]
    assert headers["Impersonate-Extra-acme.example%2Fproject"] == "blue"


def test_the_certificate_of_a_user_is_shown(site):
    authority, certificate, tls = site
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority)
    known = {"certificate-authority-data": base64.b64encode(authority.read_bytes()).decode()}
    user = {"client-certificate": str(certificate), "client-key": str(certificate)}
    with api(tls) as (address, *_):
        assert version(f"https://{address}", user, **known) == "v1.35.1"
        with pytest.raises(ClusterUnreachable, match="does not answer"):
            version(f"https://{address}", **known)


def test_a_token_does_not_follow_a_redirect():
    with api() as (other, got, _), api(status=302, Location=f"http://{other}/version") as (address, asked, _):
        version(f"http://{address}", {"token": "t"})
    assert [headers["Authorization"] for _, headers in asked] == ["Bearer t"] and got == []


def test_a_server_may_be_a_path_of_a_host():
    with api() as (address, requests, _):
        assert version(f"http://{address}/k8s/clusters/c-1/") == "v1.35.1"
    assert [path for path, _ in requests] == ["/k8s/clusters/c-1/version"]


def test_the_proxy_of_a_kubeconfig_is_used_with_its_credential():
    with api() as (proxy, requests, _):
        assert version(AWAY, **{"proxy-url": f"http://me:pass%20word@{proxy}"}) == "v1.35.1"
    ((path, headers),) = requests
    assert path == f"{AWAY}/version"
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'me:pass word').decode()}"


def test_a_proxy_of_an_unknown_kind_is_refused_with_one_line():
    with pytest.raises(ClusterUnreachable, match=r"^kubeconfig: context x: .*socks5.*$"):
        version(AWAY, **{"proxy-url": "socks5://127.0.0.1:1"})


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_leads_to_servers_elsewhere(monkeypatch, variable, scheme):
    with api() as (proxy, requests, _), api() as (here, direct, _):
        monkeypatch.setenv(variable, f"{scheme}{proxy}")
        assert version(AWAY) == version(f"http://{here}") == "v1.35.1"
    assert [path for path, _ in requests] == [f"{AWAY}/version"]
    assert [path for path, _ in direct] == ["/version"]


def test_a_host_that_the_environment_excepts_is_reached_without_its_proxy(monkeypatch):
    with api() as (proxy, requests, _):
        monkeypatch.setenv("http_proxy", f"http://{proxy}")
        monkeypatch.setenv("no_proxy", "gone.invalid")
        with pytest.raises(ClusterUnreachable, match=r"gone\.invalid:6443 does not answer"):
            version("http://gone.invalid:6443")
    assert requests == []


def test_requests_share_a_connection():
    with api() as (address, requests, connections):
        connection = connect(
            f"clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\n"
            "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n",
            None,
        )
        for _ in range(3):
            connection.read("/version")
        connection.close()
    assert len(requests) == 3 and len(connections) == 1


@pytest.mark.parametrize(
    ("server", "token", "line"),
    [
        ("https://", "t", "https:// does not answer: .+"),
        ("http://127.0.0.1:99999", "t", "kubeconfig: context x: .*99999.*"),
        ("http://127.0.0.1:1", "a\nb", "http://127.0.0.1:1 does not answer: .+"),
    ],
)
def test_what_cannot_be_sent_gives_one_line(server, token, line):
    with pytest.raises(ClusterUnreachable, match=f"^{line}$"):
        version(server, {"token": token})
