"""The API of a cluster, read as its kubeconfig says: certificates, tokens, and the commands of clouds."""

import base64
import binascii
import json
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote
from urllib.request import getproxies, proxy_bypass

import urllib3
import yaml
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util import parse_url

from corral.components.existing_cluster.texts import Texts

Fields = Mapping[str, Any]
EXEC_SECONDS = 60
TIMEOUT = urllib3.Timeout(connect=10.0, read=30.0)
ERRORS = 400
"""Least status of an answer that is an error."""


class ClusterUnreachable(Exception):
    """Why a cluster cannot be read, in one line."""


class Refused(Exception):
    """Why the API server does not do what it was asked to, in its own words."""


class Connection:
    """One cluster's API, used by one identity."""

    def __init__(self, client: urllib3.PoolManager, server: str):
        self._client, self.server = client, server

    def read(self, path: str) -> Fields | None:
        """What is at `path`; None: there is no such thing, or this identity may not read it.

        Raises:
            ClusterUnreachable: nobody answers, or the identity is not known.
        """
        answer = self._answer("GET", path)
        if answer.status in (403, 404):
            return None
        if answer.status >= ERRORS:
            raise ClusterUnreachable(f"{self.server} answers {answer.status} at {path}")
        try:
            return _mapping(answer.json())
        except ValueError:
            raise ClusterUnreachable(f"{self.server} is no API server: its answer is no JSON") from None

    def items(self, path: str) -> list[Fields] | None:
        """Objects of the collection at `path`; None as for `read`."""
        listed = self.read(path)
        return None if listed is None else [_mapping(one) for one in listed.get("items") or ()]

    def create(self, path: str, content: Fields) -> Fields:
        """The object that was made in the collection at `path`.

        Raises:
            ClusterUnreachable: as for `read`.
            Refused: it was not made.
        """
        return self._changed(self._answer("POST", path, content))

    def delete(self, path: str) -> None:
        """Have the object at `path` removed; one that is gone already is no error.

        Raises:
            ClusterUnreachable: as for `read`.
            Refused: it stays.
        """
        answer = self._answer("DELETE", path)
        if answer.status != 404:
            self._changed(answer)

    def _answer(self, method: str, path: str, content: Fields | None = None) -> urllib3.BaseHTTPResponse:
        url = self.server.rstrip("/") + path
        try:
            answer = self._client.request(method, url, json=content)
        except (HTTPError, ValueError) as error:
            reason = _line(error.__cause__ or error)
            raise ClusterUnreachable(f"{self.server} does not answer: {reason}") from None
        if answer.status == 401:
            raise ClusterUnreachable(f"{self.server} does not know this identity (401): log in again")
        return answer

    def _changed(self, answer: urllib3.BaseHTTPResponse) -> Fields:
        try:
            content = _mapping(answer.json())
        except ValueError:
            raise ClusterUnreachable(f"{self.server} is no API server: its answer is no JSON") from None
        if answer.status >= ERRORS:
            raise Refused(_line(content.get("message") or answer.status))
        return content

    def close(self) -> None:
        """End all connections."""
        self._client.clear()


def connect(kubeconfig: str, context: str | None) -> Connection:
    """The API that a kubeconfig, its path or text, leads to; nothing is sent yet.

    Raises:
        ClusterUnreachable: it leads to no cluster.
    """
    content, folder = _content(kubeconfig)
    chosen = context or str(content.get("current-context") or "")
    if not chosen:
        raise ClusterUnreachable("kubeconfig: no current context; name one")
    linked = _named(content, "contexts", chosen, "context")
    cluster = _named(content, "clusters", str(linked.get("cluster")), "cluster")
    # A user that the file does not have is nobody, as for kubectl.
    users = [_mapping(one) for one in content.get("users") or ()]
    known = {str(one.get("name")): one.get("user") for one in users}
    user = _mapping(known.get(str(linked.get("user"))) or {})
    server = str(cluster.get("server") or "")
    if not server.startswith(("https://", "http://")):
        raise ClusterUnreachable(f"kubeconfig: server {server!r} is not allowed; use https://host[:port]")
    try:
        credentials = {**user, **_by_command(_mapping(user["exec"]), cluster)} if user.get("exec") else user
        client = _client(
            str(cluster.get("proxy-url") or _proxy(server)),
            ssl_context=_tls(cluster, credentials, folder),
            server_hostname=cluster.get("tls-server-name"),
            headers=HTTPHeaderDict([*_authorization(credentials, folder).items(), *_impersonation(user)]),
            timeout=TIMEOUT,
            retries=False,  # Nor redirects, which a token would follow.
        )
    except (OSError, ValueError, binascii.Error) as error:
        raise ClusterUnreachable(f"kubeconfig: context {chosen}: {_line(error)}") from None
    return Connection(client, server)


def _content(kubeconfig: str) -> tuple[Fields, Path]:
    """What a kubeconfig says, and the folder that its paths start from."""
    is_text = "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")
    path = Path() if is_text else Path(kubeconfig).expanduser()
    try:
        text = kubeconfig if is_text else path.read_text(encoding="utf-8")
        content: Any = yaml.load(text, Loader=Texts)
    except OSError as error:
        raise ClusterUnreachable(f"kubeconfig: {path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError):
        raise ClusterUnreachable(f"kubeconfig: {'the text' if is_text else path}: no YAML") from None
    if not isinstance(content, Mapping):
        raise ClusterUnreachable(f"kubeconfig: {'the text' if is_text else path}: no kubeconfig")
    return cast(Fields, content), path.parent


def _named(content: Fields, section: str, name: str, key: str) -> Fields:
    entries = [_mapping(one) for one in content.get(section) or ()]
    for one in entries:
        if str(one.get("name")) == name:
            return _mapping(one.get(key))
    known = ", ".join(str(one.get("name")) for one in entries) or "none"
    raise ClusterUnreachable(f"kubeconfig: {section} has no {name}; there are {known}")


def _by_command(command: Fields, cluster: Fields) -> Fields:
    """Credentials that a command prints, such as `aws eks get-token` or `gke-gcloud-auth-plugin`."""
    version = str(command.get("apiVersion") or "client.authentication.k8s.io/v1")
    spec: dict[str, Any] = {"interactive": False}
    if _is_true(command.get("provideClusterInfo")):
        spec["cluster"] = {"server": cluster["server"]}
    request = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    own = [f"{one['name']}={one['value']}" for one in map(_mapping, command.get("env") or ())]
    arguments = [str(command["command"]), *map(str, command.get("args") or ())]
    # Beside what a command has from whoever runs the program.
    settings = [*own, f"KUBERNETES_EXEC_INFO={json.dumps(request)}"]
    try:
        done = subprocess.run(
            ["env", *settings, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=EXEC_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterUnreachable(f"kubeconfig: `{arguments[0]}` gives no token: {_line(error)}") from None
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise ClusterUnreachable(f"kubeconfig: `{arguments[0]}` gives no token: {_line(last)}")
    try:
        status = _mapping(_mapping(json.loads(done.stdout))["status"])
    except (ValueError, KeyError):
        raise ClusterUnreachable(f"kubeconfig: `{arguments[0]}` prints no ExecCredential") from None
    plain = {"client-certificate-data": "clientCertificateData", "client-key-data": "clientKeyData"}
    encoded = {
        key: base64.b64encode(str(status[name]).encode()).decode()
        for key, name in plain.items()
        if status.get(name)
    }
    return {**encoded, **({"token": status["token"]} if status.get("token") else {})}


def _authorization(user: Fields, folder: Path) -> dict[str, str]:
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (folder / str(user["tokenFile"])).read_text(encoding="utf-8")
    if token:
        return {"Authorization": f"Bearer {str(token).strip()}"}
    if user.get("username"):
        both = f"{user['username']}:{user.get('password', '')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    return {}


def _impersonation(user: Fields) -> Iterator[tuple[str, str]]:
    """Headers by which an identity acts as another, which `kubectl --as` sends as well."""
    for key, header in (("as", "User"), ("as-uid", "Uid")):
        if user.get(key):
            yield f"Impersonate-{header}", str(user[key])
    for group in user.get("as-groups") or ():
        yield "Impersonate-Group", str(group)
    for name, values in _mapping(user.get("as-user-extra") or {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(str(name), safe='')}", str(value)


def _tls(cluster: Fields, user: Fields, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_data(cluster, "certificate-authority", folder))
    if _is_true(cluster.get("insecure-skip-tls-verify")):
        # Whoever wrote the kubeconfig knows.
        urllib3.disable_warnings(InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _data(user, "client-certificate", folder)
    key = _data(user, "client-key", folder)
    if certificate and key:
        # A certificate is read from files alone; this one is private, and gone at once.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
            both.write(f"{certificate}\n{key}")
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _data(fields: Fields, key: str, folder: Path) -> str | None:
    if fields.get(f"{key}-data"):
        return base64.b64decode(str(fields[f"{key}-data"]), validate=True).decode()
    return (folder / str(fields[key])).read_text(encoding="utf-8") if fields.get(key) else None


def _client(proxy: str, **settings: Any) -> urllib3.PoolManager:
    """What sends requests, through `proxy` where it is not empty."""
    if not proxy:
        return urllib3.PoolManager(**settings)
    url = parse_url(proxy)
    known = urllib3.make_headers(proxy_basic_auth=unquote(url.auth)) if url.auth else None
    return urllib3.ProxyManager(url._replace(auth=None).url, proxy_headers=known, **settings)


def _proxy(server: str) -> str:
    """The proxy that the environment has for a server, with its scheme; empty: none leads to it."""
    url = parse_url(server)
    host = url.host or ""
    if _is_here(host) or proxy_bypass(host if url.port is None else f"{host}:{url.port}"):
        return ""
    known = getproxies()
    proxy = known.get(url.scheme or "", known.get("all", ""))
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _is_here(host: str) -> bool:
    """Whether a host is this machine, which no proxy leads to."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _mapping(value: Any) -> Fields:
    if not isinstance(value, Mapping):
        raise ClusterUnreachable(f"kubeconfig or answer: a mapping is needed, not {type(value).__name__}")
    return cast(Fields, value)


def _line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
