"""What the engine hands over becomes what Pulumi's own SDK for packs makes of it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import deserialize, proxy

from corral.controls.control import UNKNOWN
from corral.policy.adapt import unpacked

_MARKS = [
    getattr(proxy, name) for name in dir(proxy) if name.startswith("UNKNOWN_") and name.endswith("_VALUE")
]
_LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text(max_size=9)
)
_TREES = st.recursive(
    _LEAVES | st.sampled_from(_MARKS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | inner.map(lambda one: {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": one})
    ),
    max_leaves=9,
)


def _struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(dict(props))
    return made


def _read(holder: Any, key: Any) -> Any:
    """What a policy reads from what the SDK hands it, unknown where that raises."""
    try:
        value = holder[key]
    except proxy.UnknownValueError:
        return UNKNOWN
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {inner: _read(fields, inner) for inner in fields}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_read(value, index) for index in range(len(cast(Sequence[Any], value)))]
    return value


@given(props=st.dictionaries(st.text(max_size=5), _TREES, max_size=4))
def test_inputs_are_unpacked_as_the_sdk_unpacks_them(props: dict[str, Any]) -> None:
    struct = _struct(props)
    theirs: Any = deserialize.deserialize_properties(json_format.MessageToDict(struct))
    proxied = proxy.unknown_checking_proxy(theirs)
    assert unpacked(struct) == {key: _read(proxied, key) for key in proxied}


def test_a_whole_number_is_an_integer_and_a_secret_what_it_holds() -> None:
    secret = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": {"replicas": 2}}
    found = unpacked(_struct({"port": 80, "share": 0.5, "hidden": secret}))
    assert found == {"port": 80, "share": 0.5, "hidden": {"replicas": 2}}
    assert [type(one) for one in (found["port"], found["share"])] == [int, float]


def test_a_file_is_an_asset_and_an_unknown_signature_is_refused() -> None:
    asset = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_ASSET_SIG, "path": "values.yaml"}
    found = unpacked(_struct({"valueYamlFiles": [asset]}))["valueYamlFiles"][0]
    assert isinstance(found, pulumi.FileAsset) and found.path == "values.yaml"
    with pytest.raises(AssertionError, match="Unrecognized signature"):
        unpacked(_struct({"a": {deserialize.SPECIAL_SIG_KEY: "other"}}))
