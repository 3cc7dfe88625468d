"""What acts for a model has no identity of the cluster's."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity

_LABELS = tuple(
    f"{one}.?metadata.?labels.orValue({{}})"
    for one in (
        "object",
        "object.?spec.?template",
        "object.?spec.?jobTemplate",
        "object.?spec.?jobTemplate.?spec.?template",
    )
)
_ROLES = {
    "app.kubernetes.io/component": ("ai-agent", "llm-agent", "mcp-server", "code-interpreter"),
    "corral.dev/role": ("agent", "tool"),
}
"""Labels by which a pod says that it acts for a model; an `agent` may also be one that collects logs."""
_ACTS = " || ".join(
    f"{labels}.exists(k, k == {text(key)} && {labels}[k] in {text(list(roles))})"
    for labels in _LABELS
    for key, roles in _ROLES.items()
)
_PARTS = (
    *("mcp", "langgraph", "crewai", "autogen", "openhands", "interpreter", "browser-use", "swe-agent"),
    "modelcontextprotocol",
    "supergateway",
)
"""Parts of which an image or a command of such a pod has one."""
_IMAGE = (
    r"(?i)(^|[/_.-])(mcp|langgraph|crewai|autogen|openhands|open-interpreter|code-interpreter|browser-use"
    r"|swe-agent)([:@/_.-]|$)"
)
_BESIDE = r"(?i)(operator|controller|gateway|proxy|registry|exporter)"
_COMMAND = (
    r"(?i)(^|[\s/;&|(\"'@])(mcp[-_]server|mcp-remote|mcpo|fastmcp|supergateway|modelcontextprotocol/"
    r"|langgraph\s+(up|dev|api)|crewai\s+run|openhands|mcp\s+(run|dev))([\s\"';)&|_/a-z-]|$)"
)
"""An image, or a command, of an agent or of a tool that models call, whatever its labels say."""
_ACTS_BY_PROGRAM = (
    f"variables.images.exists(i, {text(list(_PARTS))}.exists(p, i.lowerAscii().contains(p)) && "
    f"i.matches({text(_IMAGE)}) && !i.substring(i.lastIndexOf('/') + 1).matches({text(_BESIDE)})) || "
    f"variables.lines.exists(l, {text(list(_PARTS))}.exists(p, l.lowerAscii().contains(p)) && "
    f"l.matches({text(_COMMAND)}))"
)
_PODS = "[variables.pod, variables.pod1, variables.pod2, variables.pod3].filter(p, size(p) > 0)"
_TOKENS = (
    "variables.volumes.all(v, !has(v.projected) || "
    "v.projected.?sources.orValue([]).all(s, !has(s.serviceAccountToken)))"
)


def _agent(**spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"app.kubernetes.io/component": "ai-agent"}},
        "spec": {"containers": [{"name": "a", "image": "r.example.eu/agent:1"}], **spec},
    }


def _program(image: str, *command: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "a", "image": image, "command": list(command)}
    return {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container], **spec}}


_NONE = {"automountServiceAccountToken": False}
_TOKEN = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}

CONTROL = Control(
    id="SOV-MOD-12",
    title="Agents and tools of models have no token of the cluster",
    severity=Severity.HIGH,
    sources=("OWASP LLM06",),
    remedy="Set automountServiceAccountToken to false; give an agent an API of its own, behind the gateway.",
    rule=ObjectRule(
        kinds=POD_KINDS,
        parameters=lambda profile: {"acts": f"{_ACTS} || {_ACTS_BY_PROGRAM}"},
        expression=(
            f"!variables.acts || ({_PODS}.all(p, has(p.automountServiceAccountToken) && "
            "p.automountServiceAccountToken == false && "
            f"!(has(p.hostNetwork) && p.hostNetwork == true)) && {_TOKENS})"
        ),
        message="an agent or tool can act on the cluster",
        reads=("metadata.labels",),
        demanded=(
            "metadata.labels",
            "spec.automountServiceAccountToken",
            "spec.template.metadata.labels",
            "spec.template.spec.automountServiceAccountToken",
        ),
    ),
    cases=(
        *(
            Case(f"without a label: {image} {' '.join(command)}", verdict, _program(image, *command))
            for verdict, image, command in (
                (Verdict.BAD, "registry.example.eu/mcp/github:1", ()),
                (Verdict.BAD, "r.example.eu/kubernetes-mcp-server:1", ()),
                (Verdict.BAD, "r.example.eu/langchain/langgraph-api:3.11", ()),
                (
                    Verdict.BAD,
                    "r.example.eu/node:22",
                    ("npx", "-y", "@modelcontextprotocol/server-filesystem"),
                ),
                (Verdict.BAD, "r.example.eu/python:3", ("sh", "-c", "uvx mcp-server-fetch")),
                (Verdict.BAD, "r.example.eu/python:3", ("crewai", "run")),
                (Verdict.GOOD, "r.example.eu/mcp-operator:1", ()),
                (Verdict.GOOD, "r.example.eu/grafana/agent:1", ()),
                (Verdict.GOOD, "r.example.eu/kserve/agent:1", ()),
                (Verdict.GOOD, "r.example.eu/python-interpreter:3", ("python", "-m", "http.server")),
                (Verdict.GOOD, "r.example.eu/mcpherson/web:1", ()),
            )
        ),
        Case(
            "a tool without a label or a token", Verdict.GOOD, _program("r.example.eu/mcp/github:1", **_NONE)
        ),
        Case("an agent without", Verdict.GOOD, _agent(**_NONE)),
        Case("an agent, nothing said", Verdict.BAD, _agent()),
        Case("an agent with one", Verdict.BAD, _agent(automountServiceAccountToken=True)),
        Case("an agent with one as a volume", Verdict.BAD, _agent(**_NONE, volumes=[_TOKEN])),
        Case(
            "an agent with another volume",
            Verdict.GOOD,
            _agent(
                **_NONE, volumes=[{"name": "t", "projected": {"sources": [{"configMap": {"name": "c"}}]}}]
            ),
        ),
        Case("an agent on the node's network", Verdict.BAD, _agent(**_NONE, hostNetwork=True)),
        Case(
            "a tool by the other label",
            Verdict.BAD,
            {**_agent(), "metadata": {"name": "a", "labels": {"corral.dev/role": "tool"}}},
        ),
        Case(
            "an agent that collects logs",
            Verdict.GOOD,
            {**_agent(), "metadata": {"name": "a", "labels": {"app.kubernetes.io/component": "agent"}}},
        ),
        Case(
            "no agent",
            Verdict.GOOD,
            {**_agent(), "metadata": {"name": "a", "labels": {"app.kubernetes.io/component": "database"}}},
        ),
        Case(
            "an agent's template",
            Verdict.BAD,
            {
                "kind": "Deployment",
                "spec": {
                    "template": {
                        "metadata": {"labels": {"app.kubernetes.io/component": "mcp-server"}},
                        "spec": {"containers": [{"name": "a", "image": "r.example.eu/mcp:1"}]},
                    }
                },
            },
        ),
        Case(
            "an agent that runs at times",
            Verdict.BAD,
            {
                "kind": "CronJob",
                "spec": {
                    "jobTemplate": {
                        "spec": {
                            "template": {
                                "metadata": {"labels": {"corral.dev/role": "agent"}},
                                "spec": {"containers": [{"name": "a", "image": "r.example.eu/a:1"}]},
                            }
                        }
                    }
                },
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, _agent(automountServiceAccountToken=UNKNOWN)),
        Case(
            "labels that are not known yet",
            Verdict.UNDECIDED,
            {**_agent(), "metadata": {"name": "a", "labels": UNKNOWN}},
        ),
    ),
)
