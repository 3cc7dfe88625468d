"""A double of EKS's Pod Identity agent and of AWS behind it: Secrets Manager and IAM of moto, on loopback.

An account of the cluster has a role by an association. Whoever shows the agent its token, made for AWS alone,
gets credentials of that role for some time, and IAM lets them do what the role's policy says.
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer
from tests.doubles.servers import Handler, listening

AUDIENCE = "pods.eks.amazonaws.com"
REGION = "eu-central-1"
SESSION_SECONDS = 900


@dataclass
class Aws:
    """An account of AWS that a cluster's pods enter; `who`: the user of a token for `AUDIENCE`, or None."""

    who: Callable[[str], str | None]
    address: str = ""
    """URL of its services."""
    credentials: str = ""
    """URL at which a pod gets credentials."""
    roles: dict[str, str] = field(default_factory=dict[str, str])
    """ARN of the role of a user, as `system:serviceaccount:NAMESPACE:NAME`."""
    refused: list[str] = field(default_factory=list[str])

    def client(self, service: str) -> Any:
        """A client of its owner."""
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name=REGION,
            aws_access_key_id=self._owner[0],
            aws_secret_access_key=self._owner[1],
            config=Config(proxies={}),
        )

    def allow(self, user: str, *actions: str) -> None:
        """Associate `user` with a role that may do `actions`; moto's IAM looks at no resource but S3's."""
        iam, name = self.client("iam"), f"role-{len(self.roles)}"
        # moto knows no services that assume a role; the agent does it as the account's owner.
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}}
        trusted = {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted))
        rights = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document)
        self.roles[user] = made["Role"]["Arn"]

    def enforce(self, calls: int | float) -> None:
        """Let IAM decide on everything after so many more calls."""
        self._post("reset-auth", str(calls).encode())

    def _post(self, what: str, body: bytes = b"") -> None:
        headers = {"Content-Type": "text/plain"}
        request = Request(f"{self.address}/moto-api/{what}", body, headers, method="POST")
        build_opener(ProxyHandler({})).open(request, timeout=60).close()

    _owner: tuple[str, str] = ("owner", "owner")

    def answer(self, token: str) -> tuple[int, Any]:
        """What the agent answers to who shows `token`."""
        user = self.who(token)
        role = self.roles.get(user or "")
        if role is None:
            self.refused.append(str(user))
            return 403, {"message": "no association"}
        session = self.client("sts").assume_role(
            RoleArn=role, RoleSessionName="pod", DurationSeconds=SESSION_SECONDS
        )
        made = session["Credentials"]
        return 200, {
            "AccessKeyId": made["AccessKeyId"],
            "SecretAccessKey": made["SecretAccessKey"],
            "Token": made["SessionToken"],
            "Expiration": made["Expiration"].isoformat(),
        }


@contextmanager
def serving(aws: Aws) -> Generator[Aws]:
    """`aws` at its addresses, with an owner who may do everything."""

    class Agent(Handler):
        def do_GET(self) -> None:
            status, document = aws.answer(self.headers.get("Authorization", ""))
            self.answer(status, json.dumps(document).encode(), {"Content-Type": "application/json"})

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    aws.address = f"http://{host}:{port}"
    try:
        aws._post("reset")
        iam = aws.client("iam")
        iam.create_user(UserName="owner")
        every = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=json.dumps(every))
        key = iam.create_access_key(UserName="owner")["AccessKey"]
        aws._owner = (key["AccessKeyId"], key["SecretAccessKey"])
        with listening(Agent) as address:
            aws.credentials = f"http://{address}/v1/credentials"
            yield aws
    finally:
        aws.enforce(float("inf"))
        server.stop()
