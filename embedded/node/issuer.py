"""The stand-in issuer: serves cert-manager's objects until cert-manager itself runs here.

It issues `kubernetes.io/tls` Secrets for Certificates, signed by themselves (selfSigned issuers), by
the CA in a Secret (ca issuers) or, in place of an authority elsewhere, by the plane's own CA; and it
writes CA bundles where annotations ask for them. Its name is in every status that it sets.
"""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from corral.embedded.kube import Api, ApiError, Informer, Object, key_of, resource
from corral.embedded.node.context import NodeContext
from corral.embedded.node.issuer_injection import TARGETS, bundle_for, changes
from corral.embedded.node.issuer_secret import decoded, fingerprint, secret_for, standing
from corral.embedded.node.issuer_x509 import Authority, CannotIssue, issue, plane_authority, request_of
from corral.embedded.objects import at, child, condition, title
from corral.embedded.worklist import WorkList

GROUP = "cert-manager.io/v1"
SERVED = ("certificates", "issuers", "clusterissuers")
CLUSTER_NAMESPACE = "cert-manager"
"""Where the Secrets of ClusterIssuers are."""
REASON = "StandInIssuer"
READY = "issued by the stand-in issuer of the embedded platform, not by cert-manager"
SERVES = "served by the stand-in issuer of the embedded platform, not by cert-manager"

Key = tuple[str, str, str]
"""Plural, namespace, name."""
log = logging.getLogger(__name__)


async def run(context: NodeContext) -> None:
    """Serve certificates until cancelled, from the moment that cert-manager's CRDs exist."""
    await StandInIssuer(context.api, context.home.control / "ca").run()


class StandInIssuer:
    """Certificates, Issuers and ClusterIssuers of a plane, and the CA bundles made of them."""

    def __init__(self, api: Api, folder: Path) -> None:
        self._api = api
        self._folder = folder
        self._work: WorkList[Key] = WorkList(self._look_at, log)
        self._secrets = Informer(api, resource("v1", "secrets"), self._secret_changed)
        self._asked = {plural: self._informer(GROUP, plural) for plural in SERVED}
        self._targets = {plural: self._informer(group, plural) for plural, group in TARGETS.items()}
        self._followed: set[str] = set()

    def _informer(self, group_version: str, plural: str) -> Informer:
        def changed(kind: str, item: Object) -> None:
            if plural in TARGETS:
                self._work.add((plural, *key_of(item)))
            else:
                self._everything()
            if plural == "customresourcedefinitions" and kind == "set":
                self._definition_changed(item)

        return Informer(self._api, resource(group_version, plural), changed)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for informer in (self._secrets, *self._targets.values()):
                tasks.create_task(informer.run())
            await self._secrets.synced.wait()
            await self._work.run()

    def _definition_changed(self, definition: Object) -> None:
        """Follow a served kind from the moment that the API server serves it."""
        plural, _, group = definition["metadata"]["name"].partition(".")
        established = condition(definition, "Established") or {}
        if group != "cert-manager.io" or plural not in SERVED or established.get("status") != "True":
            return
        if plural not in self._followed:
            self._followed.add(plural)
            self._tasks.create_task(self._asked[plural].run())
            log.info("stand-in issuer: serves %s", plural)

    def _secret_changed(self, _kind: str, secret: Object) -> None:
        if {"tls.crt", "ca.crt"} & child(secret, "data").keys() or secret.get("type") == "kubernetes.io/tls":
            self._everything()

    def _everything(self) -> None:
        for plural in ("issuers", "clusterissuers", "certificates"):
            for key in self._asked[plural].items:
                self._work.add((plural, *key))
        for plural, informer in self._targets.items():
            for key in informer.items:
                self._work.add((plural, *key))

    async def _look_at(self, key: Key) -> None:
        plural, namespace, name = key
        informer = self._asked.get(plural) or self._targets[plural]
        item = informer.items.get((namespace, name))
        if item is None or at(item, "metadata", "deletionTimestamp"):
            return
        if plural in TARGETS:
            await self._inject(plural, item)
        elif plural == "certificates":
            await self._serve(item)
        else:
            await self._answer(plural, item)

    async def _answer(self, plural: str, issuer: Object) -> None:
        try:
            self._authority(issuer)
        except CannotIssue as cause:
            await self._say(plural, issuer, False, str(cause))
        else:
            await self._say(plural, issuer, True, SERVES)

    async def _serve(self, certificate: Object) -> None:
        now = datetime.now(UTC)
        key = key_of(certificate)[0], str(at(certificate, "spec", "secretName"))
        try:
            request = request_of(certificate)
            authority = self._authority(self._issuer_of(certificate))
            wanted = fingerprint(certificate, authority)
            found = standing(self._secrets.items.get(key), wanted, request, now)
            if found is None:
                secret = secret_for(certificate, issue(request, authority, now), wanted)
                await self._write(secret)
                # The informer may lag behind: what was just written must count when looked at again.
                self._secrets.items[key] = secret
                found = standing(secret, wanted, request, now)
                log.info("stand-in issuer: issued %s into Secret %s/%s", title(certificate), *key)
        except CannotIssue as cause:
            await self._say("certificates", certificate, False, str(cause))
            return
        if found is None:
            raise RuntimeError(f"a certificate just issued for {title(certificate)} is not good")
        times = {"notBefore": found.start, "notAfter": found.end, "renewalTime": found.renewal}
        await self._say("certificates", certificate, True, READY, {k: _text(v) for k, v in times.items()})
        self._work.add_later(
            ("certificates", *key_of(certificate)), (found.renewal - now).total_seconds() + 1
        )

    def _issuer_of(self, certificate: Object) -> Object:
        reference = child(certificate, "spec", "issuerRef")
        kind = str(reference.get("kind") or "Issuer")
        namespace = key_of(certificate)[0] if kind == "Issuer" else ""
        informer = self._asked.get(f"{kind.lower()}s")
        issuer = informer.items.get((namespace, str(reference.get("name")))) if informer else None
        if issuer is None:
            raise CannotIssue(f"no {kind} {reference.get('name')!r} here")
        return issuer

    def _authority(self, issuer: Object) -> Authority | None:
        """Who signs for `issuer`; None: each certificate signs itself."""
        if at(issuer, "spec", "selfSigned") is not None:
            return None
        name = at(issuer, "spec", "ca", "secretName")
        if name is None:
            return plane_authority(self._folder, datetime.now(UTC))
        namespace = key_of(issuer)[0] or CLUSTER_NAMESPACE
        secret = self._secrets.items.get((namespace, str(name)))
        if secret is None:
            raise CannotIssue(f"no Secret {namespace}/{name} with the CA's tls.crt and tls.key")
        return Authority.read(decoded(secret, "tls.crt"), decoded(secret, "tls.key"))

    async def _write(self, secret: Object) -> None:
        namespace, name = key_of(secret)
        try:
            await self._api.create(resource("v1", "secrets", namespace), secret)
        except ApiError as error:
            if not error.conflict:
                raise
            kept = {part: value for part, value in secret.items() if part != "type"}
            await self._api.patch(resource("v1", "secrets", namespace, name), kept)

    async def _say(
        self, plural: str, item: Object, ready: bool, message: str, more: Object | None = None
    ) -> None:
        """Set condition Ready and `more` of the status, when they are not so already."""
        said = {
            "type": "Ready",
            "status": str(ready),
            "reason": REASON,
            "message": message,
            "observedGeneration": at(item, "metadata", "generation") or 0,
        }
        old = condition(item, "Ready") or {}
        status = child(item, "status")
        wanted = more or {}
        if all(old.get(k) == v for k, v in said.items()) and all(
            status.get(k) == v for k, v in wanted.items()
        ):
            return
        same = old.get("status") == said["status"] and old.get("lastTransitionTime")
        since = old["lastTransitionTime"] if same else _text(datetime.now(UTC))
        body = {"status": {**wanted, "conditions": [{**said, "lastTransitionTime": since}]}}
        await self._api.patch(resource(GROUP, plural, *_path(item), "status"), body)
        if not ready:
            log.warning("stand-in issuer: %s %s: %s", plural, title(item), message)

    async def _inject(self, plural: str, target: Object) -> None:
        bundle = bundle_for(target, self._asked["certificates"].items, self._secrets.items)
        patch = changes(plural, target, bundle) if bundle else []
        if patch:
            path = resource(TARGETS[plural], plural, name=target["metadata"]["name"])
            await self._api.patch(path, patch, kind="json")
            log.info("stand-in issuer: CA bundle into %s %s", plural, title(target))


def _path(item: Object) -> tuple[str | None, str]:
    namespace, name = key_of(item)
    return namespace or None, name


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
