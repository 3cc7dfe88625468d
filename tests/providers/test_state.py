"""The commands of docs/state.md by the real engine: how state is saved, unlocked and brought back."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from tests.providers.aws.cluster import KINDS
from tests.providers.faults import Pause
from tests.providers.programs import Program

pytestmark = pytest.mark.engine

FRANKFURT = "eu-central-1"
CLUSTER = "aws:eks/cluster:Cluster"
UP = ("up", "--yes", "--skip-preview")
DOCS = Path(__file__).parents[2] / "docs"
PAGE, ADOPT = (DOCS / "state.md").read_text(), (DOCS / "adopt.md").read_text()
IMPORT = "pulumi import TYPE NAME ID --yes --protect=false --generate-code=false"
BUCKETS = """
import pulumi
import pulumi_aws as aws

for name in NAMES:
    bucket = aws.s3.Bucket(name, bucket=f"acme-{name}")
    aws.s3.BucketVersioning(name, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
pulumi.export("token", pulumi.Config("own").require_secret("token"))
"""


@pytest.fixture(scope="module")
def stack(served, tmp_path_factory):
    """Two buckets and a secret, in a state that is a folder."""
    _, port = served
    stack = Program(tmp_path_factory.mktemp("state"), f"aws:{port}", config={"aws:region": FRANKFURT})
    stack.done("config", "set", "--secret", "own:token", "a-canary")
    write(stack, "one")
    stack.done(*UP)
    return stack


def write(stack, *names):
    stack.write(BUCKETS.replace("NAMES", str(names)))


def buckets(aws):
    return {one["Name"] for one in aws.account(FRANKFURT).s3.list_buckets()["Buckets"]}


def test_a_killed_update_leaves_a_lock_and_an_operation_and_nothing_is_lost_or_doubled(stack, aws):
    pause = Pause("::two$")
    aws.faults.pauses.append(pause)
    write(stack, "one", "two")
    running = stack.start(*UP)
    try:
        assert pause.made.wait(100)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    finally:
        pause.over.set()
        aws.faults.pauses.clear()
        running.kill()
        running.communicate()
    assert buckets(aws) == {"acme-one", "acme-two"}
    assert "the stack is currently locked by 1 lock" in stack.refused(*UP)
    page(stack, "pulumi cancel --yes")
    page(stack, "pulumi stack export --file mine.json")
    kept = json.loads((stack.program / "mine.json").read_text())["deployment"]
    (pending,) = kept["pending_operations"]
    urn = pending["resource"]["urn"]
    assert pending["type"] == "creating" and urn.endswith("::two")
    page(stack, "pulumi refresh --yes --clear-pending-creates")
    taken = ("aws:s3/bucket:Bucket", "two", "acme-two")
    page(stack, IMPORT, **dict(zip(("TYPE", "NAME", "ID"), taken, strict=True)))
    aws.calls.clear()
    stack.done(*UP)
    assert [(operation, urn.rpartition("$")[2]) for operation, urn in aws.calls] == [
        ("create", "urn:pulumi:test::own::aws:s3/bucketVersioning:BucketVersioning::two")
    ], "the bucket that was there is taken over, and only what was missing is made"
    assert "pending_operations" not in json.loads(stack.done("stack", "export"))["deployment"]
    assert changes(stack, aws) == []


def test_an_exported_state_is_imported_into_a_new_backend_with_its_secrets(stack, aws):
    page(stack, "pulumi stack export --file mine.json")
    assert "a-canary" not in (stack.program / "mine.json").read_text()
    state = stack.folder / "state" / ".pulumi"
    state.rename(stack.folder / "lost")
    stack.done("stack", "init", stack.stack)
    page(stack, "pulumi stack import --file mine.json")
    assert "a-canary" in stack.done("stack", "output", "--show-secrets")
    assert changes(stack, aws) == []


def test_a_state_that_cannot_be_read_is_replaced_by_the_newest_copy(stack, aws):
    write(stack, "one", "two", "three")
    stack.done(*UP)
    state = stack.folder / "state" / ".pulumi"
    broken = state / "stacks" / "own" / f"{stack.stack}.json"
    broken.write_text(broken.read_text()[:-100])
    stack.refused(*UP)
    assert "`.pulumi/backups/corral/STACK/`" in PAGE
    newest = max((state / "backups" / "own" / stack.stack).glob("*.json"), key=lambda one: one.name)
    shutil.copy(newest, broken)
    assert changes(stack, aws) == []


def changes(stack, aws):
    """What the next `up` does to AWS."""
    aws.calls.clear()
    stack.done(*UP)
    return aws.calls


def page(stack, command, **values):
    """Run a command that the page has, with values for its placeholders."""
    assert command in PAGE.splitlines()
    _, *words = command.split()
    stack.done(*(values.get(word, word) for word in words))


def adopting(made):
    """The program of docs/adopt.md that has `made`."""
    (program,) = [one for one in re.findall(r"```python\n(.*?)```", ADOPT, re.DOTALL) if made in one]
    return program


def test_a_bucket_that_somebody_made_is_adopted_and_protected(stack, aws):
    s3 = aws.account(FRANKFURT).s3
    s3.create_bucket(Bucket="acme-models", CreateBucketConfiguration={"LocationConstraint": FRANKFURT})
    s3.put_bucket_tagging(Bucket="acme-models", Tagging={"TagSet": [{"Key": "owner", "Value": "models"}]})
    s3.put_object(Bucket="acme-models", Key="weights", Body=b"x")
    program = adopting("aws.s3.Bucket(")
    stack.write(program)
    aws.calls.clear()
    stack.done(*UP)
    made = [
        urn.rpartition("$")[2].rpartition("::")[0] for operation, urn in aws.calls if operation == "create"
    ]
    assert len(made) == 1 and made[0].endswith("BucketVersioning"), "the bucket itself is not made"
    stack.write(program.replace('import_="acme-models", ', ""))
    assert changes(stack, aws) == []
    assert "protected" in stack.refused("destroy", "--yes", "--skip-preview")
    assert s3.get_object(Bucket="acme-models", Key="weights")["Body"].read() == b"x"


def test_a_private_cluster_that_somebody_made_is_adopted_and_protected(served, tmp_path):
    aws, port = served
    stack = Program(tmp_path, f"aws:{port}", config={"aws:region": FRANKFURT})
    account = aws.account(FRANKFURT)
    vpc = account.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        account.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{FRANKFURT}{zone}"
        )
        for number, zone in enumerate("ab")
    ]
    key = account.arn("kms", "key/secrets")
    there = {
        "name": "models",
        "version": "1.35",
        "roleArn": "arn:aws:iam::123456789012:role/models",
        "vpcConfig": {
            "subnetIds": [one["Subnet"]["SubnetId"] for one in subnets],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {"authenticationMode": "API"},
        "encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": key}},
        "enabledClusterLogTypes": ["api", "audit", "authenticator"],
        "bootstrapSelfManagedAddons": True,
        "deletionProtection": True,
        "tags": {"owner": "models"},
    }
    KINDS[CLUSTER].create(account, there)
    program = adopting("aws.eks.Cluster(")
    known = program.replace("SUBNETS", str(there["vpcConfig"]["subnetIds"])).replace("KEY", repr(key))
    stack.write(known.replace('"endpoint_public_access": False', '"endpoint_public_access": True'))
    assert "1 to update" in stack.done("preview"), "what the program would change is shown beside the import"
    stack.write(known)
    aws.calls.clear()
    stack.done(*UP)
    assert not [urn for operation, urn in aws.calls if CLUSTER in urn and operation != "read"]
    stack.write(known.replace('import_="models", ', ""))
    assert changes(stack, aws) == []
    assert "protected" in stack.refused("destroy", "--yes", "--skip-preview")
    assert account.eks.describe_cluster(name="models")["cluster"]["status"] == "ACTIVE"
