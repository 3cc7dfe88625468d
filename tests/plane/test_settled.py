"""Commands wait until what starts anew is there."""

import asyncio
from types import SimpleNamespace

import pytest

from corral.embedded.kube import ApiError
from corral.embedded.plane import overview


def pod(*, ready=True, leaving=False):
    meta = {
        "name": "store-0",
        "namespace": "llm",
        "uid": "u",
        "ownerReferences": [{"kind": "StatefulSet", "apiVersion": "apps/v1", "name": "store"}],
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {**meta, "deletionTimestamp": "now"} if leaving else meta,
        "status": {"phase": "Running", "conditions": conditions},
    }


class Server:
    """One pod of a StatefulSet that leaves, and what a watch says then; `replicas` None: the set is gone."""

    def __init__(self, replicas, *events):
        self.replicas = replicas
        self.events = list(events)

    async def snapshot(self, path):
        return [pod(leaving=True)], "1"

    async def changes(self, path, version):
        while self.events:
            kind, item = self.events.pop(0)
            yield SimpleNamespace(kind=kind, object=item)
        await asyncio.Event().wait()

    async def get(self, path):
        if self.replicas is None:
            raise ApiError(404, "NotFound", path)
        return {"spec": {"replicas": self.replicas}}

    async def aclose(self):
        pass


GONE = ("DELETED", pod(leaving=True))
STARTS = ("ADDED", pod(ready=False))
READY = ("MODIFIED", pod())


def left_after(monkeypatch, server):
    monkeypatch.setattr(overview.Api, "connect", lambda *_, **__: server)
    asyncio.run(overview.settled(SimpleNamespace(kubeconfig=None), seconds=5))
    return len(server.events)


def test_a_pod_that_is_replaced_is_waited_for_until_the_new_one_is_ready(monkeypatch):
    assert left_after(monkeypatch, Server(1, GONE, STARTS, READY, GONE)) == 1


@pytest.mark.parametrize("replicas", [0, None])
def test_a_pod_that_is_gone_for_good_is_not_waited_for(monkeypatch, replicas):
    assert left_after(monkeypatch, Server(replicas, GONE, STARTS)) == 1
