"""What a provider's cluster or database holds is backed up outside it, and a restore was tried."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from corral.controls.cloud import CLUSTERS
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.exceptions import today
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves

_DATABASES = (
    "aws:docdb/cluster:Cluster",
    "aws:dynamodb/table:Table",
    "aws:neptune/cluster:Cluster",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
    "gcp:alloydb/cluster:Cluster",
    "gcp:bigquery/dataset:Dataset",
    "gcp:firestore/database:Database",
    "gcp:spanner/database:Database",
    "gcp:sql/databaseInstance:DatabaseInstance",
)
_VELERO = "kubernetes:velero.io/v1:BackupStorageLocation"
_RELEASE = "kubernetes:helm.sh/v3:Release"
_DUMPS = ("pg_dump", "mysqldump", "mariadb-dump", "mongodump", "restic", "rclone")
"""Programs that write what others can read."""
_JOBS = "kubernetes:batch/v1:CronJob"
TESTED = "corral.dev/restore-tested"
"""Annotation: the last day on which a restore was tried, as YYYY-MM-DD."""
MOST_DAYS = 180
"""Most days since."""
_HOSTS = {"aws": (".amazonaws.com", ".amazonaws.eu", ".amazonaws.com.cn"), "gcp": (".googleapis.com",)}
_INSIDE = (".svc", ".svc.cluster.local", ".cluster.local")


def _secured(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    targets = [one for other in others for one in _unpacked(other) if _is_target(one, subject)]
    outside = [one for one in targets if _outside(one, subject.type.partition(":")[0])]
    if not outside:
        named = "a CronJob that dumps it" if subject.type in _DATABASES else "a BackupStorageLocation"
        yield f"nothing in the stack backs it up in an open format outside its provider: add {named}"
    elif not any(_tried(one) for one in outside):
        names = ", ".join(one.name for one in outside)
        yield f"{names}: no annotation {TESTED} with a day of the last {MOST_DAYS}"


def _unpacked(one: Resource) -> Iterator[Resource]:
    """`one`; of a release of Velero's chart the targets among its values."""
    if one.type != _RELEASE or "velero" not in str(one.props.get("chart")).rpartition("/")[2]:
        yield one
        return
    for entry in one.values("values.configuration.backupStorageLocation"):
        if isinstance(entry, Mapping):
            fields = cast(Mapping[str, Any], entry)
            noted: dict[str, Any] = {
                "metadata": {"annotations": fields.get("annotations") or {}},
                "spec": fields,
            }
            yield Resource(_VELERO, one.name, noted)


def _is_target(one: Resource, subject: Resource) -> bool:
    if subject.type in CLUSTERS:
        return one.type.startswith(_VELERO)
    if not one.type.startswith(_JOBS):
        return False
    words = [str(value) for _, value in leaves(one) if value is not UNKNOWN]
    return any(program in word for word in words for program in _DUMPS)


def _outside(target: Resource, provider: str) -> bool:
    """Whether a backup is kept elsewhere; of a dump only its program is seen.

    Raises:
        Undecided: the address is not known yet.
    """
    if not target.type.startswith(_VELERO):
        return True
    if target.value("spec.accessMode", "ReadWrite") == "ReadOnly":
        return False
    host = urlsplit(str(target.value("spec.config.s3Url", ""))).hostname
    if host is None:
        maker = str(target.value("spec.provider", "")).rpartition("/")[2]
        return maker != provider
    return not host.endswith((*_HOSTS.get(provider, ()), *_INSIDE))


def _tried(target: Resource) -> bool:
    stated: Any = target.value("metadata.annotations", {})
    day = cast(Mapping[str, Any], stated).get(TESTED)
    if day is UNKNOWN:
        raise Undecided(f"{TESTED} is not known yet")
    try:
        tried = date.fromisoformat(str(day))
    except ValueError:
        return False
    return timedelta(0) <= today() - tried + timedelta(days=1) <= timedelta(days=MOST_DAYS + 1)


_CLUSTER = Resource(CLUSTERS[0], "c", {}, urn="c")
_TABLE = Resource("aws:rds/instance:Instance", "d", {}, urn="d")


def _tested(days: int = 10) -> dict[str, Any]:
    return {TESTED: str(today() - timedelta(days=days))}


def _location(address: Any = "https://s3.example.eu", annotations: Any = None, **spec: Any) -> Resource:
    config = {} if address is None else {"s3Url": address}
    noted = _tested() if annotations is None else annotations
    return Resource(
        _VELERO,
        "backups",
        {"metadata": {"annotations": noted}, "spec": {"provider": "aws", "config": config, **spec}},
        urn="backups",
    )


def _job(*words: str) -> Resource:
    pod = {"containers": [{"name": "c", "command": list(words)}]}
    spec = {"jobTemplate": {"spec": {"template": {"spec": pod}}}}
    return Resource(_JOBS, "dump", {"metadata": {"annotations": _tested()}, "spec": spec}, urn="dump")


def _chart(address: Any) -> Resource:
    entry = {"provider": "aws", "config": {"s3Url": address}, "annotations": _tested()}
    values = {"configuration": {"backupStorageLocation": [entry]}}
    return Resource(
        _RELEASE, "velero", {"chart": "oci://r.example.eu/charts/velero", "values": values}, urn="v"
    )


CONTROL = Control(
    id="SOV-LCK-05",
    title="What a provider holds is backed up outside it, and a restore was tried",
    severity=Severity.HIGH,
    sources=("Data Act 23", "DORA 28(8)"),
    remedy=f"Add a target of Velero outside the provider; try a restore, and note the day as {TESTED}.",
    rule=StackRule(lambda token: token in CLUSTERS or token in _DATABASES, _secured),
    not_enforced=(
        "that a backup is whole, that a restore succeeded, and where a dump is sent: the day is what the "
        "program says. Evidence has the finding of each resource, and no proof of the restore. Clusters that "
        "are there already, and buckets, whose objects any client of S3 copies, are not evaluated",
    ),
    cases=(
        Case("a backup outside, tried", Verdict.GOOD, _CLUSTER, (_location(),)),
        Case("at another provider", Verdict.GOOD, _CLUSTER, (_location(None, provider="velero.io/gcp"),)),
        Case("by the values of Velero's chart", Verdict.GOOD, _CLUSTER, (_chart("https://s3.example.eu"),)),
        Case("at the provider by these", Verdict.BAD, _CLUSTER, (_chart(None),)),
        Case("no backup", Verdict.BAD, _CLUSTER),
        Case("at the provider itself", Verdict.BAD, _CLUSTER, (_location(None),)),
        Case(
            "at the provider by its address",
            Verdict.BAD,
            _CLUSTER,
            (_location("https://s3.eu-central-1.amazonaws.com"),),
        ),
        Case("within the cluster", Verdict.BAD, _CLUSTER, (_location("http://minio.backup.svc:9000"),)),
        Case(
            "at a host that only ends alike", Verdict.GOOD, _CLUSTER, (_location("https://notamazonaws.com"),)
        ),
        Case("only read from", Verdict.BAD, _CLUSTER, (_location(accessMode="ReadOnly"),)),
        Case("no restore tried", Verdict.BAD, _CLUSTER, (_location(annotations={}),)),
        Case("a restore long ago", Verdict.BAD, _CLUSTER, (_location(annotations=_tested(MOST_DAYS + 30)),)),
        Case("a restore that is to come", Verdict.BAD, _CLUSTER, (_location(annotations=_tested(-30)),)),
        Case("a day that is none", Verdict.BAD, _CLUSTER, (_location(annotations={TESTED: "recently"}),)),
        Case("an address not known yet", Verdict.UNDECIDED, _CLUSTER, (_location(UNKNOWN),)),
        Case("a database that is dumped", Verdict.GOOD, _TABLE, (_job("sh", "-c", "pg_dump x | age"),)),
        Case("a database with snapshots of its provider", Verdict.BAD, _TABLE, (_job("true"),)),
        Case("a database, and a backup of the cluster", Verdict.BAD, _TABLE, (_location(),)),
    ),
)
