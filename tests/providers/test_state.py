"""The commands of docs/state.md by the real engine: how state is saved, unlocked and brought back."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from tests.providers.faults import Pause
from tests.providers.programs import Program

pytestmark = pytest.mark.engine

FRANKFURT = "eu-central-1"
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


def test_a_bucket_that_somebody_made_is_adopted_and_protected(stack, aws):
    s3 = aws.account(FRANKFURT).s3
    s3.create_bucket(Bucket="acme-models", CreateBucketConfiguration={"LocationConstraint": FRANKFURT})
    s3.put_bucket_tagging(Bucket="acme-models", Tagging={"TagSet": [{"Key": "owner", "Value": "models"}]})
    s3.put_object(Bucket="acme-models", Key="weights", Body=b"x")
    (program,) = re.findall(r"```python\n(import pulumi\nimport pulumi_aws.*?)```", ADOPT, re.DOTALL)
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
