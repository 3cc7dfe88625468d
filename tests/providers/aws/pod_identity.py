"""EKS Pod Identity, simulated: what its webhook adds to pods, and its agent that hands out credentials.

Names and paths are those that a pod on EKS has (EKS user guide, pod-id-how-it-works). The agent trusts the
API server alone: a pod's token is reviewed for the audience of Pod Identity, and its account has the role of
an association, or none. Whether that role may do what the pod then asks of S3 nobody decides here: moto's S3
knows the bucket's own policy alone.
"""

import base64
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from tests.doubles.mirror import certificates
from tests.doubles.servers import Handler, listening
from tests.providers.aws.account import Account
from tests.providers.aws.node_programs import FULL_URI, TOKEN_FILE

AUDIENCE = "pods.eks.amazonaws.com"
AGENT = "http://169.254.170.23/v1/credentials"
"""Where a pod on EKS has its agent."""
FOLDER = f"/var/run/secrets/{AUDIENCE}/serviceaccount"
VOLUME = "eks-pod-identity-token"
SECONDS = 86400
ASSOCIATION = "CreatePodIdentityAssociation"
Call = Callable[[str, str, Any], Any]
"""Method, path and body of a call of the cluster's API."""


@dataclass
class PodIdentity:
    """One cluster's webhook and agent."""

    account: Account
    call: Call
    entered: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Role that pods of a namespace and account were given."""
    agent: str = ""
    """Host and port of the agent."""
    webhook: str = ""
    authority: Path = Path()

    def role(self, namespace: str, account: str) -> str | None:
        """ARN of the role that an account has."""
        for (kind, _), one in list(self.account.simulated.items()):
            if kind == ASSOCIATION and (one["namespace"], one["serviceAccount"]) == (namespace, account):
                return str(one["roleArn"])
        return None

    def patch(self, namespace: str, pod: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the webhook adds to a pod: nothing where its account has no association."""
        spec = pod["spec"]
        if self.role(namespace, spec.get("serviceAccountName") or "default") is None:
            return []
        token = {"audience": AUDIENCE, "expirationSeconds": SECONDS, "path": VOLUME}
        volume = {"name": VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}
        patches = [{"op": "add", "path": "/spec/volumes", "value": [*spec.get("volumes", []), volume]}]
        for group in ("initContainers", "containers"):
            for index, one in enumerate(spec.get(group, [])):
                place = f"/spec/{group}/{index}"
                added = {FULL_URI: AGENT, TOKEN_FILE: f"{FOLDER}/{VOLUME}"}
                env = [*one.get("env", []), *({"name": key, "value": text} for key, text in added.items())]
                mounts = [
                    *one.get("volumeMounts", []),
                    {"name": VOLUME, "mountPath": FOLDER, "readOnly": True},
                ]
                patches.append({"op": "add", "path": f"{place}/env", "value": env})
                patches.append({"op": "add", "path": f"{place}/volumeMounts", "value": mounts})
        return patches

    def credentials(self, token: str) -> dict[str, Any] | None:
        """Credentials of a pod's role for some time; None: the token is not good for any."""
        review = {"spec": {"token": token, "audiences": [AUDIENCE]}}
        status = self.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)["status"]
        if not status.get("authenticated") or AUDIENCE not in status.get("audiences", []):
            return None
        *_, namespace, account = status["user"]["username"].split(":")
        role = self.role(namespace, account)
        if role is None:
            return None
        sts = boto3.session.Session("testing", "testing", region_name=self.account.region).client("sts")
        answer = sts.assume_role(RoleArn=role, RoleSessionName=f"eks-{account}")["Credentials"]
        self.entered[namespace, account] = role
        return {
            "AccessKeyId": answer["AccessKeyId"],
            "SecretAccessKey": answer["SecretAccessKey"],
            "Token": answer["SessionToken"],
            "Expiration": answer["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def installed(self) -> None:
        """The webhook, as EKS configures it: pods start without it where it does not answer."""
        bundle = base64.b64encode(self.authority.read_bytes()).decode()
        pods = {"operations": ["CREATE"], "resources": ["pods"]}
        hook = {
            "name": "pod-identity-webhook.amazonaws.com",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": f"https://{self.webhook}/mutate", "caBundle": bundle},
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "rules": [{**pods, "apiGroups": [""], "apiVersions": ["v1"]}],
        }
        body = {"metadata": {"name": "pod-identity-webhook"}, "webhooks": [hook]}
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        self.call("POST", path, body)


class _Agent(Handler):
    identity: PodIdentity

    def do_GET(self) -> None:
        answer = self.identity.credentials(self.headers.get("Authorization", ""))
        body = {"message": "no association"} if answer is None else answer
        self.answer(403 if answer is None else 200, json.dumps(body).encode())


class _Webhook(Handler):
    identity: PodIdentity

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        patch = self.identity.patch(request["namespace"], request["object"])
        response = {"uid": request["uid"], "allowed": True}
        if patch:
            encoded = base64.b64encode(json.dumps(patch).encode()).decode()
            response |= {"patchType": "JSONPatch", "patch": encoded}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        self.answer(200, json.dumps(review).encode(), {"Content-Type": "application/json"})


@contextmanager
def serving(account: Account, call: Call, folder: Path) -> Iterator[PodIdentity]:
    """Webhook and agent on loopback; the webhook's certificate is in `folder`."""
    made = PodIdentity(account, call)
    made.authority, certificate = certificates(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    agent, webhook = (type("Here", (kind,), {"identity": made}) for kind in (_Agent, _Webhook))
    with listening(agent) as made.agent, listening(webhook, tls) as made.webhook:
        yield made
