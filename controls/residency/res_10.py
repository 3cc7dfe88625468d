"""No network of caches keeps copies around the world."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_EDGE = ("aws:cloudfront/", "aws:globalaccelerator/", "gcp:networkservices/edgeCache")
_KEPT = ("Policy", "OriginAccess", "PublicKey", "KeyGroup", "Function", "Keyset")
_CACHED = (
    "gcp:compute/backendBucket:BackendBucket",
    "gcp:compute/backendService:BackendService",
    "gcp:compute/regionBackendService:RegionBackendService",
)
_GATEWAY = "aws:apigateway/restApi:RestApi"
_ACCELERATED = "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration"


def _applies(token: str) -> bool:
    edge = token.startswith(_EDGE) and not any(word in token.rpartition(":")[2] for word in _KEPT)
    return edge or token in (*_CACHED, _GATEWAY, _ACCELERATED)


def _at_edge(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    if subject.type in _CACHED:
        if true(subject.value("enableCdn", False)):
            yield "`enableCdn` is true, so copies are kept around the world"
    elif subject.type == _GATEWAY:
        kinds = [one for one in subject.values("endpointConfiguration.types") if one is not None]
        if UNKNOWN in kinds:
            raise Undecided("`endpointConfiguration.types` is not known yet")
        if "EDGE" in kinds or not kinds:
            yield "`endpointConfiguration.types` is EDGE, its default, so it answers at any edge"
    elif subject.type == _ACCELERATED:
        if true(subject.value("status", "Enabled")):
            yield "`status` is Enabled, so uploads enter at any edge"
    else:
        yield f"{subject.type.rpartition(':')[2]} answers at the edge, in no region"


CONTROL = Control(
    id="SOV-RES-10",
    title="No cache or accelerator stands outside the profile's regions",
    severity=Severity.HIGH,
    sources=("SOV-3",),
    remedy="Serve from a load balancer in a region of the profile.",
    rule=ResourceRule(_applies, _at_edge),
    cases=(
        *(
            Case(f"a gateway of APIs, {title}", verdict, Resource(_GATEWAY, "g", props))
            for title, verdict, props in (
                ("of a region", Verdict.GOOD, {"endpointConfiguration": {"types": "REGIONAL"}}),
                ("private", Verdict.GOOD, {"endpointConfiguration": {"types": ["PRIVATE"]}}),
                ("at the edge", Verdict.BAD, {"endpointConfiguration": {"types": "EDGE"}}),
                ("by its default", Verdict.BAD, {}),
                ("not known yet", Verdict.UNDECIDED, {"endpointConfiguration": {"types": UNKNOWN}}),
            )
        ),
        Case("a distribution", Verdict.BAD, Resource("aws:cloudfront/distribution:Distribution", "d", {})),
        Case(
            "an accelerator", Verdict.BAD, Resource("aws:globalaccelerator/accelerator:Accelerator", "a", {})
        ),
        Case("a cached bucket", Verdict.BAD, Resource(_CACHED[0], "b", {"enableCdn": True})),
        Case("a service without a cache", Verdict.GOOD, Resource(_CACHED[1], "s", {})),
        Case("uploads at the edge", Verdict.BAD, Resource(_ACCELERATED, "a", {"status": "Enabled"})),
        Case("uploads in the region", Verdict.GOOD, Resource(_ACCELERATED, "a", {"status": "Suspended"})),
        Case(
            "a distribution in profile open",
            Verdict.GOOD,
            Resource("aws:cloudfront/distribution:Distribution", "d", {}),
            profile="open",
        ),
    ),
)
