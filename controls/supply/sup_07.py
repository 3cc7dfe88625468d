"""No registry fetches images of a public one by itself."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.network.hosts import PUBLIC
from corral.controls.profiles import Profile

_ECR = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
_GOOGLE = "gcp:artifactregistry/repository:Repository"
_KINDS = ("docker", "python", "npm", "maven", "apt", "yum", "common")
_ADDRESSES = ("publicRepository", "customRepository.uri", "uri")
_PATHS = tuple(f"remoteRepositoryConfig.{kind}Repository.{key}" for kind in _KINDS for key in _ADDRESSES)
_HOSTS = (*PUBLIC, "pypi.org", "npmjs.org", "maven.org", "apache.org", "conda.io", "anaconda.org")


def _public(address: object) -> bool:
    """Whether an address, or the word for one, is of a registry that is public."""
    text = str(address)
    host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    own = ".dkr.ecr." in host
    return "." not in host or (not own and any(host == one or host.endswith(f".{one}") for one in _HOSTS))


def _fetching(subject: Resource, profile: Profile) -> Iterator[str]:
    paths = ("upstreamRegistryUrl",) if subject.type == _ECR else _PATHS
    for path in paths:
        address = subject.value(path)
        if address is not None and _public(address):
            yield f"`{path}` is {address}: whoever pulls fetches from there what nobody has examined"


def _remote(**repository: object) -> Resource:
    return Resource(
        _GOOGLE,
        "r",
        {"mode": "REMOTE_REPOSITORY", "remoteRepositoryConfig": {"dockerRepository": repository}},
    )


def _rule(address: object) -> Resource:
    return Resource(_ECR, "r", {"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": address})


CONTROL = Control(
    id="SOV-SUP-07",
    title="No registry fetches what is public by itself",
    severity=Severity.MEDIUM,
    sources=("CIS EKS 5.1.4", "SOV-5"),
    remedy="Fill the mirror from `corral bundle`, by digest; take the cache of a public registry away.",
    rule=ResourceRule(lambda token: token in (_ECR, _GOOGLE), _fetching),
    cases=(
        Case("Docker Hub", Verdict.BAD, _rule("registry-1.docker.io")),
        Case("GitHub", Verdict.BAD, _rule("ghcr.io")),
        Case(
            "a registry of one's own of another region",
            Verdict.GOOD,
            _rule("123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        ),
        Case("a registry of one's own", Verdict.GOOD, _rule("registry.example.eu")),
        Case("a name that only ends alike", Verdict.GOOD, _rule("notdocker.io")),
        Case("Google, Docker Hub", Verdict.BAD, _remote(publicRepository="DOCKER_HUB")),
        Case("Google, by address", Verdict.BAD, _remote(customRepository={"uri": "https://ghcr.io"})),
        Case(
            "Google, a registry of one's own",
            Verdict.GOOD,
            _remote(customRepository={"uri": "https://registry.example.eu"}),
        ),
        Case("Google, not remote", Verdict.GOOD, Resource(_GOOGLE, "r", {"format": "DOCKER"})),
        Case("not known yet", Verdict.UNDECIDED, _rule(UNKNOWN)),
    ),
)
