"""Network, names, keys, logs, identities and policies of Google Cloud."""

from typing import Any

from tests.providers.gcp.google import NUMBER, Google, GoogleError, Thing
from tests.providers.gcp.kinds import COMPUTE, Inputs, Kind, keep, self_link

LINK = self_link(COMPUTE)


def _account(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
    email = identity.rpartition("/")[2]
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": identity,
        "uniqueId": str(next(google.numbers)),
    }


def _locked_stays(google: Google, identity: str, thing: Thing) -> None:
    if thing.inputs.get("locked"):
        raise GoogleError("forbidden", f"Bucket `{identity}` is locked and cannot be deleted")
    google.remove(identity)


def _unlock_refused(google: Google, identity: str, thing: Thing) -> None:
    if google.things[identity].outputs.get("wasLocked") and not thing.inputs.get("locked"):
        raise GoogleError("forbidden", f"Bucket `{identity}` is locked: a lock is for ever")
    _lock_noted(google, identity, thing)


def _lock_noted(google: Google, identity: str, thing: Thing) -> None:
    if thing.inputs.get("locked"):
        thing.outputs["wasLocked"] = True


def _member(path: str, role: str, *replaced: str) -> dict[str, Any]:
    return {"path": path, "replaces": frozenset({role, "member", "condition", *replaced})}


KINDS = {
    one.token: one
    for one in (
        Kind(
            "gcp:compute/network:Network",
            "projects/{project}/global/networks/{name}",
            frozenset({"name", "autoCreateSubnetworks", "description", "project"}),
            outputs=LINK,
        ),
        Kind(
            "gcp:compute/subnetwork:Subnetwork",
            "projects/{project}/regions/{region}/subnetworks/{name}",
            frozenset({"name", "network", "description", "region", "project"}),
            ("network",),
            LINK,
        ),
        Kind(
            "gcp:compute/route:Route",
            "projects/{project}/global/routes/{name}",
            frozenset(
                {
                    "destRange",
                    "name",
                    "network",
                    "description",
                    "nextHopGateway",
                    "priority",
                    "tags",
                    "project",
                }
            ),
            ("network",),
            LINK,
        ),
        Kind(
            "gcp:compute/router:Router",
            "projects/{project}/regions/{region}/routers/{name}",
            frozenset({"name", "network", "region", "project"}),
            ("network",),
            LINK,
        ),
        Kind(
            "gcp:compute/routerNat:RouterNat",
            "{project}/{region}/{router}/{name}",
            frozenset({"name", "router", "region", "type", "project"}),
        ),
        Kind(
            "gcp:dns/managedZone:ManagedZone",
            "projects/{project}/managedZones/{name}",
            frozenset({"dnsName", "name", "visibility", "project"}),
        ),
        Kind(
            "gcp:dns/recordSet:RecordSet",
            "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
            frozenset({"managedZone", "name", "project"}),
        ),
        Kind(
            "gcp:kms/keyRing:KeyRing",
            "projects/{project}/locations/{location}/keyRings/{name}",
            frozenset({"location", "name", "project"}),
            remove=keep,
        ),
        Kind(
            "gcp:kms/cryptoKey:CryptoKey",
            "{keyRing}/cryptoKeys/{name}",
            frozenset({"keyRing", "name", "destroyScheduledDuration", "importOnly", "purpose"}),
            ("keyRing",),
            remove=keep,
        ),
        Kind(
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            needs=("cryptoKeyId",),
            **_member("{cryptoKeyId}/{role}/{member}", "role", "cryptoKeyId"),
        ),
        Kind(
            "gcp:logging/projectBucketConfig:ProjectBucketConfig",
            "projects/{project}/locations/{location}/buckets/{bucketId}",
            frozenset({"location", "bucketId", "project"}),
            made=_lock_noted,
            changed=_unlock_refused,
            remove=_locked_stays,
        ),
        Kind(
            "gcp:logging/projectSink:ProjectSink",
            "projects/{project}/sinks/{name}",
            frozenset({"name", "project"}),
        ),
        Kind(
            "gcp:logging/projectExclusion:ProjectExclusion",
            "projects/{project}/exclusions/{name}",
            frozenset({"name", "project"}),
        ),
        Kind("gcp:orgpolicy/policy:Policy", "{name}", frozenset({"name", "parent"})),
        Kind("gcp:projects/iAMMember:IAMMember", **_member("{project}/{role}/{member}", "role", "project")),
        Kind(
            "gcp:serviceaccount/account:Account",
            "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
            frozenset({"accountId", "project"}),
            outputs=_account,
        ),
        Kind(
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            **_member(
                "projects/{project}/locations/{location}/repositories/{repository}/{role}/{member}",
                "role",
                "project",
                "location",
                "repository",
            ),
        ),
    )
}


def _project(google: Google, args: Inputs) -> dict[str, Any]:
    project = args.get("projectId") or google.project
    return {"id": f"projects/{project}", "projectId": project, "number": NUMBER, "name": project}


def _logging(google: Google, args: Inputs) -> dict[str, Any]:
    name = f"projects/{args['project']}/cmekSettings"
    account = f"service-{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    return {"id": name, "name": name, "project": args["project"], "serviceAccountId": account}


def _storage(google: Google, args: Inputs) -> dict[str, Any]:
    email = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    return {"id": email, "emailAddress": email, "member": f"serviceAccount:{email}"}


FUNCTIONS = {
    "gcp:organizations/getProject:getProject": _project,
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": _logging,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage,
}
"""Functions of the provider."""
