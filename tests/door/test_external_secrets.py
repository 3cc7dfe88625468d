"""External Secrets runs with doubles of a Vault and of AWS: a Secret follows its entry; a pod when told.

Its operator takes minutes to build (`corral setup --addon external-secrets`), so this runs where
`CORRAL_EXTERNAL_SECRETS=1` says so.
"""

import json
import os
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.commands import kubectl, kubectl_done
from tests.door.newcomer import Newcomer, newcomer_in
from tests.doubles import secrets_manager
from tests.doubles.secrets_manager import Aws
from tests.doubles.vault import Role, Vault, serving
from tests.e2e.platform_client import holds, wait_for

from corral.catalogue.secret_stores import ACCOUNT, API_VERSION, KIND, provider
from corral.catalogue.vocabulary import Addon, SecretProvider
from corral.embedded.toolchain import ensure, needed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        "CORRAL_EXTERNAL_SECRETS" not in os.environ,
        reason="its operator takes minutes to build: set CORRAL_EXTERNAL_SECRETS=1",
    ),
]
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral.components.external_secrets import ExternalSecrets
from corral.components.rate_limit_store import RateLimitStore

on = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig={kubeconfig!r}))
supply = {{"charts": {charts!r}}}
secrets = ExternalSecrets("external-secrets", {{
    "supply": supply,
    "store": "platform", "provider": "vault", "server": {server!r}, "role": "corral",
    "namespaces": ["team-a", "token-limits"], "replicas": 1,
}}, on)
store = {{
    "name": secrets.store, "prefix": "corral/", "property": "value", "refresh": "2s",
    "revision": pulumi.Config().get("revision") or "1",
}}
RateLimitStore("counts", {{"supply": supply, "secret_store": store, "protect": False}}, on)
"""
UP = ("pulumi", "up", "-s", "store", "--yes", "--skip-preview", "--non-interactive")
PASSWORD = "corral/token-limits-password"
SPACE, SECONDS, REFRESH = "team-a", 60, 2
OPERATOR = f"system:serviceaccount:external-secrets:{ACCOUNT}"


@dataclass(frozen=True)
class Site:
    """A cluster with the operator, and the store that it reads."""

    newcomer: Newcomer
    kubeconfig: Path
    vault: Vault

    def kubectl(self, *arguments: str, given: Any = None) -> str:
        return kubectl_done(self.kubeconfig, *arguments, stdin="" if given is None else json.dumps(given))

    def read(self, *arguments: str) -> dict[str, Any]:
        """An object; nothing where it is not there."""
        done = kubectl(self.kubeconfig, "get", *arguments, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def secret(self, name: str) -> str | None:
        """What Secret `name` has as `text`, as it is encoded."""
        return self.read("secret", name, "-n", SPACE).get("data", {}).get("text")

    def refusal(self, *arguments: str) -> str:
        """Message of the condition by which an object is not ready."""
        several = self.read(*arguments).get("status", {}).get("conditions", [])
        said = [one for one in several if one["type"] == "Ready" and one["status"] == "False"]
        return f"{said[0].get('reason')}: {said[0].get('message')}" if said else ""

    def events(self, name: str) -> str:
        """What was said of an object."""
        several = self.read("events", "-A").get("items", [])
        return "\n".join(one["message"] for one in several if one["involvedObject"]["name"] == name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    ensure(needed([Addon.EXTERNAL_SECRETS, Addon.TOKEN_LIMITS]), lambda _line: None)
    folder = tmp_path_factory.mktemp("store")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    plane = newcomer.home / ".cache" / "corral" / "elsewhere"
    roles = {"corral": Role(OPERATOR, "corral/")}
    with serving(Vault(reviewed(plane / "kubeconfig"), roles)) as vault:
        vault.entries[PASSWORD] = {"value": "the first"}
        try:
            newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
            own = folder / "own"
            own.mkdir()
            (own / "Pulumi.yaml").write_text("name: store\nruntime: python\n")
            places = {"kubeconfig": str(plane / "kubeconfig"), "charts": str(plane / "charts")}
            (own / "__main__.py").write_text(PROGRAM.format(server=vault.address, **places))
            made = Site(replace(newcomer, checkout=own), plane / "kubeconfig", vault)
            made.kubectl("create", "namespace", SPACE)
            made.newcomer.done("pulumi", "stack", "init", "store")
            made.newcomer.done(*UP)
            yield made
        finally:
            newcomer.run("corral", "down", "-s", "elsewhere", "--yes")


def reviewed(kubeconfig: Path, *audiences: str) -> Callable[[str], str | None]:
    """Whose token of the cluster it is, made for these audiences alone, as the cluster says."""

    def who(token: str) -> str | None:
        spec = {"token": token, **({"audiences": audiences} if audiences else {})}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        said = kubectl_done(kubeconfig, "create", "-o", "json", "-f", "-", stdin=json.dumps(review))
        return json.loads(said)["status"].get("user", {}).get("username")

    return who


def external(
    name: str, key: str, store: str = "platform", space: str = SPACE, field: str | None = "value"
) -> dict[str, Any]:
    remote = {"key": key} if field is None else {"key": key, "property": field}
    return {
        "apiVersion": API_VERSION,
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": space},
        "spec": {
            "refreshInterval": f"{REFRESH}s",
            "secretStoreRef": {"kind": KIND, "name": store},
            "target": {"name": name, "deletionPolicy": "Retain"},
            "data": [{"secretKey": "text", "remoteRef": remote}],
        },
    }


@contextmanager
def made(site: Site, *objects: Mapping[str, Any]) -> Generator[None]:
    """These objects are there, and go afterwards."""
    listed = {"apiVersion": "v1", "kind": "List", "items": [*objects]}
    site.kubectl("create", "-f", "-", given=listed)
    try:
        yield
    finally:
        site.kubectl("delete", "--ignore-not-found", "-f", "-", given=listed)


def test_a_secret_has_what_its_entry_has_and_follows_it(site: Site):
    site.vault.entries["corral/followed"] = {"value": "first"}
    with made(site, external("followed", "corral/followed")):
        wait_for(lambda: site.secret("followed") == "Zmlyc3Q=", SECONDS, "the Secret is there")
        assert holds(site.read("externalsecret", "followed", "-n", SPACE), "Ready")
        site.vault.entries["corral/followed"] = {"value": "second"}
        wait_for(lambda: site.secret("followed") == "c2Vjb25k", 10 * REFRESH, "the Secret follows")
        del site.vault.entries["corral/followed"]
        gone = ("externalsecret", "followed", "-n", SPACE)
        wait_for(lambda: site.refusal(*gone), SECONDS, "the missing entry is named")
        assert site.secret("followed") == "c2Vjb25k", "a store that was emptied stops nothing"
    wait_for(lambda: site.secret("followed") is None, SECONDS, "a Secret goes with what made it")


def test_what_the_role_of_the_operator_may_not_read_is_refused_by_name(site: Site):
    site.vault.entries["others/key"] = {"value": "theirs"}
    with made(site, external("beyond", "others/key")):
        said = wait_for(lambda: site.refusal("externalsecret", "beyond", "-n", SPACE), SECONDS, "refused")
        assert said.startswith("SecretSyncedError"), said
        assert site.secret("beyond") is None


def test_a_store_with_a_role_that_is_not_the_operators_says_so_and_gives_nothing(site: Site):
    site.vault.roles["others"] = Role("system:serviceaccount:shop:web", "others/")
    for role, why in (("nobody", "invalid role name"), ("others", "permission denied")):
        spec = {"provider": provider(SecretProvider.VAULT, {"server": site.vault.address, "role": role})}
        store = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": role}, "spec": spec}
        with made(site, store, external(role, "corral/followed", store=role)):
            said = wait_for(lambda role=role: site.refusal(KIND, role), SECONDS, f"store {role} is refused")
            assert said.startswith("InvalidProviderConfig"), said
            wait_for(lambda role=role, why=why: why in site.events(role), SECONDS, f"the reason: {why}")
            assert site.secret(role) is None
    assert f"{OPERATOR} is not system:serviceaccount:shop:web" in site.vault.refused


def test_another_namespace_reads_nothing_by_the_store(site: Site):
    site.kubectl("create", "namespace", "shop")
    site.vault.entries["corral/followed"] = {"value": "first"}
    with made(site, external("taken", "corral/followed", space="shop")):
        wait_for(lambda: site.refusal("externalsecret", "taken", "-n", "shop"), SECONDS, "refused")
        wait_for(lambda: "not allowed from namespace" in site.events("taken"), SECONDS, "the reason")
        assert not site.read("secret", "taken", "-n", "shop")


def said(site: Site, password: str) -> str:
    """What the store of counts answers who logs in with that password; nothing while it starts."""
    address = site.read("service", "rate-limit-store", "-n", "token-limits")["spec"]["clusterIP"]
    with suppress(ConnectionError), socket.create_connection((address, 6379), timeout=10) as connection:
        connection.sendall(f'AUTH "{password}"\r\n'.encode())
        return connection.recv(200).decode()
    return ""


def test_a_pod_that_reads_a_secret_as_it_starts_goes_on_until_the_revision_says_otherwise(site: Site):
    def pod() -> str:
        return site.read("pod", "rate-limit-store-0", "-n", "token-limits")["metadata"]["uid"]

    first = pod()
    assert said(site, "the first").startswith("+OK")
    before = site.read("secret", "rate-limit-store-credential", "-n", "token-limits")["data"]
    site.vault.entries[PASSWORD] = {"value": 'the "second"'}

    def there() -> Any:
        return site.read("secret", "rate-limit-store-credential", "-n", "token-limits")["data"]

    wait_for(lambda: there() != before, 10 * REFRESH, "the Secret follows")
    assert pod() == first and said(site, "the first").startswith("+OK"), "nobody starts it anew unasked"
    site.newcomer.done("pulumi", "config", "set", "revision", "2", "-s", "store")
    site.newcomer.done(*UP)
    assert pod() != first
    wait_for(lambda: said(site, "the first").startswith("-WRONGPASS"), SECONDS, "the former one is refused")
    assert said(site, 'the \\"second\\"').startswith("+OK")


@pytest.fixture(scope="module")
def aws(site: Site) -> Iterator[Aws]:
    """AWS, which the operator's pods enter as on EKS, whose webhook gives them token and the agent's URL."""
    who = reviewed(site.kubeconfig, secrets_manager.AUDIENCE)
    with secrets_manager.serving(Aws(who)) as made:
        folder, file = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount", "eks-pod-identity-token"
        variables = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": made.credentials,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{folder}/{file}",
            "AWS_SECRETSMANAGER_ENDPOINT": made.address,
        }
        token = {"audience": secrets_manager.AUDIENCE, "expirationSeconds": 3600, "path": file}
        container = {
            "name": "external-secrets",
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "volumeMounts": [{"name": "eks-pod-identity-token", "mountPath": folder, "readOnly": True}],
        }
        volume = {
            "name": "eks-pod-identity-token",
            "projected": {"sources": [{"serviceAccountToken": token}]},
        }
        pod = {"spec": {"containers": [container], "volumes": [volume]}}
        patch = json.dumps({"spec": {"template": pod}})
        site.kubectl("patch", "deployment", "external-secrets", "-n", "external-secrets", "--patch", patch)
        site.kubectl("rollout", "status", "deployment", "external-secrets", "-n", "external-secrets")
        yield made


def aws_store() -> dict[str, Any]:
    spec = {"provider": provider(SecretProvider.AWS, {"region": secrets_manager.REGION})}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "aws"}, "spec": spec}


def test_a_store_of_aws_is_entered_by_the_identity_of_the_operators_pods(site: Site, aws: Aws):
    owner = aws.client("secretsmanager")
    owner.create_secret(Name="corral/of-aws", SecretString="first")
    aws.enforce(0)
    wanted = external("of-aws", "corral/of-aws", store="aws", field=None)
    with made(site, aws_store(), wanted):
        refused = wait_for(lambda: site.refusal(KIND, "aws"), SECONDS, "no role, no store")
        assert refused.startswith("InvalidProviderConfig"), refused
        assert OPERATOR in aws.refused and site.secret("of-aws") is None
    aws.allow(OPERATOR, "secretsmanager:DescribeSecret")
    with made(site, aws_store(), wanted):
        denied = "GetSecretValue, https response error StatusCode: 403"
        wait_for(lambda: denied in site.events("of-aws"), SECONDS, "a role without the right is refused")
        assert site.secret("of-aws") is None
    aws.allow(OPERATOR, "secretsmanager:GetSecretValue")
    site.kubectl("rollout", "restart", "deployment", "external-secrets", "-n", "external-secrets")
    with made(site, aws_store(), wanted):
        wait_for(lambda: site.secret("of-aws") == "Zmlyc3Q=", SECONDS, "the Secret is there")
        owner.put_secret_value(SecretId="corral/of-aws", SecretString="second")
        wait_for(lambda: site.secret("of-aws") == "c2Vjb25k", 10 * REFRESH, "the Secret follows")


def test_a_store_of_google_is_one_that_the_operators_webhook_takes(site: Site):
    spec = {"provider": provider(SecretProvider.GCP, {"region": "europe-west3", "project": "acme-keys"})}
    store = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "google"}, "spec": spec}
    strictly = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    site.kubectl(*strictly, given=store)
    spec["provider"]["gcpsm"]["region"] = "europe-west3"
    refused = kubectl(site.kubeconfig, *strictly, stdin=json.dumps(store))
    assert refused.returncode and 'unknown field "spec.provider.gcpsm.region"' in refused.stderr


def test_nothing_is_left_of_it_after_a_destroy(site: Site):
    site.newcomer.done("pulumi", "destroy", "-s", "store", "--yes", "--skip-preview", "--non-interactive")
    assert not site.read("namespace", "external-secrets")
    for kind in ("customresourcedefinitions", "clusterroles", "validatingwebhookconfigurations"):
        left = site.kubectl("get", kind, "-o", "name")
        assert "external-secrets" not in left and "secretstore-validate" not in left, left
    assert site.vault.open_tokens == 0, "the operator gives back each token that it took"
