"""No identity may do everything, or has every secret or key."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cloud import as_made, makes_in_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.operations.secret_access import READERS, by_document, by_role
from corral.controls.profiles import Profile
from corral.controls.properties import documents, leaves, parsed, statements
from corral.controls.settings import true

_POLICIES = ("aws:iam/", "aws-native:iam:", "aws:ssoadmin/")
_MASTER = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")
_DOCUMENTS = ("policy", "policyDocument", "policies", "inlinePolicy", "inlinePolicies")
"""Properties with a policy as text, or several."""
_ARNS = ("policyArn", "managedPolicyArn", "managedPolicyArns", "policyArns")
_WIDE = ("*", "*:*", "iam:*", "kms:*", "sts:*", "organizations:*")
"""Actions that give everything, or the way to it."""
_PASSING = "iam:passrole"
_GRANTS = ("gcp:projects/iAM", "gcp:folder/iAM", "gcp:organizations/iAM")
_ROLES = ("roles/owner", "roles/editor", "roles/iam.securityAdmin", "roles/resourcemanager.organizationAdmin")
_REMOVED = "IAMMemberRemove"
"""Type of what takes a role away."""
_CUSTOM = "IAMCustomRole"
_EKS_ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
_GKE = "gcp:container/cluster:Cluster"


def _applies(token: str) -> bool:
    return token.startswith((*_POLICIES, *_GRANTS)) or token in (_EKS_ACCESS, _GKE) or makes_in_cloud(token)


def _listed(value: Any) -> list[str]:
    several = cast(list[Any], value if isinstance(value, list) else [value])
    return [str(one).lower() for one in several if one is not None and one is not UNKNOWN]


def _everything(statement: Mapping[str, Any]) -> bool:
    """Whether a statement of an identity's policy gives everything, or the way to it."""
    effect = {str(statement.get("Effect")), str(statement.get("effect"))}
    resources = _listed(statement.get("Resource", statement.get("resources")))
    if "Allow" not in effect or not {"*", "arn:aws:iam::*:role/*"} & set(resources):
        return False
    actions = _listed(statement.get("Action", statement.get("actions")))
    narrowed = bool(statement.get("Condition") or statement.get("conditions"))
    exempted = "NotAction" in statement or "notActions" in statement
    passing = any(action in (_PASSING, "iam:pass*") for action in actions) and not narrowed
    return exempted or passing or any(action in _WIDE for action in actions)


def _masters(subject: Resource, profile: Profile) -> Iterator[str]:
    subject = as_made(subject)
    if subject.type == _GKE:
        if true(subject.value("enableLegacyAbac", False)):
            yield "`enableLegacyAbac` is true, so every account of the cluster may do everything"
    elif subject.type == _EKS_ACCESS:
        if str(subject.value("principalArn", "")).endswith(("*", ":root")):
            yield "`principalArn` is of more than one identity"
    elif subject.type.startswith("gcp:"):
        yield from _granted(subject)
    else:
        unknown = ""
        for path, document in documents(subject.props):
            if any(_everything(one) for one in statements(document)):
                yield f"`{path}` allows everything"
                continue
            try:
                yield from (f"`{path}` {words}" for words in by_document(document))
            except Undecided:
                unknown = path
        for path in _ARNS:
            for arn in subject.values(path):
                if arn is UNKNOWN:
                    unknown = path
                elif str(arn).endswith((*_MASTER, *READERS)):
                    yield f"`{path}` names {str(arn).rpartition('/')[2]}"
        for path, value in leaves(subject):
            if value is UNKNOWN and path.rpartition(".")[2] in _DOCUMENTS:
                unknown = path
        if unknown:
            raise Undecided(f"`{unknown}` is not known yet")


def _granted(subject: Resource) -> Iterator[str]:
    if _REMOVED in subject.type:
        return
    if _CUSTOM in subject.type:
        if "*" in subject.values("permissions"):
            yield "`permissions` has *"
        return
    role = str(subject.value("role", ""))
    if role in _ROLES:
        yield f"`role` is {role}"
    elif words := by_role(role, subject.props.get("condition")):
        yield f"`role` is {role}, which {words} of it"
    document = parsed(str(subject.value("policyData", "")))
    bindings: Any = cast(Mapping[str, Any], document).get("bindings") if isinstance(document, dict) else []
    for binding in cast(list[Any], bindings or []):
        if not isinstance(binding, dict):
            continue
        fields = cast(Mapping[str, Any], binding)
        if fields.get("role") in _ROLES:
            yield f"`policyData` grants {fields['role']}"
        elif words := by_role(fields.get("role"), fields.get("condition")):
            yield f"`policyData` grants {fields['role']}, which {words} of it"


def _policy(action: str, resource: str = '"*"', more: str = "") -> Resource:
    statement = f'{{"Effect": "Allow", "Action": {action}, "Resource": {resource}{more}}}'
    return Resource("aws:iam/policy:Policy", "p", {"policy": f'{{"Statement": [{statement}]}}'})


def _document(**statement: Any) -> str:
    return json.dumps({"Statement": {"Effect": "Allow", **statement}})


def _statement(**statement: Any) -> Resource:
    return Resource("aws:iam/policy:Policy", "p", {"policy": _document(**statement)})


def _role(**props: Any) -> Resource:
    return Resource("aws:iam/role:Role", "r", props)


def _grant(role: str) -> Resource:
    return Resource("gcp:projects/iAMMember:IAMMember", "g", {"role": role, "member": "user:a@example.eu"})


CONTROL = Control(
    id="SOV-OPS-09",
    title="No identity may do everything, or has every secret or key",
    severity=Severity.HIGH,
    sources=("CIS AWS 1.16", "NIS2 11"),
    remedy="Name the actions and resources that the identity needs; Google: a narrow role in place of owner, "
    "and roles for secrets and keys on these alone.",
    rule=ResourceRule(_applies, _masters),
    cases=(
        Case("reading one bucket", Verdict.GOOD, _policy('"s3:GetObject"', '"arn:aws:s3:::models/*"')),
        Case("describing anything", Verdict.GOOD, _policy('["ec2:Describe*"]')),
        Case("everything", Verdict.BAD, _policy('"*"')),
        Case("everything in a list", Verdict.BAD, _policy('["s3:GetObject", "*"]')),
        Case("every action of every service", Verdict.BAD, _policy('"*:*"')),
        Case("everything on one bucket", Verdict.GOOD, _policy('"*"', '"arn:aws:s3:::models/*"')),
        Case("identities", Verdict.BAD, _policy('"iam:*"')),
        Case("passing any role", Verdict.BAD, _policy('"iam:PassRole"')),
        Case(
            "passing roles to one service",
            Verdict.GOOD,
            _policy('"iam:PassRole"', more=', "Condition": {"StringEquals": {"iam:PassedToService": "x"}}'),
        ),
        Case(
            "all but one",
            Verdict.BAD,
            Resource(
                "aws:iam/rolePolicy:RolePolicy",
                "p",
                {"policy": '{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}'},
            ),
        ),
        Case(
            "a policy that denies everything",
            Verdict.GOOD,
            Resource(
                "aws:iam/policy:Policy",
                "p",
                {"policy": '{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'},
            ),
        ),
        Case(
            "within a role",
            Verdict.BAD,
            _role(
                inlinePolicies=[
                    {"policy": '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'}
                ]
            ),
        ),
        Case(
            "an administrator's role",
            Verdict.BAD,
            _role(managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        ),
        Case(
            "an administrator's set of permissions",
            Verdict.BAD,
            Resource(
                "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
                "a",
                {"managedPolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ),
        Case(
            "a node's role",
            Verdict.GOOD,
            _role(managedPolicyArns=["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"]),
        ),
        Case(
            "an administrator's policy in the sovereign cloud",
            Verdict.BAD,
            Resource(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                "a",
                {"policyArn": "arn:aws-eusc:iam::aws:policy/AdministratorAccess"},
            ),
        ),
        Case("Google, owner", Verdict.BAD, _grant("roles/owner")),
        Case("Google, editor", Verdict.BAD, _grant("roles/editor")),
        Case("Google, a viewer", Verdict.GOOD, _grant("roles/container.viewer")),
        Case(
            "Google, a policy with an owner",
            Verdict.BAD,
            Resource(
                "gcp:projects/iAMPolicy:IAMPolicy",
                "g",
                {"policyData": '{"bindings": [{"role": "roles/owner", "members": ["user:a@example.eu"]}]}'},
            ),
        ),
        *(
            Case(f"{title}, everywhere", Verdict.BAD, _policy(action, resource))
            for title, action, resource in (
                ("every secret", '"secretsmanager:GetSecretValue"', '"*"'),
                ("every secret by a pattern", '["ec2:Describe*", "SecretsManager:Get*"]', '"*"'),
                (
                    "every secret of one account",
                    '"secretsmanager:*"',
                    '"arn:aws:secretsmanager:eu-central-1:111122223333:secret:*"',
                ),
                ("any name of a secret", '"secretsmanager:GetSecretValue"', '["arn:aws:*:*:*:*-??????"]'),
                ("every parameter", '"ssm:Get*"', '"arn:aws-eusc:ssm:*:*:parameter/*"'),
                ("every key", '"kms:Decrypt"', '"arn:aws:kms:eu-central-1:111122223333:key/*"'),
                ("re-encryption with every key", '"kms:ReEncrypt*"', '"*"'),
                ("every key by its grants", '"kms:CreateGrant"', '"*"'),
                ("every verb of reading", '"*:Get*"', '"*"'),
            )
        ),
        *(
            Case(f"{title}, for some", Verdict.GOOD, _policy(action, resource, more))
            for title, action, resource, more in (
                (
                    "one secret",
                    '"secretsmanager:GetSecretValue"',
                    '"arn:aws:secretsmanager:eu-central-1:111122223333:secret:chat-*"',
                    "",
                ),
                ("one key", '"kms:Decrypt"', '"arn:aws:kms:eu-central-1:111122223333:key/1"', ""),
                ("what secrets there are", '["secretsmanager:List*", "secretsmanager:Describe*"]', '"*"', ""),
                (
                    "several at once, each by a right of its own",
                    '"secretsmanager:BatchGetSecretValue"',
                    '"*"',
                    "",
                ),
                ("new keys for data", '"kms:GenerateDataKey"', '"*"', ""),
                (
                    "secrets with a tag",
                    '"secretsmanager:GetSecretValue"',
                    '"*"',
                    ', "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}',
                ),
                (
                    "keys through one service",
                    '"kms:Decrypt"',
                    '"*"',
                    ', "Condition": {"StringLike": {"kms:ViaService": "s3.eu-central-1.*"}}',
                ),
                (
                    "grants for services of AWS",
                    '"kms:CreateGrant"',
                    '"*"',
                    ', "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}',
                ),
            )
        ),
        *(
            Case(
                f"every secret, {title}",
                Verdict.BAD,
                _policy('"secretsmanager:GetSecretValue"', more=f', "Condition": {condition}'),
            )
            for title, condition in (
                ("over TLS", '{"Bool": {"aws:SecureTransport": "true"}}'),
                ("but those of a tag", '{"StringNotEquals": {"aws:ResourceTag/team": "a"}}'),
                ("and those without the tag", '{"StringEqualsIfExists": {"aws:ResourceTag/team": "a"}}'),
                ("of any name", '{"StringLike": {"secretsmanager:SecretId": "*"}}'),
            )
        ),
        Case(
            "all but one secret",
            Verdict.BAD,
            _statement(
                Action="secretsmanager:GetSecretValue", NotResource="arn:aws:secretsmanager:*:*:secret:a"
            ),
        ),
        Case(
            "every key, within properties",
            Verdict.BAD,
            _role(inlinePolicies=[{"policy": _document(Action=["kms:Decrypt"], Resource=["*"])}]),
        ),
        Case(
            "reading anything but secrets, which another statement denies",
            Verdict.GOOD,
            _role(
                inlinePolicies=[
                    {
                        "policy": json.dumps(
                            {
                                "Statement": [
                                    {"Effect": "Allow", "Action": ["*:Get*", "*:List*"], "Resource": "*"},
                                    {
                                        "Effect": "Deny",
                                        "Action": ["secretsmanager:*", "ssm:Get*", "kms:*"],
                                        "Resource": "*",
                                    },
                                ]
                            }
                        )
                    }
                ]
            ),
        ),
        Case(
            "a policy of AWS that reads every secret",
            Verdict.BAD,
            _role(managedPolicyArns=["arn:aws:iam::aws:policy/SecretsManagerReadWrite"]),
        ),
        Case(
            "a secret that is not known yet",
            Verdict.UNDECIDED,
            _role(
                inlinePolicies=[
                    {"policy": {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": UNKNOWN}}}
                ]
            ),
        ),
        Case(
            "a role's own policy not known yet",
            Verdict.UNDECIDED,
            _role(inlinePolicies=[{"policy": UNKNOWN}]),
        ),
        Case(
            "Google, an owner who is taken away",
            Verdict.GOOD,
            Resource("gcp:projects/iAMMemberRemove:IAMMemberRemove", "g", {"role": "roles/owner"}),
        ),
        Case("Google, every secret", Verdict.BAD, _grant("roles/secretmanager.secretAccessor")),
        Case("Google, every key", Verdict.BAD, _grant("roles/cloudkms.cryptoKeyDecrypter")),
        Case("Google, what secrets there are", Verdict.GOOD, _grant("roles/secretmanager.viewer")),
        Case(
            "Google, secrets of one name",
            Verdict.GOOD,
            Resource(
                "gcp:projects/iAMMember:IAMMember",
                "g",
                {
                    "role": "roles/secretmanager.secretAccessor",
                    "condition": {
                        "title": "t",
                        "expression": 'resource.name.startsWith("projects/1/secrets/chat")',
                    },
                },
            ),
        ),
        Case(
            "Google, one secret",
            Verdict.GOOD,
            Resource(
                "gcp:secretmanager/secretIamMember:SecretIamMember",
                "g",
                {"role": "roles/secretmanager.secretAccessor", "secretId": "chat"},
            ),
        ),
        Case(
            "Google, a policy with every key",
            Verdict.BAD,
            Resource(
                "gcp:folder/iAMPolicy:IAMPolicy",
                "g",
                {"policyData": '{"bindings": [{"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter"}]}'},
            ),
        ),
        Case("GKE's older rights", Verdict.BAD, Resource(_GKE, "c", {"enableLegacyAbac": True})),
        Case("GKE", Verdict.GOOD, Resource(_GKE, "c", {})),
        Case("not known yet", Verdict.UNDECIDED, Resource("aws:iam/policy:Policy", "p", {"policy": UNKNOWN})),
        Case("a role not known yet", Verdict.UNDECIDED, _role(managedPolicyArns=[UNKNOWN])),
    ),
)
