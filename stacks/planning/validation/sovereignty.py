"""Section `sovereignty`: a place, a registry and adjustments that the profile allows."""

from collections.abc import Iterator
from datetime import date

from corral.catalogue.aws import partition_of
from corral.catalogue.formats import GCP_REGION
from corral.catalogue.vocabulary import Cloud, Platform, Profile
from corral.controls.adjustments import refusals
from corral.controls.profiles import ALL_COUNTRIES, PROFILES
from corral.controls.residency.places import is_region
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import Site, Sovereignty, StackConfig

OF_A_CLOUD = frozenset({Platform.EKS_AL2023, Platform.EKS_BOTTLEROCKET, Platform.EKS_UBUNTU}) | {
    Platform.GKE_COS,
    Platform.GKE_UBUNTU,
}
"""Platforms whose nodes are a cloud's."""
SITE = "{country: DE, site: NAME}"


def check_sovereignty(config: StackConfig, day: date) -> Iterator[Problem]:
    """Choices that the profile rules out; `day`: by which exceptions end."""
    section = config.sovereignty
    if isinstance(section.region, Site):
        yield from _site(section.region, config)
    else:
        yield from _region(section.region, config)
    if section.profile is Profile.AIR_GAPPED and section.registry is None:
        yield Problem("sovereignty.registry", "missing", "profile air-gapped pulls from a mirror: name it")
    yield from _adjustments(section, day)
    for name, tested in config.exit_tests.items():
        if tested.date > day:
            yield Problem(f"exit-tests.{name}.date", str(tested.date), "in the future: state the day")


def _region(region: str, config: StackConfig) -> Iterator[Problem]:
    limits = PROFILES[config.sovereignty.profile.value]
    if limits.regions is None:
        return
    if region not in limits.regions:
        cloud = config.cluster.capabilities.cloud
        allowed = ", ".join(sorted(one for one in limits.regions if _has(cloud, one)))
        own = f", or a site of your own as {SITE}" if cloud is None else ""
        yield Problem("sovereignty.region", region, f"profile {limits.name} allows {allowed}{own}")
    elif config.cluster.capabilities.reached_by_kubeconfig and not _rented(config):
        reason = (
            f"a region of a cloud, and nothing says that the nodes are there: name your own site as {SITE}, "
            "or the cloud's nodes by cluster.platform or gpu-pools[].instance"
        )
        yield Problem("sovereignty.region", region, reason)


def _has(cloud: Cloud | None, region: str) -> bool:
    """Whether clusters of `cloud` can be in `region`; None: anywhere."""
    match cloud:
        case Cloud.AWS:
            return partition_of(region) is not None
        case Cloud.GCP:
            return GCP_REGION.matches(region)
        case _:
            return True


def _rented(config: StackConfig) -> bool:
    """Whether the stack file says that the nodes are a cloud's."""
    return config.cluster.platform in OF_A_CLOUD or any(pool.instance for pool in config.gpu_pools)


def _site(site: Site, config: StackConfig) -> Iterator[Problem]:
    limits, platform = PROFILES[config.sovereignty.profile.value], config.cluster.platform
    allowed = ALL_COUNTRIES if limits.countries is None else limits.countries
    if site.country not in allowed:
        codes = ", ".join(sorted(allowed)) if limits.countries else "any code of ISO 3166-1 alpha-2"
        yield Problem("sovereignty.region.country", site.country, f"profile {limits.name} allows {codes}")
    if is_region(site.site):
        reason = "the name of a cloud's region: use that as text, or the name of your own site"
        yield Problem("sovereignty.region.site", site.site, reason)
    elif platform is not None and platform in OF_A_CLOUD:
        reason = f"nodes of platform {platform.value} are in a region of the cloud: use its name"
        yield Problem("sovereignty.region.site", site.site, reason)


def _adjustments(section: Sovereignty, day: date) -> Iterator[Problem]:
    limits = PROFILES[section.profile.value]
    exceptions = [one.parsed for one in section.exceptions]
    for one in refusals(limits, section.controls, exceptions, day):
        yield Problem(f"sovereignty.{one.path}", one.value, one.allowed)
