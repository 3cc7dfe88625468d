"""An API server in memory: enough of lists, watches, patches and conflicts to run controllers against."""

import asyncio
import copy
import json
from collections import defaultdict
from urllib.parse import parse_qs

import httpx

from corral.embedded.kube import Api


def merged(old, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def walked(document, pointer):
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parents:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document, int(last) if isinstance(document, list) and last != "-" else last


def patched(old, operations):
    result = copy.deepcopy(old)
    for operation in operations:
        parent, last = walked(result, operation["path"])
        if operation["op"] == "test":
            if parent[last] != operation["value"]:
                raise ValueError(operation)
        elif operation["op"] == "remove":
            del parent[last]
        else:
            parent[last] = operation["value"]
    return result


class FakeCluster:
    """Objects by collection path; `writes` lists what clients changed, as (method, path)."""

    def __init__(self):
        self.objects = {}
        self.writes = []
        self.served = None
        self._version = 0
        self._watchers = defaultdict(list)
        self._history = defaultdict(list)
        self.api = Api(
            httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="https://fake")
        )

    def put(self, collection, item, name=None):
        """Set an object, as another client would."""
        item = copy.deepcopy(item)
        meta = item.setdefault("metadata", {})
        meta.setdefault("name", name)
        key = (collection, meta.get("namespace", ""), meta["name"])
        self._version += 1
        kind = "MODIFIED" if key in self.objects else "ADDED"
        meta.setdefault("uid", f"{self._version:08d}-uid")
        meta["resourceVersion"] = str(self._version)
        self.objects[key] = item
        self._tell(collection, kind, item)
        return item

    def remove(self, collection, namespace, name):
        item = self.objects.pop((collection, namespace, name))
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._tell(collection, "DELETED", item)

    def get(self, collection, namespace, name):
        return self.objects.get((collection, namespace, name))

    def all(self, collection):
        return [item for (where, _, _), item in self.objects.items() if where == collection]

    async def until(self, true, seconds=10):
        """Wait until `true()` holds and return what it returned."""
        async with asyncio.timeout(seconds):
            while not (actual := true()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return actual

    async def settled(self, seconds=0.3):
        """Wait until nobody has written for `seconds`."""
        before = -1
        while before != len(self.writes):
            before = len(self.writes)
            await asyncio.sleep(seconds)

    def _tell(self, collection, kind, item):
        line = json.dumps({"type": kind, "object": item}) + "\n"
        self._history[collection].append((self._version, line.encode()))
        for queue in self._watchers[collection]:
            queue.put_nowait(line.encode())

    async def _answer(self, request):
        collection, namespace, name, sub = self._parts(request.url.path)
        query = parse_qs(request.url.query.decode())
        if self.served is not None and collection not in self.served:
            return self._refusal(404, "NotFound", "the server could not find the requested resource")
        if request.method == "GET" and name is None:
            return self._watch(collection, query) if "watch" in query else self._list(collection, namespace)
        actual = self.objects.get((collection, namespace, name))
        if request.method == "POST":
            body = json.loads(request.content)
            if (collection, namespace, body["metadata"]["name"]) in self.objects:
                return self._refusal(409, "AlreadyExists", body["metadata"]["name"])
            self.writes.append(("POST", request.url.path))
            return httpx.Response(201, json=self.put(collection, body))
        if actual is None:
            return self._refusal(404, "NotFound", request.url.path)
        if request.method == "GET":
            return httpx.Response(200, json=actual)
        self.writes.append((request.method, request.url.path))
        if request.method == "DELETE":
            self.remove(collection, namespace, name)
            return httpx.Response(200, json={})
        return self._change(request, collection, actual, sub)

    def _change(self, request, collection, actual, sub):
        body = json.loads(request.content)
        if request.method == "PUT":
            if body["metadata"].get("resourceVersion") not in (None, actual["metadata"]["resourceVersion"]):
                return self._refusal(409, "Conflict", request.url.path)
            changed = body
        elif "json-patch" in request.headers["content-type"]:
            try:
                changed = patched(actual, body)
            except (ValueError, KeyError, IndexError) as cause:
                return self._refusal(422, "Invalid", str(cause))
        else:
            changed = merged(actual, body)
        if sub == "status":
            changed = {**actual, "status": changed.get("status")}
        elif "status" in actual:
            changed = {**changed, "status": actual["status"]}
        changed["metadata"] = {**changed["metadata"], "uid": actual["metadata"]["uid"]}
        return httpx.Response(200, json=self.put(collection, changed))

    def _list(self, collection, namespace):
        items = [
            item
            for (where, space, _), item in self.objects.items()
            if where == collection and namespace in ("", space)
        ]
        body = {"kind": "XList", "apiVersion": "v1", "items": items}
        return httpx.Response(200, json={**body, "metadata": {"resourceVersion": str(self._version)}})

    def _watch(self, collection, query):
        queue = asyncio.Queue()
        for version, line in self._history[collection]:
            if version > int(query["resourceVersion"][0]):
                queue.put_nowait(line)
        self._watchers[collection].append(queue)

        async def lines():
            while True:
                yield await queue.get()

        return httpx.Response(200, content=lines())

    @staticmethod
    def _refusal(status, reason, message):
        return httpx.Response(status, json={"reason": reason, "message": message})

    @staticmethod
    def _parts(path):
        parts = path.strip("/").split("/")
        head, rest = (parts[:2], parts[2:]) if parts[0] == "api" else (parts[:3], parts[3:])
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        collection = "/" + "/".join([*head, rest[0]])
        rest += [None, None]
        return collection, namespace, rest[1], rest[2]
