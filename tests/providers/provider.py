"""A provider for the real engine, served in this process, to which the engine attaches.

`PULUMI_DEBUG_PROVIDERS=CLOUD:PORT` tells the engine where it is, as Pulumi's own tests of providers do, so
that no plugin is looked up and one provider serves all commands of a test.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from tests.providers.faults import Faults
from tests.providers.schema import OWN, UNKNOWN, inputs_of, outputs_of, refusals

Values = dict[str, Any]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """A provider of one cloud, which is a simulation behind it."""

    version: str
    needed: str
    """Configuration that it cannot be without."""
    kinds: Mapping[str, Any]
    """What makes each type of resource."""
    functions: Mapping[str, Any]
    refused: tuple[type[Exception], ...]
    """What the cloud's client raises."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.calls: list[tuple[str, str]] = []
        """Operation and URN of each change, in order."""
        self.config: dict[str, str] = {}
        """Configuration of the last one that was configured."""
        # The simulations behind it are not made for threads.
        self._lock = threading.RLock()

    def of(self, inputs: Mapping[str, Any]) -> Any:
        """The cloud's simulation for a resource with these inputs."""
        raise NotImplementedError

    def refusals(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Path and reason of each input that the cloud's own model of its calls does not have."""
        return ()

    # What is about the plugin itself.

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        self.config = dict(request.variables)
        if not self.config.get(self.needed):
            name = self.needed.replace(":config:", ":")
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{name}: missing; set it in the configuration")
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    # What is about resources.

    def Check(self, request: Any, context: Any) -> Any:
        token = _type(request.urn)
        old, new = _plain(request.olds), _plain(request.news)
        kind = self.kinds.get(token)
        if kind is None:
            failures = [(token, "not a type that this provider makes")]
        else:
            new = _named(kind, request.urn, old, new, bytes(request.randomSeed))
            failures = [*refusals(token, new), *self.refusals(token, new)]
            if kind.named and len(str(new[kind.named])) > kind.longest and new[kind.named] != UNKNOWN:
                failures.append((kind.named, f"{new[kind.named]!r} has more than {kind.longest} characters"))
        return provider_pb2.CheckResponse(
            inputs=struct(new),
            failures=[provider_pb2.CheckFailure(property=path, reason=why) for path, why in failures],
        )

    def Diff(self, request: Any, context: Any) -> Any:
        kind = self.kinds[_type(request.urn)]
        old, new = _plain(request.old_inputs), _plain(request.news)
        changed = sorted(
            key for key in {*old, *new} - {OWN} if _comparable(old.get(key)) != _comparable(new.get(key))
        )
        replaces = [
            key for key in changed if any(_differs(one, old, new) for one in _within(kind.replaces, key))
        ]
        explicit = kind.named is not None and kind.named not in new.get(OWN, [])
        # A name that stays belongs to one resource at a time.
        first = explicit and kind.named not in changed
        difference = provider_pb2.DiffResponse
        return difference(
            changes=difference.DIFF_SOME if changed else difference.DIFF_NONE,
            replaces=replaces,
            diffs=changed,
            deleteBeforeReplace=bool(replaces) and first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        token, inputs = _type(request.urn), _plain(request.properties)
        if request.preview:
            unknown = dict.fromkeys(outputs_of(token) - {"urn"}, UNKNOWN)
            state = _merged({**unknown, **inputs}, self.kinds[token].computed)
            return provider_pb2.CreateResponse(properties=struct(state))
        with self._asked("create", request.urn, context):
            self.faults.names_unseen("create", request.urn, inputs)
            identity, outputs = self.kinds[token].create(self.of(inputs), inputs)
        state = {**inputs, **outputs, "id": identity}
        self.faults.made(request.urn, str(outputs.get("arn", identity)))
        self._fails_later("create", request.urn, identity, state, inputs, context)
        return provider_pb2.CreateResponse(id=identity, properties=struct(state))

    def Read(self, request: Any, context: Any) -> Any:
        kind, state = self.kinds[_type(request.urn)], _plain(request.properties)
        inputs = _plain(request.inputs) or {
            key: value for key, value in state.items() if key in inputs_of(_type(request.urn))
        }
        with self._asked("read", request.urn, context):
            observed = kind.read(self.of(inputs), request.id, {**state, **inputs})
        if observed is None or self.faults.hidden(request.urn):
            return provider_pb2.ReadResponse()
        if not inputs and not state:
            # An import: all that AWS has is taken.
            state = {**observed, "id": request.id}
            inputs = {
                key: one for key, one in observed.items() if key in inputs_of(_type(request.urn)) and one
            }
        else:
            # What nobody set is left to AWS.
            seen = {key: value for key, value in observed.items() if key in inputs}
            inputs, state = {**inputs, **seen}, _merged(state, seen)
        return provider_pb2.ReadResponse(id=request.id, inputs=struct(inputs), properties=struct(state))

    def Update(self, request: Any, context: Any) -> Any:
        kind = self.kinds[_type(request.urn)]
        old, new = _plain(request.old_inputs), _plain(request.news)
        before = _plain(request.olds)
        state = {**{key: one for key, one in before.items() if key not in old}, **new}
        for key, added in kind.computed.items():
            if key not in new or key not in before:
                continue
            state[key] = {**{name: before[key][name] for name in added if name in before[key]}, **new[key]}
        if request.preview:
            unknown = dict.fromkeys(kind.changing, UNKNOWN)
            return provider_pb2.UpdateResponse(properties=struct({**state, **unknown}))
        with self._asked("update", request.urn, context):
            if kind.update is not None:
                state |= kind.update(self.of(new), request.id, {**before, **old}, new)
        self._fails_later("update", request.urn, request.id, state, new, context)
        return provider_pb2.UpdateResponse(properties=struct(state))

    def Delete(self, request: Any, context: Any) -> Any:
        state = _plain(request.properties)
        with self._asked("delete", request.urn, context):
            self.kinds[_type(request.urn)].delete(self.of(state), request.id, state)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        args = _plain(request.args)
        if request.tok not in self.functions:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok}: not a function of this provider")
        with self._asked("invoke", request.tok, context):
            result = self.functions[request.tok](self.of(args), args)
        return provider_pb2.InvokeResponse(**{"return": struct(result)})

    @contextmanager
    def _asked(self, operation: str, urn: str, context: Any) -> Iterator[None]:
        """One call at a time; what the cloud refuses is the resource's error."""
        with self._lock:
            try:
                self.faults.before(operation, urn)
                yield
            except self.refused as refused:
                context.abort(grpc.StatusCode.UNKNOWN, str(refused))
            if operation in ("create", "update", "delete"):
                self.calls.append((operation, urn))

    def _fails_later(
        self, operation: str, urn: str, identity: str, state: Values, inputs: Values, context: Any
    ) -> None:
        """What is there and has failed goes into the state with its error."""
        fault = self.faults.after(operation, urn)
        if fault is None:
            return
        message = f"{fault.code}: {fault.message}"
        details = provider_pb2.ErrorResourceInitFailed(
            id=identity, properties=struct(state), inputs=struct(inputs), reasons=[message]
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
        status.details.add().Pack(details)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, message)


def _within(paths: Iterable[str], key: str) -> list[str]:
    """Those of `paths` that begin with `key`."""
    return [one for one in paths if one.partition(".")[0] == key]


def _differs(path: str, old: Any, new: Any) -> bool:
    """Whether the values at a dotted path differ."""
    for part in path.split("."):
        old, new = ((one if isinstance(one, dict) else {}).get(part) for one in (old, new))
    return _comparable(old) != _comparable(new)


def _type(urn: str) -> str:
    """Type of the resource itself, without its parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def _merged(state: Values, more: Mapping[str, Any]) -> Values:
    """The state with `more`; what AWS added below an input stays."""
    both = {
        key: {**state[key], **one}
        for key, one in more.items()
        if isinstance(one, dict) and isinstance(state.get(key), dict) and key != "tags" and key != "labels"
    }
    return {**state, **more, **both}


def _named(kind: Any, urn: str, old: Values, new: Values, seed: bytes) -> Values:
    """Inputs with the name that a bridged provider makes where none is set, which stays as it is."""
    if kind.named is None or new.get(kind.named) is not None:
        return {**new, OWN: []}
    name = old.get(kind.named) if kind.named in old.get(OWN, []) else None
    if name is None:
        digits = hashlib.sha256(seed + urn.encode()).hexdigest()[:7]
        name = f"{urn.rpartition('::')[2]}-{digits}"
    return {**new, kind.named: name, OWN: [kind.named]}


def _comparable(value: Any) -> Any:
    """A value in which the order of a list does not count, nor the spelling of a policy."""
    if isinstance(value, dict):
        return {key: _comparable(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((_comparable(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _comparable(json.loads(value))
        except ValueError:
            return value
    return value


def _plain(struct: struct_pb2.Struct) -> Values:
    return {key: _whole(value) for key, value in _dict(struct).items() if value is not None}


def _dict(struct: struct_pb2.Struct) -> Values:
    return {key: _python(value) for key, value in struct.fields.items()}


def _python(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        inner = _dict(value.struct_value)
        assert rpc._special_sig_key not in inner, "no secret, asset or output value reaches this provider"
        return inner
    if kind == "list_value":
        return [_python(one) for one in value.list_value.values]
    return None if kind == "null_value" else getattr(value, str(kind))


def _whole(value: Any) -> Any:
    """Numbers as boto3 takes them: those without a fraction are whole."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in values.items() if value is not None})
    return struct


@contextmanager
def serving(servicer: Provider) -> Iterator[int]:
    """The port at which the engine finds it."""
    server = grpc.server(futures.ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()
