"""The policies of AWS that read every secret, as AWS publishes them."""

import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from corral.controls.operations.secret_access import READERS, by_document

OF_ALL = ("AdministratorAccess", "PowerUserAccess")
"""Those that do everything."""


@pytest.mark.exhaustive
def test_the_listed_policies_of_aws_are_those_whose_text_reads_every_secret_or_decrypts_with_every_key() -> (
    None
):
    reading: set[str] = set()
    for name, policy in json.loads(aws_managed_policies_data).items():
        own = "/aws-service-role/" in policy["Path"] or name.endswith("Boundary")
        said = [
            one for one in by_document(policy["Document"]) if not one.endswith("too") and "grants" not in one
        ]
        if said and not own:
            reading.add(f"/{name}")
    assert reading - {f"/{one}" for one in OF_ALL} == set(READERS)


def test_a_policy_that_writes_logs_reads_no_secret() -> None:
    policies = json.loads(aws_managed_policies_data)
    for name in (
        "CloudWatchLogsFullAccess",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryReadOnly",
    ):
        assert not list(by_document(policies[name]["Document"])), name
