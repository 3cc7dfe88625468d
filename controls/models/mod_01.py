"""Every model comes from an allowed source."""

from corral.controls.cel import OPTIONS, text
from corral.controls.control import Control, ObjectRule
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.downloads import fetched
from corral.controls.models.mounts import addresses, endpoint_outside
from corral.controls.models.serving import SERVES
from corral.controls.models.source_cases import CASES
from corral.controls.models.sources import served_from
from corral.controls.profiles import Profile


def _parameters(profile: Profile) -> dict[str, str]:
    return {
        "sources": text(served_from(profile)),
        "addressed": "variables.text.contains('://')",
        "options": f"variables.addressed ? {OPTIONS} : []",
        "mounted": f"variables.volumes.exists(v, has(v.csi)) && {SERVES}"
        if profile.regions is not None
        else "false",
        "copied": fetched(profile),
        "registries": text([f"{profile.registry.rstrip('/')}/"] if profile.registry else []),
        "pulled": f"variables.text.matches({text(hubs.PULLS)})" if profile.regions is not None else "false",
    }


def _outside(address: str) -> str:
    """CEL: whether `address` is one of a place that is neither in the cluster nor an allowed source."""
    return (
        f"{address}.matches({text(hubs.URL)}) && !{address}.matches({text(hubs.INSIDE)}) && "
        f"!variables.sources.exists(a, {address}.startsWith(a))"
    )


_REFERENCE = (
    r"^(docker://)?[a-z0-9.-]+[.][a-z]+(:[0-9]+)?/[a-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[a-f0-9]+)?$"
)
"""A reference of an artifact, with its registry."""
_UPWARDS = r"(^|/)[.][.](/|$)"
"""A step out of the bucket that a path begins with."""


def _elsewhere(address: str) -> str:
    """CEL: whether `address` is one outside the cluster."""
    return f"({address}.matches({text(hubs.URL)}) && !{address}.matches({text(hubs.INSIDE)}))"


_FETCHED = (
    f"variables.texts.exists(l, l.contains('://') && (l.matches({text(hubs.FETCHES)}) || "
    f"l.matches({text(hubs.READS)}) && l.matches({text(hubs.KEPT)})) && "
    f"{hubs.words('l')}.exists(w, w.contains('://') && {_outside('w')}))"
)
"""CEL: whether a command fetches what it keeps as a model, or from a store, from outside."""
_PULLED = (
    "variables.pulled && (size(variables.registries) == 0 || "
    f"{hubs.words('variables.text')}.exists(w, w.matches({text(_REFERENCE)}) && "
    "!variables.registries.exists(r, w.replace('docker://', '').startsWith(r))))"
)
"""CEL: whether a command pulls an artifact from another registry."""
_MOUNTED = (
    "variables.mounted && variables.volumes.exists(v, has(v.csi) && ("
    f"{addresses('v.csi')}.exists(u, !variables.sources.exists(s, u.startsWith(s))) || "
    f"{endpoint_outside('v.csi')}))"
)
"""CEL: whether what serves a model mounts a bucket of anybody's."""
_LOADED = (
    "variables.names.contains('RUNTIME_LORA') && variables.env.exists(l, l.exists(e, "
    "e.name == 'VLLM_ALLOW_RUNTIME_LORA_UPDATING' && "
    "!(has(e.value) && e.value.lowerAscii() in ['', '0', 'false', 'no', 'off'])))"
)
"""CEL: whether whoever sends a request names the adapter that is loaded for it."""
_EXPRESSION = " && ".join(
    (
        f"!({_LOADED})",
        f"!(variables.addressed && {_FETCHED})",
        f"!({_PULLED})",
        f"!({_MOUNTED})",
        "!variables.copied",
        "variables.uris.all(u, variables.sources.exists(s, u.startsWith(s)) && "
        f"!u.matches({text(_UPWARDS)}))",
        "variables.containers.all(c, !has(c.storage) || !has(c.storage.parameters) || "
        "!has(c.storage.parameters.endpoint_url) || "
        f"!{_elsewhere('c.storage.parameters.endpoint_url')})",
        "variables.env.all(l, l.all(e, !e.name.endsWith('STORAGE_URI') || !has(e.value) || "
        "variables.sources.exists(s, e.value.startsWith(s))))",
        "(!variables.addressed || (variables.env.all(l, l.all(e, "
        "!(has(e.value) && e.value.contains('://') && "
        f"e.name.matches({text(hubs.VARIABLE)}) && !e.name.startsWith('GIT') && {_outside('e.value')}))) && "
        f"variables.options.all(o, o.all(s, !(s.contains('://') && s.matches({text(hubs.OPTION)}) && "
        f"{hubs.words('s')}.exists(w, {_outside('w')})))) && "
        f"{hubs.words('variables.text')}.all(w, !(w.contains('://') && w.matches({text(hubs.WEIGHTS)}) && "
        f"{_outside('w')}))))",
    )
)


CONTROL = Control(
    id="SOV-MOD-01",
    title="Every model comes from an allowed source",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Import the model into the platform's own store and serve it from there (`s3://…`).",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        of_clouds=True,
        parameters=_parameters,
        expression=_EXPRESSION,
        message="a model address lies outside the allowed sources",
    ),
    cases=CASES,
)
