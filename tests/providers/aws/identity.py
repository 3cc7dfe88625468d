"""Roles, keys and logs."""

import json
from typing import Any

from tests.providers.aws.account import Account, found, mapped, pairs
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced
from tests.providers.faults import error


def _role(account: Account, inputs: Inputs) -> Made:
    made = account.iam.create_role(
        RoleName=inputs["name"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Tags=pairs(inputs.get("tags")),
    )["Role"]
    return made["RoleName"], {"arn": made["Arn"], "uniqueId": made["RoleId"]}


def _role_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    answer = found(account.iam.get_role, RoleName=name)
    if answer is None:
        return None
    document = json.dumps(answer["Role"]["AssumeRolePolicyDocument"])
    return {"assumeRolePolicy": document, "tags": mapped(answer["Role"].get("Tags", []))}


def _role_changed(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.iam.update_assume_role_policy(RoleName=name, PolicyDocument=new["assumeRolePolicy"])
    gone = sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
    if gone:
        account.iam.untag_role(RoleName=name, TagKeys=gone)
    account.iam.tag_role(RoleName=name, Tags=pairs(new.get("tags")))
    return {}


def _no_role(account: Account, name: str, inputs: Inputs) -> None:
    account.iam.delete_role(RoleName=name)


def _attachment(account: Account, inputs: Inputs) -> Made:
    account.iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return f"{inputs['role']}/{inputs['policyArn']}", {}


def _attachment_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    answer = found(account.iam.list_attached_role_policies, RoleName=inputs["role"])
    attached = [one["PolicyArn"] for one in answer["AttachedPolicies"]] if answer else []
    return {} if inputs["policyArn"] in attached else None


def _detached(account: Account, identity: str, inputs: Inputs) -> None:
    found(account.iam.detach_role_policy, RoleName=inputs["role"], PolicyArn=inputs["policyArn"])


def _own_policy(account: Account, inputs: Inputs) -> Made:
    account.iam.put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{inputs['name']}", {}


def _own_policy_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    role, _, name = identity.partition(":")
    answer = found(account.iam.get_role_policy, RoleName=role, PolicyName=name)
    return answer and {"policy": json.dumps(answer["PolicyDocument"])}


def _own_policy_changed(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    _own_policy(account, new)
    return {}


def _no_own_policy(account: Account, identity: str, inputs: Inputs) -> None:
    role, _, name = identity.partition(":")
    found(account.iam.delete_role_policy, RoleName=role, PolicyName=name)


def _key(account: Account, inputs: Inputs) -> Made:
    made = account.kms.create_key(
        Policy=inputs["policy"],
        Description=inputs["description"],
        Tags=pairs(inputs.get("tags"), "TagKey", "TagValue"),
    )["KeyMetadata"]
    _key_settings(account, made["KeyId"], {}, inputs)
    return made["KeyId"], {"arn": made["Arn"], "keyId": made["KeyId"]}


def _key_settings(account: Account, key: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    rotation = account.kms.enable_key_rotation
    (rotation if new.get("enableKeyRotation") else account.kms.disable_key_rotation)(KeyId=key)
    account.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=new["policy"])
    account.kms.update_key_description(KeyId=key, Description=new["description"])
    gone = sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
    if gone:
        account.kms.untag_resource(KeyId=key, TagKeys=gone)
    account.kms.tag_resource(KeyId=key, Tags=pairs(new.get("tags"), "TagKey", "TagValue"))
    return {}


def _key_now(account: Account, key: str, inputs: Inputs) -> dict[str, Any] | None:
    answer = found(account.kms.describe_key, KeyId=key)
    if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return None
    tags = account.kms.list_resource_tags(KeyId=key)["Tags"]
    return {
        "description": answer["KeyMetadata"]["Description"],
        "enableKeyRotation": account.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
        "policy": account.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
        "tags": mapped(tags, "TagKey", "TagValue"),
    }


def _no_key(account: Account, key: str, inputs: Inputs) -> None:
    account.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=inputs.get("deletionWindowInDays", 30))


def _alias(account: Account, inputs: Inputs) -> Made:
    account.kms.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return inputs["name"], {"arn": account.arn("kms", inputs["name"])}


def _alias_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    for one in account.kms.list_aliases()["Aliases"]:
        if one["AliasName"] == name:
            return {"targetKeyId": one["TargetKeyId"]}
    return None


def _alias_changed(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.kms.update_alias(AliasName=name, TargetKeyId=new["targetKeyId"])
    return {}


def _no_alias(account: Account, name: str, inputs: Inputs) -> None:
    found(account.kms.delete_alias, AliasName=name)


def _log_group(account: Account, inputs: Inputs) -> Made:
    arn = account.arn("logs", f"log-group:{inputs['name']}")
    if "kmsKeyId" in inputs:
        _may_encrypt(account, inputs["kmsKeyId"], arn)
    account.logs.create_log_group(
        logGroupName=inputs["name"], kmsKeyId=inputs["kmsKeyId"], tags=inputs.get("tags") or {}
    )
    account.logs.put_retention_policy(logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"])
    return inputs["name"], {"arn": arn}


def _may_encrypt(account: Account, key: str, arn: str) -> None:
    """What moto leaves out: CloudWatch Logs refuses a key whose policy does not admit it for that group.

    Raises:
        ClientError: as AWS's client does.
    """
    policy = account.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    for one in json.loads(policy)["Statement"]:
        service = isinstance(one["Principal"], dict) and one["Principal"].get("Service")
        named = [value for each in one.get("Condition", {}).values() for value in each.values()]
        if service == f"logs.{account.region}.amazonaws.com" and any(arn in value for value in named):
            return
    message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
    raise error("AccessDeniedException", message, "CreateLogGroup")


def _log_group_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    for one in account.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        if one["logGroupName"] == name:
            tags = account.logs.list_tags_log_group(logGroupName=name)["tags"]
            return {
                "kmsKeyId": one.get("kmsKeyId"),
                "retentionInDays": one.get("retentionInDays"),
                "tags": tags,
            }
    return None


def _log_group_changed(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.logs.put_retention_policy(logGroupName=name, retentionInDays=new["retentionInDays"])
    if new.get("kmsKeyId") != old.get("kmsKeyId"):
        raise error("NotImplemented", "moto 5.2.5 cannot give a group another key", "AssociateKmsKey")
    gone = sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
    if gone:
        account.logs.untag_log_group(logGroupName=name, tags=gone)
    account.logs.tag_log_group(logGroupName=name, tags=new.get("tags") or {})
    return {}


def _no_log_group(account: Account, name: str, inputs: Inputs) -> None:
    account.logs.delete_log_group(logGroupName=name)


KINDS = {
    "aws:iam/role:Role": Kind(
        _role, _role_now, _no_role, _role_changed, frozenset({"name", "path"}), "name", 64
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        _attachment, _attachment_now, _detached, None, frozenset({"role", "policyArn"})
    ),
    "aws:iam/rolePolicy:RolePolicy": Kind(
        _own_policy,
        _own_policy_now,
        _no_own_policy,
        _own_policy_changed,
        frozenset({"role", "name"}),
        "name",
        128,
    ),
    "aws:kms/key:Key": Kind(
        _key,
        _key_now,
        _no_key,
        _key_settings,
        replaced("customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"),
    ),
    "aws:kms/alias:Alias": Kind(_alias, _alias_now, _no_alias, _alias_changed, replaced("name"), "name", 256),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        _log_group, _log_group_now, _no_log_group, _log_group_changed, replaced("name"), "name", 512
    ),
}
