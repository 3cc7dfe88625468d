"""Kueue: the controller that admits workloads by quota."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import Flag, Flags, arguments, keeps, switch, written

MANAGER = "kueue/kueue"
CONFIGURATION = "kueue.yaml"
LISTENING = (
    ("health", "healthProbeBindAddress", ":8081"),
    ("metrics", "bindAddress", ":8443"),
)
"""Section, key and upstream's default of each `[address]:port` in the configuration."""


def _configuration(context: Context, stated: str) -> list[str]:
    file = context.scratch / CONFIGURATION
    file.write_text(yaml.safe_dump(local(_read(context, stated), context.bind), sort_keys=False))
    return written("config", str(file))


MANAGER_FLAGS = Flags(
    documented(MANAGER),
    (
        Flag(("config",), _configuration),
        *keeps("feature-gates", "zap-log-level", "zap-encoder", "zap-stacktrace-level", "zap-time-encoding"),
        switch("zap-devel"),
    ),
)


def manager(context: Context) -> Launch:
    """The manager; where it listens stands in its configuration, of which it gets a copy."""
    context.require_mounts(MANAGER, "keeps a certificate in /visibility")
    flags = MANAGER_FLAGS.translate(context, arguments(context, MANAGER, "manager"))
    kueue = installed.program("kueue")
    return Launch([str(kueue), *flags], {}, (kueue.parent,))


def _read(context: Context, stated: str) -> Mapping[str, Any]:
    """The configuration that the container is given, from where its volume lies on this machine."""
    mounted = context.mounts.get(stated)
    if mounted is None:
        raise Refused(f"flag --config of image {MANAGER} names {stated}, which no volume of the pod brings")
    content: object = yaml.safe_load(Path(mounted).read_text())
    if not isinstance(content, dict):
        raise Refused(f"{stated} of image {MANAGER} is not a configuration")
    return cast("Mapping[str, Any]", content)


def local(configuration: Mapping[str, Any], bind: str) -> dict[str, Any]:
    """`configuration` with every server on the pod's own address, each on the port it has.

    >>> local({"health": {"healthProbeBindAddress": ":8081"}}, "127.0.0.2")["health"]
    {'healthProbeBindAddress': '127.0.0.2:8081'}
    """
    result = dict(configuration)
    for section, key, default in LISTENING:
        inside = dict(result.get(section) or {})
        _address, _colon, port = str(inside.get(key) or default).rpartition(":")
        result[section] = {**inside, key: f"{bind}:{port}"}
    if result.get("pprofBindAddress"):
        result["pprofBindAddress"] = f"{bind}:{str(result['pprofBindAddress']).rpartition(':')[2]}"
    result["webhook"] = {**(result.get("webhook") or {}), "host": bind}
    result["visibilityServer"] = {**(result.get("visibilityServer") or {}), "bindAddress": bind}
    return result


PROGRAMS = (ProgramSpec("kueue", MANAGER, manager, documented(MANAGER).source),)
