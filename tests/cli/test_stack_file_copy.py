"""The private copy of a stack file keeps secrets and follows the committed file in everything else."""

import pytest
import yaml

from corral.embedded.engine.stack_file import merged, secrets

COMMITTED = """
encryptionsalt: v1:of-somebody-else
config:
  corral:platform: {cluster: {kind: embedded}}
  corral:storage-access-key: {secure: v1:of-somebody-else}
"""
PRIVATE = """
encryptionsalt: v1:mine
config:
  corral:platform: {cluster: {kind: old}}
  corral:gone: 7
  corral:storage-access-key: {secure: v1:mine}
"""


def test_plain_values_come_from_the_committed_file_alone():
    config = yaml.safe_load(merged(COMMITTED, PRIVATE))["config"]
    assert config["corral:platform"] == {"cluster": {"kind": "embedded"}}
    assert "corral:gone" not in config


def test_secrets_and_salt_come_from_the_private_file_alone():
    document = yaml.safe_load(merged(COMMITTED, PRIVATE))
    assert document["encryptionsalt"] == "v1:mine"
    assert document["config"]["corral:storage-access-key"] == {"secure": "v1:mine"}
    assert "somebody-else" not in merged(COMMITTED, PRIVATE)


def test_a_first_copy_has_no_secrets():
    assert secrets(merged(COMMITTED, "")) == frozenset()
    assert secrets(PRIVATE) == {"corral:storage-access-key"}


def test_merging_again_changes_nothing():
    once = merged(COMMITTED, PRIVATE)
    assert merged(COMMITTED, once) == once


def test_other_parts_of_the_committed_file_are_kept():
    assert yaml.safe_load(merged("environment: [x]\n", ""))["environment"] == ["x"]


@pytest.mark.parametrize("text", ["- a list", "7"])
def test_what_is_no_stack_file_is_refused(text):
    with pytest.raises(ValueError, match="mapping"):
        merged(text, "")
