"""Volumes: a folder of this machine for each PersistentVolumeClaim of class `corral-local`."""

import asyncio
import logging
import shutil
from pathlib import Path

from corral.catalogue.quantities import amount
from corral.embedded.home import private_directory
from corral.embedded.informer import Informer, key_of
from corral.embedded.kube import Api, ApiError, Object, resource
from corral.embedded.node.context import NodeContext
from corral.embedded.objects import at, child, title
from corral.embedded.work_queue import WorkQueue

STORAGE_CLASS = "corral-local"
PROVISIONER = "corral.dev/local"
LONGEST_READABLE = 200
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
log = logging.getLogger(__name__)


async def run(context: NodeContext) -> None:
    """Provision, expand and reclaim until cancelled. Sizes are promises, not limits: folders have none."""
    await Provisioner(context.api, context.home.volumes).run()


def storage_class() -> Object:
    """The class that claims get when they name none."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }


def volume_for(claim: Object, folder: Path, policy: str) -> Object:
    """The PersistentVolume that binds to `claim` alone and is `folder`."""
    meta = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(claim), "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{part: meta[part] for part in ("namespace", "name", "uid")},
            },
            "hostPath": {"path": str(folder), "type": "Directory"},
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": claim["spec"]["storageClassName"],
            "volumeMode": "Filesystem",
        },
    }


def volume_name(claim: Object) -> str:
    """Name of the claim's PersistentVolume."""
    return f"pvc-{claim['metadata']['uid']}"


def folder_name(claim: Object) -> str:
    """Name of the claim's folder: readable, and never that of an earlier claim of the same name."""
    meta = claim["metadata"]
    readable = f"{meta['namespace']}-{meta['name']}"[:LONGEST_READABLE]
    return f"{readable}-{meta['uid'][:8]}"


class Provisioner:
    """Serves every StorageClass whose provisioner is `corral.dev/local`, and keeps `corral-local`."""

    def __init__(self, api: Api, folder: Path) -> None:
        self._api = api
        self._folder = folder
        self._queue: WorkQueue[tuple[str, str, str]] = WorkQueue(self._reconcile, log)
        self._classes = Informer(api, resource("storage.k8s.io/v1", "storageclasses"), self._class_changed)
        self._claims = Informer(api, resource("v1", "persistentvolumeclaims"), self._claim_changed)
        self._volumes = Informer(api, resource("v1", "persistentvolumes"), self._volume_changed)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for informer in (self._classes, self._claims, self._volumes):
                tasks.create_task(informer.run())
            await self._classes.synced.wait()
            self._queue.add(("class", "", STORAGE_CLASS))
            await self._queue.run()

    def _class_changed(self, _kind: str, item: Object) -> None:
        self._queue.add(("class", *key_of(item)))
        for key in self._claims.items:
            self._queue.add(("claim", *key))

    def _claim_changed(self, _kind: str, item: Object) -> None:
        self._queue.add(("claim", *key_of(item)))

    def _volume_changed(self, _kind: str, item: Object) -> None:
        self._queue.add(("volume", *key_of(item)))
        claim = child(item, "spec", "claimRef")
        if claim:
            self._queue.add(("claim", claim["namespace"], claim["name"]))

    async def _reconcile(self, key: tuple[str, str, str]) -> None:
        kind, namespace, name = key
        if kind == "class":
            await self._keep_class()
        elif kind == "claim" and (claim := self._claims.items.get((namespace, name))):
            await self._provision(claim)
        elif kind == "volume" and (volume := self._volumes.items.get((namespace, name))):
            await self._reclaim(volume)

    async def _keep_class(self) -> None:
        if ("", STORAGE_CLASS) not in self._classes.items:
            await _create(self._api, resource("storage.k8s.io/v1", "storageclasses"), storage_class())

    async def _provision(self, claim: Object) -> None:
        served = self._classes.items.get(("", str(at(claim, "spec", "storageClassName"))))
        if (
            served is None
            or served["provisioner"] != PROVISIONER
            or at(claim, "metadata", "deletionTimestamp")
        ):
            return
        if at(claim, "spec", "volumeMode") == "Block":
            log.warning("claim %s stays pending: volumeMode Block; allowed: Filesystem", title(claim))
        elif at(claim, "spec", "volumeName"):
            await self._expand(claim)
        elif ("", volume_name(claim)) not in self._volumes.items:
            folder = private_directory(self._folder / folder_name(claim))
            policy = served.get("reclaimPolicy", "Delete")
            await _create(self._api, resource("v1", "persistentvolumes"), volume_for(claim, folder, policy))

    async def _expand(self, claim: Object) -> None:
        volume = self._volumes.items.get(("", claim["spec"]["volumeName"]))
        if volume is None or not is_ours(volume) or at(claim, "status", "phase") != "Bound":
            return
        requested = str(claim["spec"]["resources"]["requests"]["storage"])
        capacity = {"capacity": {"storage": requested}}
        namespace, name = key_of(claim)
        if amount(requested) > amount(volume["spec"]["capacity"]["storage"]):
            path = resource("v1", "persistentvolumes", name=volume["metadata"]["name"])
            await self._api.patch(path, {"spec": capacity})
        if amount(requested) > amount(str(at(claim, "status", "capacity", "storage") or "0")):
            path = resource("v1", "persistentvolumeclaims", namespace, name, "status")
            await self._api.patch(path, {"status": capacity})
            log.info("claim %s: expanded to %s", title(claim), requested)

    async def _reclaim(self, volume: Object) -> None:
        spec = child(volume, "spec")
        released = at(volume, "status", "phase") == "Released"
        if not (is_ours(volume) and released and spec.get("persistentVolumeReclaimPolicy") == "Delete"):
            return
        folder = Path(str(at(spec, "hostPath", "path")))
        if not _directly_in(self._folder, folder):
            log.error("volume %s: refused to delete %s: not in %s", title(volume), folder, self._folder)
            return
        removed = await asyncio.to_thread(_remove, folder)
        await self._api.delete(resource("v1", "persistentvolumes", name=volume["metadata"]["name"]))
        if removed:
            log.info("volume %s: deleted with its folder", title(volume))


def is_ours(volume: Object) -> bool:
    """Whether this provisioner made the volume."""
    return at(volume, "metadata", "annotations", PROVISIONED_BY) == PROVISIONER


async def _create(api: Api, path: str, body: Object) -> None:
    try:
        await api.create(path, body)
    except ApiError as error:
        if not error.conflict:
            raise
    else:
        log.info("made %s %s", body["kind"], title(body))


def _directly_in(root: Path, folder: Path) -> bool:
    return not folder.is_symlink() and folder.resolve().parent == root.resolve()


def _remove(folder: Path) -> bool:
    present = folder.exists()
    if present:
        shutil.rmtree(folder)
    return present
