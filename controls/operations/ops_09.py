"""No identity may do everything."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import documents, parsed, statements
from corral.controls.settings import true

_POLICIES = ("aws:iam/", "aws-native:iam:", "aws:ssoadmin/")
_MASTER = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")
_ARNS = ("policyArn", "managedPolicyArns", "policyArns")
_WIDE = ("*", "*:*", "iam:*", "kms:*", "sts:*", "organizations:*")
"""Actions that give everything, or the way to it."""
_PASSING = "iam:passrole"
_GRANTS = ("gcp:projects/iAM", "gcp:folder/iAM", "gcp:organizations/iAM")
_ROLES = ("roles/owner", "roles/editor", "roles/iam.securityAdmin", "roles/resourcemanager.organizationAdmin")
_CUSTOM = "IAMCustomRole"
_EKS_ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
_GKE = "gcp:container/cluster:Cluster"


def _applies(token: str) -> bool:
    return token.startswith((*_POLICIES, *_GRANTS)) or token in (_EKS_ACCESS, _GKE)


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
        for path in _ARNS:
            for arn in subject.values(path):
                if arn is UNKNOWN:
                    unknown = path
                elif str(arn).endswith(_MASTER):
                    yield f"`{path}` names {str(arn).rpartition('/')[2]}"
        if unknown or any(subject.props.get(key) is UNKNOWN for key in ("policy", "policyDocument")):
            raise Undecided(f"`{unknown or 'policy'}` is not known yet")


def _granted(subject: Resource) -> Iterator[str]:
    if _CUSTOM in subject.type:
        if "*" in subject.values("permissions"):
            yield "`permissions` has *"
        return
    if str(subject.value("role", "")) in _ROLES:
        yield f"`role` is {subject.value('role')}"
    document = parsed(str(subject.value("policyData", "")))
    bindings: Any = cast(Mapping[str, Any], document).get("bindings") if isinstance(document, dict) else []
    for binding in cast(list[Any], bindings or []):
        if isinstance(binding, dict) and cast(Mapping[str, Any], binding).get("role") in _ROLES:
            yield f"`policyData` grants {cast(Mapping[str, Any], binding)['role']}"


def _policy(action: str, resource: str = '"*"', more: str = "") -> Resource:
    statement = f'{{"Effect": "Allow", "Action": {action}, "Resource": {resource}{more}}}'
    return Resource("aws:iam/policy:Policy", "p", {"policy": f'{{"Statement": [{statement}]}}'})


def _role(**props: Any) -> Resource:
    return Resource("aws:iam/role:Role", "r", props)


def _grant(role: str) -> Resource:
    return Resource("gcp:projects/iAMMember:IAMMember", "g", {"role": role, "member": "user:a@example.eu"})


CONTROL = Control(
    id="SOV-OPS-09",
    title="No identity may do everything",
    severity=Severity.HIGH,
    sources=("CIS AWS 1.16", "NIS2 11"),
    remedy="Name the actions and resources that the identity needs; Google: a narrow role in place of owner.",
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
        Case("GKE's older rights", Verdict.BAD, Resource(_GKE, "c", {"enableLegacyAbac": True})),
        Case("GKE", Verdict.GOOD, Resource(_GKE, "c", {})),
        Case("not known yet", Verdict.UNDECIDED, Resource("aws:iam/policy:Policy", "p", {"policy": UNKNOWN})),
        Case("a role not known yet", Verdict.UNDECIDED, _role(managedPolicyArns=[UNKNOWN])),
    ),
)
