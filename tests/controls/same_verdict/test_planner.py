"""The plan says of a stack file what the pack says of the resources that come of it, control by control."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from tests.controls.same_verdict.mutated import Mutated, mutations
from tests.controls.same_verdict.nets import forget, of_pack, of_stack
from tests.stacks.stack_files import problems

from corral.catalogue.secret_stores import STORE_KINDS
from corral.controls.control import Resource, Verdict
from corral.controls.enforcement import stops
from corral.controls.profiles import PROFILES, profile
from corral.controls.register import control
from corral.stacks.planning.sovereignty import BUDGET, PLANNED, STORES

REGIONS, DIGESTS = "SOV-RES-01", "SOV-SUP-02"
TRIED = {REGIONS, DIGESTS, STORES}
PLACES = sorted(
    {one for each in PROFILES.values() for one in each.regions or ()} | {"us-east-1", "eu-west-2"}
)


@pytest.fixture(scope="module", autouse=True)
def analyzers() -> Iterator[None]:
    yield
    forget()


def test_every_control_that_the_plan_holds_is_compared_but_the_budget_by_stacks_of_its_own() -> None:
    assert TRIED | {BUDGET} == PLANNED


def refused(control: str, **changes: Any) -> bool:
    """Whether the plan refuses a stack on nodes of a cloud for what control `control` is about."""
    stack: dict[str, Any] = {
        "cluster": {"kind": "existing", "platform": "eks-al2023"},
        "models": [],
        **changes,
    }
    paths = {REGIONS: "sovereignty.region", DIGESTS: "sovereignty.profile", STORES: "secrets."}
    return any(one.startswith(paths[control]) for one in problems(**stack))


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("region", PLACES)
def test_a_region_that_the_plan_takes_is_one_that_the_pack_takes(name: str, region: str) -> None:
    bucket = Resource("aws:s3/bucket:Bucket", "b", {"region": region})
    pack = of_stack(control(REGIONS), PROFILES[name], bucket, []) is Verdict.BAD
    assert refused(REGIONS, sovereignty={"profile": name, "region": region, "registry": "r.eu/m"}) is pack


@pytest.mark.parametrize("name", ["open", "eu-resident", "eu-sovereign"])
def test_an_image_without_a_digest_is_refused_where_the_pack_stops_it(name: str) -> None:
    region = sorted(PROFILES[name].regions or ["eu-central-1"])[0]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "docker.io/envoyproxy/ratelimit:17b1956c"}]},
    }
    pack = of_pack(control(DIGESTS), PROFILES[name], pod) and stops(control(DIGESTS), PROFILES[name])
    assert refused(DIGESTS, sovereignty={"profile": name, "region": region, "registry": "r.eu/m"}) is pack


def stores() -> Iterator[Mutated]:
    """Stores of the mutations that a stack file can state."""
    known = {one.provider for one in STORE_KINDS.values()}
    for one in mutations(STORES):
        provider = cast("Mapping[str, Any]", one.subject.get("spec", {}).get("provider") or {})
        if len(provider) == 1 and known >= provider.keys():
            yield one


def section(provider: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The section of a stack file with that provider; None: it cannot state it."""
    (name,) = provider
    word, kind = next((word, kind) for word, kind in STORE_KINDS.items() if kind.provider == name)
    own = cast("Mapping[str, Any]", provider[name] or {})
    stated = {key: own.get(field) for field, key in kind.place.items()}
    if not all(stated.values()):
        return None
    more = {"role": "corral"} if word.value == "vault" else {}
    return {"store": "s", "provider": word.value, **stated, **more}


STATED = [(one, found) for one in stores() if (found := section(one.subject["spec"]["provider"])) is not None]


@pytest.mark.parametrize(("one", "stated"), STATED, ids=[one.title for one, _ in STATED])
def test_a_store_of_secrets_has_the_verdict_of_its_object(one: Mutated, stated: Mapping[str, Any]) -> None:
    region = "europe-west3" if stated["provider"] == "gcp" else "eu-central-1"
    limits = profile("eu-resident", region=region)
    pack = of_pack(control(STORES), limits, one.subject)
    place = {"profile": "eu-resident", "region": region}
    assert refused(STORES, sovereignty=place, secrets=stated) is pack is (one.verdict is Verdict.BAD)


def test_stores_of_each_verdict_are_compared() -> None:
    assert {one.verdict for one, _ in STATED} == {Verdict.GOOD, Verdict.BAD} and len(STATED) > 12
