"""No policy or grant lets everybody in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.cloud import as_made, makes_in_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.network.opened import (
    FUNCTION_URL,
    IDENTITIES,
    IMAGE,
    IMAGES,
    LAYER,
    OPENED,
    PERMISSION,
    SERVICE,
    SNAPSHOTS,
    opened,
)
from corral.controls.network.perimeters import CASES, PERIMETERS, let_through
from corral.controls.profiles import Profile
from corral.controls.properties import SHARED_ISSUERS, documents, for_any_token, for_everybody, parsed
from corral.controls.settings import false, true

_KEYS = "aws:kms/"
_WORLD = ("allUsers", "allAuthenticatedUsers")
_TOKENS = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
_REGISTRY = "aws:ecrpublic/"
_BLOCKS = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)
_FOUR = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ENDPOINTS = ("aws:ec2/vpcEndpoint:", "aws:ec2/vpcEndpointPolicy:")
"""The default policy of an endpoint is for everybody who reaches it, which is its own network."""


def _applies(token: str) -> bool:
    if makes_in_cloud(token):
        return True
    return token.startswith(("aws:", "aws-native:", "gcp:")) and not token.startswith((_KEYS, *_ENDPOINTS))


def _everybody(subject: Resource, profile: Profile) -> Iterator[str]:
    subject = as_made(subject)
    if subject.type.startswith(PERIMETERS):
        yield from let_through(subject.props)
    elif subject.type.startswith("gcp:"):
        yield from _granted(subject)
    elif subject.type.startswith(_REGISTRY):
        yield "a registry that anybody pulls from"
    elif subject.type in OPENED:
        yield from opened(subject)
    elif subject.type in _BLOCKS:
        for key in _FOUR:
            if false(subject.value(key, True)):
                yield f"`{key}` is false, so the public may be let in"
    else:
        if str(subject.props.get("acl")) in PUBLIC_ACLS:
            yield f"`acl` is {subject.props['acl']!r}"
        for path, document in documents(subject.props):
            if for_everybody(document):
                yield f"`{path}` lets any principal in"
            issuer = for_any_token(document)
            if issuer is not None:
                yield f"`{path}` takes any token of {issuer}, which gives one to anybody"


def _granted(subject: Resource) -> Iterator[str]:
    for path in (
        "member",
        "members",
        "entity",
        "specialGroup",
        "iamMember",
        "accesses.specialGroup",
        "accesses.iamMember",
        "roleEntities",
        "bindings.members",
        "bindings.members.member",
    ):
        for value in subject.values(path):
            if value is UNKNOWN and path in ("member", "members", "entity"):
                raise Undecided("who is granted it is not known yet")
            if isinstance(value, str) and value.rpartition(":")[2] in _WORLD:
                yield f"`{path}` grants it to {value.rpartition(':')[2]}"
    policy = subject.props.get("policyData")
    if isinstance(policy, str):
        document = parsed(policy)
        fields = cast(Mapping[str, Any], document if isinstance(document, dict) else {})
        for binding in cast(Sequence[Any], fields.get("bindings", [])):
            if any(member in _WORLD for member in binding.get("members", ())):
                yield "`policyData` grants it to everybody"
    issuer = str(subject.value("oidc.issuerUri", "")) if subject.type == _TOKENS else ""
    shared = issuer.removeprefix("https://").startswith(SHARED_ISSUERS)
    if shared and not subject.value("attributeCondition"):
        yield f"`attributeCondition` is absent, so any token of {issuer} is taken, which gives one to anybody"
    if subject.props.get("predefinedAcl") in ("publicRead", "publicReadWrite", "authenticatedRead"):
        yield "`predefinedAcl` opens it to everybody"
    if subject.type == "gcp:cloudrunv2/service:Service" and true(subject.value("invokerIamDisabled", False)):
        yield "`invokerIamDisabled` is true, so anybody calls the service"


def _policy(token: str, key: str, principal: str, effect: str = "Allow", condition: str = "") -> Resource:
    more = f', "Condition": {condition}' if condition else ""
    statement = f'{{"Effect": "{effect}", "Principal": {principal}, "Action": "*"{more}}}'
    return Resource(token, "p", {key: f'{{"Statement": [{statement}]}}'})


_QUEUE = ("aws:sqs/queuePolicy:QueuePolicy", "policy")

_ACTIONS = "token.actions.githubusercontent.com"

CONTROL = Control(
    id="SOV-NET-14",
    title="No policy or grant lets everybody in",
    severity=Severity.CRITICAL,
    sources=("CIS AWS 2.1.4", "SOV-3"),
    remedy="Name accounts, roles or members; a condition must narrow who may come in.",
    rule=ResourceRule(_applies, _everybody),
    cases=(
        *(
            Case(f"everybody, {token}", Verdict.BAD, _policy(token, key, '{"AWS": "*"}'))
            for token, key in (
                _QUEUE,
                ("aws:sqs/queue:Queue", "policy"),
                ("aws:sns/topicPolicy:TopicPolicy", "policy"),
                ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"),
                ("aws:secretsmanager/secretPolicy:SecretPolicy", "policy"),
                ("aws:efs/fileSystemPolicy:FileSystemPolicy", "policy"),
                ("aws:opensearch/domain:Domain", "accessPolicies"),
                ("aws:backup/vaultPolicy:VaultPolicy", "policy"),
                ("aws:iam/role:Role", "assumeRolePolicy"),
            )
        ),
        Case(
            "a bucket's policy without the bucket",
            Verdict.BAD,
            _policy("aws:s3/bucketPolicy:BucketPolicy", "policy", '"*"'),
        ),
        Case(
            "a public list of access",
            Verdict.BAD,
            Resource("aws:s3/bucketAcl:BucketAcl", "a", {"acl": "public-read"}),
        ),
        Case(
            "a private list of access",
            Verdict.GOOD,
            Resource("aws:s3/bucketAcl:BucketAcl", "a", {"acl": "private"}),
        ),
        Case("a block that lets in", Verdict.BAD, Resource(_BLOCKS[0], "b", {"blockPublicAcls": False})),
        Case(
            "an account's block that lets in",
            Verdict.BAD,
            Resource(_BLOCKS[1], "b", {"blockPublicPolicy": False}),
        ),
        Case(
            "an endpoint's policy, which is for its own network",
            Verdict.GOOD,
            _policy("aws:ec2/vpcEndpoint:VpcEndpoint", "policy", '"*"'),
        ),
        Case("an account", Verdict.GOOD, _policy(*_QUEUE, '{"AWS": "123456789012"}')),
        Case(
            "a service",
            Verdict.GOOD,
            _policy("aws:iam/role:Role", "assumeRolePolicy", '{"Service": "eks.amazonaws.com"}'),
        ),
        Case("a refusal of everybody", Verdict.GOOD, _policy(*_QUEUE, '"*"', effect="Deny")),
        Case(
            "everybody of the organisation",
            Verdict.GOOD,
            _policy(*_QUEUE, '"*"', condition='{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}'),
        ),
        Case(
            "everybody over TLS, which is anybody",
            Verdict.BAD,
            _policy(*_QUEUE, '"*"', condition='{"Bool": {"aws:SecureTransport": "true"}}'),
        ),
        Case(
            "one statement that is no list",
            Verdict.BAD,
            Resource(_QUEUE[0], "p", {"policy": '{"Statement": {"Effect": "Allow", "Principal": "*"}}'}),
        ),
        Case(
            "all but one",
            Verdict.BAD,
            Resource(
                _QUEUE[0], "p", {"policy": '{"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}}}'}
            ),
        ),
        Case(
            "a role's rights, which name no principal",
            Verdict.GOOD,
            Resource(
                "aws:iam/policy:Policy",
                "p",
                {"policy": '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'},
            ),
        ),
        *(
            Case(
                f"tokens of a shared issuer, {title}",
                verdict,
                _policy(
                    "aws:iam/role:Role",
                    "assumeRolePolicy",
                    f'{{"Federated": "arn:aws:iam::123456789012:oidc-provider/{issuer}"}}',
                    condition=f'{{"{operator}": {{"{issuer}:{key}": "{value}"}}}}',
                ),
            )
            for title, verdict, issuer, operator, key, value in (
                ("an audience alone", Verdict.BAD, _ACTIONS, "StringEquals", "aud", "sts.amazonaws.com"),
                ("any repository", Verdict.BAD, _ACTIONS, "StringLike", "sub", "repo:*"),
                ("a repository", Verdict.GOOD, _ACTIONS, "StringLike", "sub", "repo:org/app:*"),
                ("all but a repository", Verdict.BAD, _ACTIONS, "StringNotLike", "sub", "repo:org/app:*"),
                (
                    "an issuer of one's own",
                    Verdict.GOOD,
                    "oidc.eks.eu-west-1.amazonaws.com",
                    "StringLike",
                    "aud",
                    "a",
                ),
            )
        ),
        *(
            Case(
                f"everybody, where a key of a condition is {title}",
                verdict,
                _policy(*_QUEUE, '"*"', condition=f'{{"{operator}": {{"{key}": {value}}}}}'),
            )
            for title, verdict, operator, key, value in (
                ("absent", Verdict.BAD, "ForAllValues:StringEquals", "aws:PrincipalOrgPaths", '"o-1/*"'),
                ("there", Verdict.GOOD, "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", '"o-1/*"'),
                ("half the world", Verdict.BAD, "IpAddress", "aws:SourceIp", '["0.0.0.0/1", "128.0.0.0/1"]'),
                ("a network", Verdict.GOOD, "IpAddress", "aws:SourceIp", '["192.0.2.0/24"]'),
            )
        ),
        *(
            Case(f"{title}", verdict, Resource(token, "r", props))
            for title, verdict, token, props in (
                ("a layer for anybody", Verdict.BAD, LAYER, {"principal": "*"}),
                (
                    "a layer for an organisation",
                    Verdict.GOOD,
                    LAYER,
                    {"principal": "*", "organizationId": "o-1"},
                ),
                (
                    "images built for anybody",
                    Verdict.BAD,
                    IMAGES,
                    {
                        "distributions": [
                            {"amiDistributionConfiguration": {"launchPermission": {"userGroups": ["all"]}}}
                        ]
                    },
                ),
                (
                    "images built for an account",
                    Verdict.GOOD,
                    IMAGES,
                    {
                        "distributions": [
                            {"amiDistributionConfiguration": {"launchPermission": {"userIds": ["1"]}}}
                        ]
                    },
                ),
                ("an endpoint's service for anybody", Verdict.BAD, SERVICE, {"allowedPrincipals": ["*"]}),
                (
                    "an endpoint's service that accepts each",
                    Verdict.GOOD,
                    SERVICE,
                    {"allowedPrincipals": ["*"], "acceptanceRequired": True},
                ),
                (
                    "credentials for anybody",
                    Verdict.BAD,
                    IDENTITIES,
                    {"allowUnauthenticatedIdentities": True},
                ),
                (
                    "credentials for users",
                    Verdict.GOOD,
                    IDENTITIES,
                    {"allowUnauthenticatedIdentities": False},
                ),
                (
                    "Google, tokens of a shared issuer",
                    Verdict.BAD,
                    _TOKENS,
                    {"oidc": {"issuerUri": f"https://{_ACTIONS}"}},
                ),
                (
                    "Google, tokens of one repository",
                    Verdict.GOOD,
                    _TOKENS,
                    {
                        "oidc": {"issuerUri": f"https://{_ACTIONS}"},
                        "attributeCondition": "assertion.x == 'y'",
                    },
                ),
                (
                    "Google, tokens of an issuer of one's own",
                    Verdict.GOOD,
                    _TOKENS,
                    {"oidc": {"issuerUri": "https://id.example.eu"}},
                ),
            )
        ),
        Case("a function for anybody", Verdict.BAD, Resource(PERMISSION, "p", {"principal": "*"})),
        Case(
            "a function for a service",
            Verdict.GOOD,
            Resource(PERMISSION, "p", {"principal": "s3.amazonaws.com"}),
        ),
        Case(
            "a function's address for anybody",
            Verdict.BAD,
            Resource(FUNCTION_URL, "u", {"authorizationType": "NONE"}),
        ),
        Case("an image for anybody", Verdict.BAD, Resource(IMAGE, "i", {"group": "all"})),
        Case("a snapshot for anybody", Verdict.BAD, Resource(SNAPSHOTS[0], "s", {"sharedAccounts": ["all"]})),
        Case("a public registry", Verdict.BAD, Resource("aws:ecrpublic/repository:Repository", "r", {})),
        *(
            Case(f"Google, {title}", verdict, Resource(f"gcp:{token}", "g", props))
            for title, verdict, token, props in (
                (
                    "a topic for anybody",
                    Verdict.BAD,
                    "pubsub/topicIAMMember:TopicIAMMember",
                    {"member": "allUsers"},
                ),
                (
                    "a service for anybody",
                    Verdict.BAD,
                    "cloudrunv2/serviceIamBinding:ServiceIamBinding",
                    {"members": ["user:a", "allUsers"]},
                ),
                (
                    "a dataset for anybody",
                    Verdict.BAD,
                    "bigquery/dataset:Dataset",
                    {"accesses": [{"specialGroup": "allAuthenticatedUsers"}]},
                ),
                (
                    "an object for anybody",
                    Verdict.BAD,
                    "storage/objectAccessControl:ObjectAccessControl",
                    {"entity": "allUsers"},
                ),
                (
                    "a policy for anybody",
                    Verdict.BAD,
                    "artifactregistry/repositoryIamPolicy:RepositoryIamPolicy",
                    {"policyData": '{"bindings": [{"members": ["allUsers"]}]}'},
                ),
                (
                    "a group of one's own",
                    Verdict.GOOD,
                    "pubsub/topicIAMMember:TopicIAMMember",
                    {"member": "group:all@example.eu"},
                ),
            )
        ),
        *CASES,
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            Resource("gcp:pubsub/topicIAMMember:TopicIAMMember", "g", {"member": UNKNOWN}),
        ),
    ),
)
