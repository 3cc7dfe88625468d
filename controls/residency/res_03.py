"""Nothing is in several regions, or in all, unless the profile holds them."""

import re
from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_SECRET = "gcp:secretmanager/secret:Secret"
_TOPIC = "gcp:pubsub/topic:Topic"
_DATASET = "gcp:bigquery/dataset:Dataset"
_SPANNER = "gcp:spanner/instance:Instance"
_PARTITION = "gcp:spanner/instancePartition:InstancePartition"
_CONFIG = "gcp:spanner/instanceConfig:InstanceConfig"
_POINT = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
_GLOBAL_TABLE = "aws:dynamodb/globalTable:GlobalTable"
_SINKS = tuple(
    f"gcp:logging/{holder[0].lower()}{holder[1:]}Sink:{holder}Sink"
    for holder in ("Project", "Folder", "Organization", "BillingAccount")
)
_TYPES = (_SECRET, _TOPIC, _DATASET, _SPANNER, _PARTITION, _CONFIG, _POINT, _GLOBAL_TABLE, *_SINKS)
_ANYWHERE = re.compile(r"logging\.googleapis\.com/.*/locations/global/buckets/")
_CONFIGURATION = re.compile(r"(?:.*/)?regional-(.+)")


def _several(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    match subject.type:
        case "gcp:secretmanager/secret:Secret":
            if subject.value("replication.auto") is not None:
                yield "`replication.auto` keeps the secret in any region; use `userManaged` with replicas"
            elif not subject.value("replication.userManaged"):
                yield "`replication.userManaged` is absent, so no region is stated"
        case "gcp:pubsub/topic:Topic":
            if not subject.value("messageStoragePolicy.allowedPersistenceRegions"):
                yield "`messageStoragePolicy.allowedPersistenceRegions` is absent: any region keeps them"
        case "gcp:bigquery/dataset:Dataset":
            location = subject.value("location")
            if location and not profile.holds(str(location).lower()):
                yield f"`location` is {location!r}, which has regions outside profile {profile.name}"
            if not location:
                yield "`location` is absent, and its default is the US, whatever the provider's region"
        case token if token in _SINKS:
            if _ANYWHERE.search(str(subject.value("destination", ""))):
                yield "`destination` is a bucket of logs in location global: any region keeps them"
        case "gcp:spanner/instance:Instance" | "gcp:spanner/instancePartition:InstancePartition":
            config = subject.value("config", "")
            match = _CONFIGURATION.fullmatch(str(config))
            if match is None or not profile.holds(match[1]):
                yield f"`config` is {config!r}, not of one region of the profile"
        case "gcp:spanner/instanceConfig:InstanceConfig":
            base = subject.value("baseConfig")
            match = _CONFIGURATION.fullmatch(str(base))
            if base is not None and (match is None or not profile.holds(match[1])):
                yield f"`baseConfig` is {base!r}, not of one region of the profile"
        case _:
            regions = [
                one
                for path in ("details.regions.region", "replicas.regionName")
                for one in subject.values(path)
            ]
            if UNKNOWN in regions:
                raise Undecided("a region is not known yet")
            outside = sorted({str(one) for one in regions if one is not None and not profile.holds(str(one))})
            if outside:
                yield f"it spans {', '.join(outside)}"


CONTROL = Control(
    id="SOV-RES-03",
    title="Nothing spans regions outside the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "GDPR 44"),
    remedy="State the regions of the profile where the service's default is several regions, or all.",
    rule=ResourceRule(lambda token: token in _TYPES, _several),
    cases=(
        *(
            Case(
                f"logs that go to a bucket in {place}",
                verdict,
                Resource(
                    _SINKS[0],
                    "s",
                    {"destination": f"logging.googleapis.com/projects/p/locations/{place}/buckets/b"},
                ),
            )
            for place, verdict in (("global", Verdict.BAD), ("europe-west3", Verdict.GOOD))
        ),
        Case("a secret anywhere", Verdict.BAD, Resource(_SECRET, "s", {"replication": {"auto": {}}})),
        Case("a secret of which nothing is said", Verdict.BAD, Resource(_SECRET, "s", {})),
        Case(
            "a secret in regions of its own",
            Verdict.GOOD,
            Resource(
                _SECRET, "s", {"replication": {"userManaged": {"replicas": [{"location": "europe-west3"}]}}}
            ),
        ),
        Case("a secret not known yet", Verdict.UNDECIDED, Resource(_SECRET, "s", {"replication": UNKNOWN})),
        Case("messages anywhere", Verdict.BAD, Resource(_TOPIC, "t", {})),
        Case(
            "messages in one region",
            Verdict.GOOD,
            Resource(_TOPIC, "t", {"messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west3"]}}),
        ),
        Case("a dataset by default", Verdict.BAD, Resource(_DATASET, "d", {})),
        Case("a dataset in the EU", Verdict.GOOD, Resource(_DATASET, "d", {"location": "EU"})),
        Case(
            "a dataset in the EU, beside one region of it",
            Verdict.GOOD,
            Resource(_DATASET, "d", {"location": "EU"}),
            profile="gcp",
        ),
        Case("a database of a continent", Verdict.BAD, Resource(_SPANNER, "s", {"config": "nam3"})),
        Case(
            "a database of one region",
            Verdict.GOOD,
            Resource(_SPANNER, "s", {"config": "regional-europe-west3"}),
        ),
        Case(
            "a database of a region outside",
            Verdict.BAD,
            Resource(_SPANNER, "s", {"config": "regional-us-east1"}),
        ),
        *(
            Case(f"{title}, {config}", verdict, Resource(token, "s", {key: config}))
            for title, token, key in (
                ("a part of a database", _PARTITION, "config"),
                ("a configuration", _CONFIG, "baseConfig"),
            )
            for config, verdict in (
                ("nam8", Verdict.BAD),
                ("projects/p/instanceConfigs/regional-us-central1", Verdict.BAD),
                ("regional-europe-west3", Verdict.GOOD),
            )
        ),
        Case(
            "a point of access that spans",
            Verdict.BAD,
            Resource(_POINT, "p", {"details": {"regions": [{"bucket": "b", "region": "us-east-1"}]}}),
        ),
        Case(
            "a table that spans",
            Verdict.BAD,
            Resource(
                _GLOBAL_TABLE, "t", {"replicas": [{"regionName": "eu-west-1"}, {"regionName": "us-east-1"}]}
            ),
        ),
        Case(
            "a table within the EU",
            Verdict.GOOD,
            Resource(
                _GLOBAL_TABLE, "t", {"replicas": [{"regionName": "eu-west-1"}, {"regionName": "eu-west-3"}]}
            ),
        ),
        Case("anywhere in profile open", Verdict.GOOD, Resource(_TOPIC, "t", {}), profile="open"),
    ),
)
