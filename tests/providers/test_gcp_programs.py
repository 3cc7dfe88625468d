"""Components of Google Cloud in a program of one's own, under the real engine."""

import json
import re
import shutil
from pathlib import Path

import pytest
from tests.providers.gcp.server import provider
from tests.providers.programs import Program
from tests.providers.test_state import adopting

from corral.embedded.engine.changes import PropertyChange
from corral.embedded.engine.deployed import Deployed

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT, REGION = "acme-models", "europe-west3"
CLUSTER = f"projects/{PROJECT}/locations/{REGION}/clusters/models"
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
TEN_LINES = """
import pulumi
import pulumi_gcp
from corral import GkeCluster, GkeGpuNodePool, GkeModelBucket
gcp = pulumi.ResourceOptions(provider=pulumi_gcp.Provider("gcp", project="%(project)s", region="%(region)s"))
cluster = GkeCluster("models", %(cluster)s, gcp)
bucket = GkeModelBucket("weights", %(bucket)s, gcp)
pool = GkeGpuNodePool("whole", %(pool)s | {"cluster": cluster.cluster_id,
                                           "disk": {"key": cluster.disk_key}}, gcp)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("store", bucket.url)
pulumi.export("pool", pool.name)
"""


def program(**changes):
    """The ten lines, with some arguments otherwise."""
    protect, labels = changes.get("protect", True), {"owner": "models", "data-class": "internal"}
    cluster = {
        "project": PROJECT,
        "region": REGION,
        "version": "1.35",
        "zones": [f"{REGION}-a", f"{REGION}-b", f"{REGION}-c"],
        "nodes": {"machine_type": "n2d-standard-8"},
        "keys": {"project": "acme-keys"},
        "restrict_locations": True,
        "lock_logs": True,
        "labels": labels,
        "protect": protect,
        **changes.get("cluster", {}),
    }
    bucket = {
        "project": PROJECT,
        "region": REGION,
        "key_project": "acme-keys",
        "readers": [{"namespace": "models", "service_account": "reader"}],
        "labels": labels,
        "protect": protect,
    }
    pool = {
        "pool": "whole",
        "gpu": "L4",
        "machine_type": "g2-standard-48",
        "zone": f"{REGION}-b",
        "secure_boot": False,
        **changes.get("pool", {}),
    }
    return TEN_LINES % {
        "project": PROJECT,
        "region": REGION,
        "cluster": cluster,
        "bucket": bucket,
        "pool": pool,
    }


class Site:
    """Somebody's stack in one project."""

    def __init__(self, folder, served):
        self.gcp, port = served
        self.google = self.gcp.google
        self.stack = Program(folder, f"gcp:{port}")

    def write(self, **changes):
        self.stack.write(program(**changes))

    def changes(self, *command):
        """What Google was told during a command that succeeds: operation and name of each resource."""
        self.gcp.calls.clear()
        self.stack.done(*command)
        return {(operation, urn.rpartition("::")[2]) for operation, urn in self.gcp.calls}


@pytest.fixture(scope="module")
def served():
    with provider() as both:
        yield both


@pytest.fixture(scope="module")
def frankfurt(served, tmp_path_factory):
    """A cluster, a bucket and a pool, while Google throttles and a quota is short and a quota is short."""
    site = Site(tmp_path_factory.mktemp("frankfurt"), served)
    site.write()
    site.gcp.faults.add("create", "::models-(cluster|network)$", "rateLimitExceeded", times=6)
    quota = "Insufficient regional quota to satisfy request: resource NVIDIA_L4_GPUS"
    site.gcp.faults.add("create", "::whole-nodes$", "quotaExceeded", message=quota)
    refused = site.stack.refused(*UP, "--policy-pack", str(CHECKOUT / "policy"))
    assert quota in refused and "[severity:" not in refused, refused
    # The system nodes are made beside those without a quota, or not begun any more.
    assert len(site.google.of("Cluster")) == 1
    told = site.stack.done(*UP, "--policy-pack", str(CHECKOUT / "policy"))
    assert "corral-sovereignty" in told and "[severity:" not in told, told
    assert len(site.gcp.faults.seen) == 7 and len(site.google.of("NodePool")) == 2
    return site


def test_a_quota_half_way_loses_nothing_and_doubles_nothing(frankfurt):
    made = [urn for operation, urn in frankfurt.gcp.calls if operation == "create"]
    kept = [one["urn"] for one in frankfurt.stack.state() if one.get("id") and "gcp:" in one["type"]]
    kept = [urn for urn in kept if "pulumi:providers" not in urn]
    assert sorted(made) == sorted(kept)
    assert not [urn for operation, urn in frankfurt.gcp.calls if operation == "delete"]


def test_ids_and_links_are_those_of_google(frankfurt):
    ids = {one["urn"].rpartition("::")[2]: one.get("id") for one in frankfurt.stack.state()}
    assert ids["models-cluster"] == CLUSTER
    assert ids["models-subnet"] == f"projects/{PROJECT}/regions/{REGION}/subnetworks/models"
    assert ids["whole-nodes"].startswith(f"{CLUSTER}/nodePools/whole-nodes-")
    keys = f"projects/acme-keys/locations/{REGION}/keyRings/models-gke-cluster/cryptoKeys"
    assert ids["models-disks"] == f"{keys}/disks"
    assert len(frankfurt.google.of("CryptoKeyIAMMember")) == 4


def test_the_kubeconfig_is_a_secret_that_names_google_s_plugin(frankfurt):
    assert json.loads(frankfurt.stack.done("stack", "output", "--json"))["kubeconfig"] == "[secret]"
    (outputs,) = [one["outputs"] for one in frankfurt.stack.state() if one["type"] == "pulumi:pulumi:Stack"]
    text = json.loads(json.loads(outputs["kubeconfig"]["plaintext"]))
    assert text["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


def test_a_second_up_changes_nothing(frankfurt):
    assert frankfurt.changes(*UP) == set()


def test_a_change_reaches_what_it_is_about_alone(frankfurt):
    frankfurt.write(cluster={"log_days": 400}, pool={"size": {"min": 2, "max": 2}})
    assert frankfurt.changes(*UP) == {("update", "models-logs"), ("update", "whole-nodes")}
    frankfurt.write(cluster={"log_days": 400}, pool={"capacity": {"purchase": "spot"}})
    told = frankfurt.changes(*UP)
    assert {one for one in told if one[1] == "whole-nodes"} == {
        ("create", "whole-nodes"),
        ("delete", "whole-nodes"),
    }
    assert {name for _, name in told} == {"whole-nodes"}


def test_what_somebody_opened_by_hand_is_seen_and_closed_again(frankfurt, tmp_path):
    (bucket,) = frankfurt.google.of("Bucket").values()
    bucket.inputs["publicAccessPrevention"] = "inherited"
    (member,) = frankfurt.google.of("BucketIAMMember")
    del frankfurt.google.things[member]
    stack = frankfurt.stack
    program = shutil.which("pulumi", path=stack.environment["PATH"])
    deployed = Deployed(stack.program, stack.stack, program, stack.environment, tmp_path, None)
    by_hand = {change.urn.rpartition("::")[2]: change for change in deployed.drift(print)}
    assert by_hand.keys() == {"weights-bucket", "weights-reader-models-reader"}
    opened = PropertyChange("publicAccessPrevention", "enforced", "inherited")
    assert opened in by_hand["weights-bucket"].properties
    told = frankfurt.changes(*UP, "--refresh")
    assert told == {("update", "weights-bucket"), ("create", "weights-reader-models-reader")}
    assert bucket.inputs["publicAccessPrevention"] == "enforced"


def test_nothing_may_be_made_in_another_region(frankfurt):
    refused = frankfurt.gcp.google
    with pytest.raises(Exception, match=r"'us-east1' violates constraint 'gcp\.resourceLocations'"):
        refused.add("gcp:storage/bucket:Bucket", "elsewhere", {"location": "US-EAST1"}, {})


def test_what_is_protected_stays_until_protection_is_taken_away_and_locked_logs_stay_for_ever(frankfurt):
    frankfurt.google.storage.put(next(iter(frankfurt.google.of("Bucket"))), "chat/model.gguf", b"GGUF")
    refused = frankfurt.stack.refused(*DESTROY)
    assert "protected" in refused and "models-cluster" in refused
    assert CLUSTER in frankfurt.google.things
    frankfurt.write(cluster={"log_days": 400}, pool={"capacity": {"purchase": "spot"}}, protect=False)
    frankfurt.stack.done(*UP)
    frankfurt.stack.done(*DESTROY)
    assert [one.type.rpartition(":")[2] for one in frankfurt.google.things.values() if not one.gone] == [
        "ProjectBucketConfig"
    ]
    assert frankfurt.google.storage.buckets == {}
    again = frankfurt.stack.refused(*UP)
    assert "alreadyExists" in again, "Google keeps rings, keys and locked logs by their names"


def test_a_private_cluster_that_somebody_made_is_adopted_and_protected_twice(tmp_path):
    key = "projects/acme-keys/locations/europe-west3/keyRings/models/cryptoKeys/secrets"
    there = {
        "name": "models",
        "project": PROJECT,
        "location": REGION,
        "network": f"projects/{PROJECT}/global/networks/models",
        "subnetwork": f"projects/{PROJECT}/regions/{REGION}/subnetworks/models",
        "networkingMode": "VPC_NATIVE",
        "datapathProvider": "ADVANCED_DATAPATH",
        "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True},
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": key},
        "workloadIdentityConfig": {"workloadPool": f"{PROJECT}.svc.id.goog"},
        "enableShieldedNodes": True,
        "deletionProtection": True,
        "resourceLabels": {"owner": "models"},
    }
    program = adopting("gcp.container.Cluster(").replace("KEY", repr(key))
    with provider() as served:
        site = Site(tmp_path, served)
        site.google.add("gcp:container/cluster:Cluster", CLUSTER, there, {"endpoint": "10.50.0.2"})
        site.stack.done("config", "set", "gcp:project", PROJECT)
        site.stack.write(
            program.replace('"enable_private_endpoint": True', '"enable_private_endpoint": False')
        )
        assert "1 to update" in site.stack.done("preview"), "what the program would change is shown"
        site.stack.write(program)
        assert site.changes(*UP) == set()
        owned = re.sub(r'import_="[^"]+", ', "", program)
        assert owned != program
        site.stack.write(owned)
        assert site.changes(*UP) == set()
        assert "protected" in site.stack.refused(*DESTROY)
        site.stack.done("state", "unprotect", "--all", "--yes")
        assert "cannot destroy cluster without setting deletion_protection=false" in site.stack.refused(
            *DESTROY
        )
        assert list(site.google.of("Cluster")) == [CLUSTER]
