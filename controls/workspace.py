"""Where the state of a stack is, what encrypts its secrets, and where its plugins come from: SOV-OPS-01,
SOV-OPS-02 and SOV-SUP-08.

No resource of the program shows them, so they are evaluated from the project's files, before a deployment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from corral.controls.levels import Level
from corral.controls.network.hosts import PUBLIC
from corral.controls.profiles import Profile

STATE, SECRETS, PLUGINS = "SOV-OPS-01", "SOV-OPS-02", "SOV-SUP-08"
HOSTED = ("api.pulumi.com", "app.pulumi.com")
PASSPHRASE = "passphrase"
PUBLISHERS, KEPT = "the publishers", "this machine"
"""Where the engine has its plugins from by itself, and where it has them if it fetches none."""


@dataclass(frozen=True)
class Workspace:
    """What the files of a project, or the environment, say."""

    backend: str | None
    """URL of the state; None: it is not said."""
    secrets_provider: str | None
    """URL of the key of the secrets, or `passphrase`; None: it is not said."""
    plugins: str = PUBLISHERS
    """Where the engine fetches plugins from: the publishers, this machine, or addresses in their place."""


@dataclass(frozen=True)
class Finding:
    """Something of a workspace that its profile does not take."""

    control: str
    level: Level
    path: str
    value: str
    reason: str


def findings(workspace: Workspace, constraints: Profile) -> Iterator[Finding]:
    """What `constraints` have against `workspace`; what is not said is not evaluated."""
    if workspace.backend is not None and (reason := _state(workspace.backend, constraints)):
        yield from _finding(STATE, "backend.url", _shown(workspace.backend), reason, constraints)
    provider = workspace.secrets_provider
    if provider is not None and (reason := _secrets(provider, constraints)):
        yield from _finding(SECRETS, "secretsprovider", _shown(provider), reason, constraints)
    if reason := _plugins(workspace.plugins):
        yield from _finding(PLUGINS, "plugins", workspace.plugins, reason, constraints)


def _finding(control: str, path: str, value: str, reason: str, constraints: Profile) -> Iterator[Finding]:
    level = constraints.workspace[control]
    if level is not Level.DISABLED:
        yield Finding(control, level, path, value, f"{control}: {reason}")


def _shown(address: str) -> str:
    """`address` without credentials."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else address


def _state(address: str, constraints: Profile) -> str | None:
    parts = urlsplit(address)
    if parts.hostname in HOSTED:
        return "a hosted service keeps the state: use s3://, gs:// or file:// in a place of the profile"
    return _elsewhere(parts.scheme, parts.query, address, constraints) if parts.scheme == "s3" else None


def _secrets(provider: str, constraints: Profile) -> str | None:
    if provider == PASSPHRASE:
        return (
            "a passphrase encrypts the secrets: use a key service, as in "
            "pulumi stack change-secrets-provider awskms://…"
        )
    parts = urlsplit(provider)
    if parts.scheme == "gcpkms":
        place = (parts.netloc + parts.path).partition("/locations/")[2].partition("/")[0]
        return _outside(place, constraints) if place else None
    return _elsewhere(parts.scheme, parts.query, provider, constraints) if parts.scheme == "awskms" else None


def _plugins(origin: str) -> str | None:
    if origin == PUBLISHERS:
        return (
            "the engine fetches plugins that it lacks from their publishers: set "
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true, or PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"
        )
    hosts = {urlsplit(one.partition("=")[2]).hostname or "" for one in origin.split(",")} - {""}
    public = sorted(host for host in hosts if any(host == one or host.endswith(f".{one}") for one in PUBLIC))
    return f"plugins come from {', '.join(public)}, which is public: name a mirror" if public else None


def _elsewhere(scheme: str, query: str, address: str, constraints: Profile) -> str | None:
    """What is wrong with the region in the query of an address of AWS; a server of one's own has none."""
    options = parse_qs(query)
    if options.get("endpoint"):
        return None
    region = options.get("region", [""])[0]
    if region:
        return _outside(region, constraints)
    return None if constraints.regions is None else f"names no region: add ?region=REGION to {scheme}://…"


def _outside(place: str, constraints: Profile) -> str | None:
    if constraints.holds(place.lower()):
        return None
    return f"{place} is outside profile {constraints.name}: use a region of the profile"
