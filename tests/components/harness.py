"""A recording engine for graph tests: build a program, then ask the graph what it registered.

    graph = build(lambda: KServe("kserve", {...}))
    graph.one("Namespace").inputs["metadata"]["name"]

A graph test asserts after `build` has returned: then every registration has drained.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi.resource_hooks as resource_hooks
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import config as runtime_config
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime import resource as resources
from pulumi.runtime.proto import resource_pb2, source_pb2

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon

SECRET = "<secret>"
TYPES = {
    name: {"spec": {"versions": [{"name": version, "served": True}]}}
    for name, version in map(definition, (Addon.PROMETHEUS_CRDS, Addon.KYVERNO, Addon.KUEUE))
}
"""What the clusters of tests have, unless one says otherwise: components use these by default."""

Computed = dict[str, Any] | Callable[[str], dict[str, Any]]


@dataclass
class Registered:
    """One resource as the engine was asked to register it."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    secrets: frozenset[str]
    """Dotted paths of inputs that were marked secret."""
    protect: bool
    provider: str
    ignored: tuple[str, ...]
    """Paths of inputs whose changes are left alone."""
    replaced_on: tuple[str, ...]
    """Paths of inputs whose changes make the resource anew."""
    deleted_first: bool
    """Whether it goes before another takes its place."""
    retained: bool
    """Whether the engine forgets it, and leaves it where it is, when it is to be deleted."""
    dependencies: tuple[str, ...]
    custom: bool
    read: bool = False
    outputs: dict[str, Any] | None = None
    """What `register_outputs` said; None when it was never called."""

    @property
    def kind(self) -> str:
        """Last part of the type: `Namespace`, `Model`, `Chart`."""
        return self.type.rpartition(":")[2]

    @property
    def object_name(self) -> str:
        """`metadata.name` of a Kubernetes object."""
        return self.inputs["metadata"]["name"]

    @property
    def namespace(self) -> str | None:
        return self.inputs["metadata"].get("namespace")


@dataclass
class Graph:
    """Everything one program registered, in the order of arrival."""

    resources: list[Registered] = field(default_factory=list)

    def __iter__(self) -> Iterator[Registered]:
        return iter(self.resources)

    def of(self, kind: str) -> list[Registered]:
        """Resources whose full type or whose kind is `kind`."""
        return [r for r in self.resources if kind in (r.type, r.kind)]

    def one(self, kind: str, name: str | None = None) -> Registered:
        """The only resource of a kind, or of a kind with this logical or physical name."""
        found = [r for r in self.of(kind) if name is None or name in (r.name, _object_name(r))]
        assert len(found) == 1, (
            f"expected one {kind} {name or ''}, found {[(r.name, _object_name(r)) for r in self.of(kind)]}"
        )
        return found[0]

    def child_of(self, parent: Registered) -> list[Registered]:
        return [r for r in self.resources if r.parent == parent.urn]

    def by_urn(self, urn: str) -> Registered:
        return next(r for r in self.resources if r.urn == urn)

    def ancestors(self, resource: Registered) -> list[Registered]:
        found: list[Registered] = []
        known = {r.urn: r for r in self.resources}
        while resource.parent in known:
            resource = known[resource.parent]
            found.append(resource)
        return found

    def before(self, resource: Registered) -> set[str]:
        """URNs of all that must be done before `resource`.

        These are its dependencies and its parents', for a child waits for its parent; theirs; their children.
        """
        known = {r.urn: r for r in self.resources}
        seen: set[str] = set()
        queue = [urn for one in (resource, *self.ancestors(resource)) for urn in one.dependencies]
        while queue:
            urn = queue.pop()
            if urn in seen or urn not in known:
                continue
            seen.add(urn)
            queue.extend(d for one in (known[urn], *self.ancestors(known[urn])) for d in one.dependencies)
            queue.extend(r.urn for r in self.resources if r.parent == urn)
        return seen


def _object_name(resource: Registered) -> str | None:
    metadata = resource.inputs.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


class _Objects(mocks.Mocks):
    """Every resource comes out as it went in; reads and calls answer what the test prepared."""

    def __init__(
        self,
        found: Mapping[str, dict[str, Any]],
        answers: Mapping[str, dict[str, Any]],
        computed: Mapping[str, Computed],
        preview: bool,
    ):
        self.found, self.answers, self.computed, self.preview = found, answers, computed, preview

    def adds_nothing(self, type: str, imported: str) -> bool:
        """Whether a resource of `type` has no output beside its inputs, which are all known."""
        return not self.preview and not imported and type not in self.computed

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return dict(self.answers.get(args.token, {})), []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.resource_id:
            if args.typ == "kubernetes:core/v1:Node" and args.resource_id not in self.found:
                return args.resource_id, {"metadata": {"name": args.resource_id}, "spec": {}}
            there = self.found if args.resource_id in self.found else TYPES
            return args.resource_id, dict(there.get(args.resource_id) or self.found[args.resource_id])
        if self.preview:
            # Nothing is there yet: no id, and nothing that a provider adds.
            return "", dict(args.inputs)
        added = self.computed.get(args.typ, {})
        return f"{args.name}-id", _merged(added(args.name) if callable(added) else added, args.inputs)


def _merged(added: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs`, and what a provider adds to them, within their mappings as well."""
    return {
        **added,
        **{
            key: _merged(added[key], value)
            if isinstance(value, dict) and isinstance(added.get(key), dict)
            else value
            for key, value in inputs.items()
        },
    }


class Recorder(mocks.MockMonitor):
    """A mock monitor that keeps each request and refuses a URN that it has seen."""

    def __init__(self, objects: _Objects):
        super().__init__(objects)
        self._objects = objects
        self.graph = Graph()
        self._by_urn: dict[str, Registered] = {}
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)
        urn = self._record(request, read=False, inputs=request.object)
        if self._objects.adds_nothing(request.type, request.importId):
            # What went in comes out: unpacking it and packing it again is a fifth of a graph's time.
            return resource_pb2.RegisterResourceResponse(
                urn=urn, id=f"{request.name}-id", object=request.object
            )
        return super().RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:
        self._record(request, read=True, inputs=request.properties)
        return super().ReadResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if request.urn in self._by_urn:
            self._by_urn[request.urn].outputs, _ = _plain(request.outputs)
        return empty_pb2.Empty()

    def _record(self, request: Any, *, read: bool, inputs: struct_pb2.Struct) -> str:
        urn = self.make_urn(request.parent, request.type, request.name)
        values, secrets = _plain(inputs)
        registered = Registered(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=values,
            secrets=frozenset(secrets),
            protect=False if read else bool(request.protect),
            provider=request.provider,
            ignored=() if read else tuple(request.ignoreChanges),
            replaced_on=() if read else tuple(request.replaceOnChanges),
            deleted_first=False if read else bool(request.deleteBeforeReplace),
            retained=False if read else bool(request.retainOnDelete),
            dependencies=tuple(request.dependencies),
            custom=read or bool(request.custom),
            read=read,
        )
        with self._lock:
            assert urn not in self._by_urn, f"two resources share the URN {urn}"
            self._by_urn[urn] = registered
            self.graph.resources.append(registered)
        return urn


def _plain(message: struct_pb2.Struct) -> tuple[dict[str, Any], list[str]]:
    secrets: list[str] = []
    return {key: _value(item, key, secrets) for key, item in message.fields.items()}, secrets


def _value(value: struct_pb2.Value, where: str, secrets: list[str]) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            if rpc._special_sig_key in fields:
                if fields[rpc._special_sig_key].string_value == rpc._special_secret_sig:
                    secrets.append(where)
                    return _value(fields["value"], where, secrets)
                return {key: _value(item, f"{where}.{key}", secrets) for key, item in fields.items()}
            return {key: _value(item, f"{where}.{key}", secrets) for key, item in fields.items()}
        case "list_value":
            return [_value(v, f"{where}[{i}]", secrets) for i, v in enumerate(value.list_value.values)]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "string_value":
            return value.string_value
        case _:
            return None


def build(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    secret_config: Mapping[str, str] | None = None,
    found: Mapping[str, dict[str, Any]] | None = None,
    answers: Mapping[str, dict[str, Any]] | None = None,
    computed: Mapping[str, Computed] | None = None,
    stack: str = "test",
) -> Graph:
    """Run `program` in an event loop of its own against a recording engine; return what it registered.

    `found` maps the id of an object that exists already, beside `TYPES`, to its state, `answers`
    the token of a provider's function to what it says, `computed` the type of a resource to what its
    provider adds to the inputs, or to what makes that of the logical name.
    """
    # Pulumi keeps its settings and its event loop per thread: what one build leaves, the next does not see.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(
            _build,
            program,
            preview,
            {**(config or {}), **(secret_config or {})},
            list(secret_config or {}),
            _Objects({} if found is None else found, answers or {}, computed or {}, preview),
            stack,
        ).result()


MANY_MODULES = 200
_apart = [0]
"""Number of modules that the collector no longer looks at."""


def _set_modules_apart() -> None:
    """Keep the collector from looking at the SDKs of clouds, hundreds of megabytes, after every build."""
    if len(sys.modules) > _apart[0] + MANY_MODULES:
        gc.collect()
        gc.freeze()
        _apart[0] = len(sys.modules)


def _build(
    program: Callable[[], Any],
    preview: bool,
    config: Mapping[str, str],
    secret_keys: list[str],
    objects: _Objects,
    stack: str,
) -> Graph:
    _set_modules_apart()
    gc.disable()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Pulumi's mocks make a loop on every thread that answers and leave it open: here is one thread with one.
    answers = asyncio.new_event_loop()
    answering = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(answers,))
    loop.set_default_executor(answering)
    try:
        recorder = Recorder(objects)
        settings.reset_options()
        mocks.set_mocks(recorder.mocks, project="corral", stack=stack, preview=preview, monitor=recorder)
        runtime_config.set_all_config(dict(config), secret_keys)
        # The recorder has no server that an engine could call back.
        resource_hooks.register_resource_hook = lambda hook: asyncio.ensure_future(asyncio.sleep(0))
        # Where in the source each resource was made, twenty frames of it, is for an engine's messages.
        resources._get_stack_trace = source_pb2.StackTrace

        def run() -> None:
            program()

        mocks.test(run)()
        return recorder.graph
    finally:
        _end(loop)
        answering.shutdown()
        answers.close()
        # What Pulumi leaves behind runs finalizers: better here than while a failure is being reported.
        # All of it is young, for nothing was collected while it was made.
        gc.collect(0)
        gc.enable()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Nothing left of `loop`: it is closed after all its tasks have ended, those too that never began."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


class Probe(pulumi.ComponentResource):
    """A bare parent for tests of helpers."""

    def __init__(self, name: str):
        super().__init__("test:index:Probe", name)
        self.register_outputs({})
