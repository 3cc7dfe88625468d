"""`corral lock` against a registry on the loopback interface."""

import datetime
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.doubles.servers import Handler, listening

from corral.catalogue import lock, registry
from corral.catalogue.charts import chart
from corral.catalogue.digests import Locked, load
from corral.catalogue.images import image, images

MANIFEST = json.dumps({"schemaVersion": 2}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OTHER = f"sha256:{'b' * 64}"
TODAY = datetime.date(2026, 11, 24)


class Registry(Handler):
    """Public images behind anonymous tokens, private ones, and a Helm repository."""

    token = "anonymous-token"
    states_digest = True
    seen: list[str] = []

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        self.seen.append(f"{self.command} {place.path}")
        host = self.headers["Host"]
        if place.path == "/token":
            asked = parse_qs(place.query)
            known = asked["scope"] == ["repository:public/app:pull"] and asked["service"] == ["here"]
            self.answer(200 if known else 403, json.dumps({"token": self.token}).encode())
        elif place.path == "/charts/index.yaml":
            entry = f"{{version: 1.2.3, digest: {DIGEST.removeprefix('sha256:')}}}"
            self.answer(200, f"entries: {{app: [{{version: 1.2.2, digest: {'c' * 64}}}, {entry}]}}".encode())
        elif place.path.startswith("/v2/secret/"):
            self.answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        elif place.path != "/v2/public/app/manifests/1.0":
            self.answer(404)
        elif self.headers.get("Authorization") != f"Bearer {self.token}":
            challenge = (
                f'Bearer realm="http://{host}/token",service="here",scope="repository:public/app:pull"'
            )
            self.answer(401, headers={"WWW-Authenticate": challenge})
        else:
            self.answer(200, MANIFEST, {"Docker-Content-Digest": DIGEST} if self.states_digest else None)


@contextmanager
def serving(**settings: object) -> Iterator[str]:
    handler = type("Here", (Registry,), {"seen": [], **settings})
    with listening(handler) as address:
        yield address


@pytest.fixture
def host() -> Iterator[str]:
    with serving() as address:
        yield address


def ask(reference: str, *insecure: str) -> str:
    with registry.client() as http:
        return registry.resolve(reference, http, insecure)


def test_an_image_behind_an_anonymous_token_is_resolved(host: str):
    assert ask(f"{host}/public/app:1.0", host) == DIGEST


def test_a_chart_in_an_oci_registry_is_resolved_like_an_image(host: str):
    assert ask(f"oci://{host}/public/app:1.0", host) == DIGEST


def test_a_registry_that_states_no_digest_is_asked_for_the_manifest_itself():
    with serving(states_digest=False) as host:
        assert ask(f"{host}/public/app:1.0", host) == DIGEST


def test_a_chart_of_a_helm_repository_is_found_in_its_index_by_exact_version(host: str):
    assert ask(f"http://{host}/charts/app:v1.2.3") == DIGEST
    with pytest.raises(registry.Unresolved, match="not in its index"):
        ask(f"http://{host}/charts/app:1.2")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("secret/app:1.0", "wants credentials"), ("public/other:1.0", "not there"), ("public/app", "no tag")],
)
def test_what_has_no_digest_says_why(host: str, path: str, reason: str):
    with pytest.raises(registry.Unresolved, match=reason):
        ask(f"{host}/{path}", host)


def test_a_registry_that_is_gone_is_a_reason_and_no_crash():
    with serving() as gone:
        pass
    with pytest.raises(registry.Unresolved, match="unreachable: ConnectError"):
        ask(f"{gone}/public/app:1.0", gone)


def test_a_token_is_never_fetched_over_plain_http_from_a_host_that_is_not_declared_insecure(host: str):
    challenge = f'Bearer realm="http://{host}/token",service="here"'
    transport = httpx.MockTransport(lambda _: httpx.Response(401, headers={"WWW-Authenticate": challenge}))
    with httpx.Client(transport=transport) as http, pytest.raises(registry.Unresolved, match="plain HTTP"):
        registry.resolve("registry.example.eu/public/app:1.0", http)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setattr(registry, "INDEX_BYTES", 16)
    with pytest.raises(registry.Unresolved, match="an answer of more than"):
        ask(f"http://{host}/charts/app:1.2.3")


def test_every_request_has_a_time_limit():
    with registry.client() as http:
        limits = (http.timeout.connect, http.timeout.read, http.timeout.write, http.timeout.pool)
    assert all(limit is not None and limit <= 10 for limit in limits)


def test_digests_are_written_with_their_date_and_the_rest_stays_unresolved(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "digests.yaml"
    requested = {"quay.io/a/app:1.0": f"{host}/public/app:1.0", "quay.io/a/b:2": f"{host}/public/b:2"}
    assert lock.main(insecure=[host], file=file, requested=requested) == 1, "something is missing"
    assert {key: one.digest for key, one in load(file).items()} == {"quay.io/a/app:1.0": DIGEST}
    said = capsys.readouterr().out
    assert "quay.io/a/b:2: unresolved: not there" in said
    assert "1 of 2 digests resolved" in said


def test_a_complete_lock_succeeds_and_a_second_one_changes_nothing(host: str, tmp_path: Path):
    file = tmp_path / "digests.yaml"
    requested = {"quay.io/a/app:1.0": f"{host}/public/app:1.0"}
    assert lock.main(check=True, insecure=[host], file=file, requested=requested) == 1
    assert not file.exists(), "check writes nothing"
    assert lock.main(insecure=[host], file=file, requested=requested) == 0
    before = file.read_bytes()
    assert lock.main(check=True, insecure=[host], file=file, requested=requested) == 0
    assert lock.main(insecure=[host], file=file, requested=requested) == 0
    assert file.read_bytes() == before


def test_a_tag_that_moved_is_reported_and_replaced(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "digests.yaml"
    file.write_text(lock.text({"quay.io/a/app:1.0": Locked(digest=OTHER, date=TODAY)}))
    assert (
        lock.main(insecure=[host], file=file, requested={"quay.io/a/app:1.0": f"{host}/public/app:1.0"}) == 0
    )
    assert f"changed, was {OTHER}" in capsys.readouterr().out
    assert load(file)["quay.io/a/app:1.0"].digest == DIGEST


def test_a_silent_registry_takes_no_digest_away_and_a_dropped_reference_goes():
    known = {"a:1": Locked(digest=OTHER, date=TODAY), "gone:1": Locked(digest=OTHER, date=TODAY)}
    found = lock.merge(known, [lock.Answer("a:1", None, "unreachable")], datetime.date(2027, 1, 1))
    assert found == {"a:1": known["a:1"]}


def test_a_digest_that_stays_keeps_its_date():
    known = {"a:1": Locked(digest=OTHER, date=TODAY)}
    assert lock.merge(known, [lock.Answer("a:1", OTHER)], datetime.date(2027, 1, 1)) == known


def test_what_is_built_here_is_not_asked_for():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    requested = {"localhost/corral/tools:0.1.0": "localhost/corral/tools:0.1.0"}
    with httpx.Client(transport=httpx.MockTransport(refuse)) as http:
        reasons = [answer.reason for answer in lock.look_up(requested, http, ())]
    assert [reason.partition(":")[0] for reason in reasons] == ["built here"]


def test_with_a_mirror_images_are_asked_for_there_and_kept_under_their_own_name():
    asked = lock.references("mirror.example.eu/m")
    assert asked["docker.io/kserve/agent:v0.20.0"] == "mirror.example.eu/m/kserve/agent:v0.20.0"
    assert {entry.pinned for entry in images().values() if entry.unresolvable is None} <= set(asked)
    assert all(place.removeprefix("oci://").startswith("mirror.example.eu/m/") for place in asked.values())


def test_with_a_mirror_an_oci_chart_keeps_its_digest_and_another_chart_has_the_mirrors():
    asked = lock.references("mirror.example.eu/m")
    copied, pushed = chart("cert-manager"), chart("qdrant")
    place = f"oci://mirror.example.eu/m/jetstack/charts/cert-manager:{copied.version}"
    assert asked[copied.reference] == place
    place = f"oci://mirror.example.eu/m/charts/qdrant:{pushed.version}"
    assert asked[place] == place
    assert pushed.reference not in asked and pushed.reference in lock.references()


def test_a_lock_at_a_mirror_keeps_the_digests_of_the_charts_own_repositories():
    known = {one: Locked(digest=OTHER, date=TODAY) for one in (chart("qdrant").reference, "gone:1")}
    found = lock.merge(known, [], datetime.date(2027, 1, 1), kept=lock.references())
    assert set(found) == {chart("qdrant").reference}


def test_the_driver_image_has_no_digest_and_is_no_gap_of_the_lock():
    """Its tag gets the node's system as suffix, so no registry has it as it is."""
    of_one_tag = ["keda-http-interceptor", "keda-http-operator", "keda-http-scaler"]
    found = [name for name, entry in images().items() if entry.unresolvable]
    assert sorted(found) == ["gpu-driver", *of_one_tag]
    assert image("gpu-driver").pinned not in lock.references()


def test_a_lock_of_the_whole_catalogue_is_complete_where_the_registries_have_its_images(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def serve(reference: str, *_: object) -> str:
        assert not reference.startswith("localhost/") and ":unresolved" not in reference
        return DIGEST

    monkeypatch.setattr(lock, "resolve", serve)
    assert lock.main(file=tmp_path / "digests.yaml", mirror="mirror.example.eu") == 0


def test_a_steady_trickle_is_cut_off_like_an_answer_without_end(monkeypatch: pytest.MonkeyPatch, host: str):
    monkeypatch.setattr(registry, "BODY_SECONDS", -1)
    with pytest.raises(registry.Unresolved, match="an answer of more than -1 s"):
        ask(f"http://{host}/charts/app:1.2.3")
