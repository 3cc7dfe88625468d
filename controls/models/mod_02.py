"""No model is fetched from a public hub at run time."""

from corral.controls.cel import OPTIONS, SPACES, text
from corral.controls.control import Control, ObjectRule
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.hub_cases import CASES
from corral.controls.profiles import Profile

OFFLINE = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"]
"""Variables that keep libraries from the hub, and that admission adds to every container."""
_ON = ["1", "true", "TRUE", "True", "on", "ON", "yes", "YES"]
_OFF = ["", "0", "false", "FALSE", "False", "off", "no"]


_CONTINUED = f".replace({text(chr(92) + chr(10))}, ' ')"
_COMMANDS = _CONTINUED + "".join(f".replace({text(sign)}, ';')" for sign in ("&&", "||", "|", "\n"))
"""What parts the commands of a shell."""
_ENTRY = f"has(c.args) && !has(c.command) && has(c.image) && c.image.matches({text(hubs.ENGINE)})"
"""A container whose image serves what its arguments name."""


def _parameters(profile: Profile) -> dict[str, str]:
    return {
        "offline": text(OFFLINE),
        "hubName": text(hubs.NAME),
        "hubFile": text(hubs.FILE),
        "hubOption": text(hubs.OPTION),
        "hubServes": text(hubs.SERVES),
        "named": f"{hubs.has_any('variables.text', text(hubs.PARTS))} && "
        f"variables.text.matches({text(hubs.MAYBE)})",
        "options": f"variables.named ? {OPTIONS} : []",
        "serving": f"(variables.named ? variables.lines : []).filter(l, l.matches({text(hubs.SERVES)})) + "
        f"(variables.named ? variables.containers : []).filter(c, {_ENTRY}).map(c, 'serve ' + "
        f"c.args.map(w, string(w)).join(' ')) + {_GIVEN}",
        "served": f"variables.serving.map(l, [(l{_COMMANDS}).split(';')].map(several, size(several) == 1 ? "
        f"several : several.filter(c, c.matches({text(hubs.SERVES)})))[0]"
        f".map(c, (' ' + c{SPACES}).split(' -')))",
        "signed": hubs.has_any("variables.text.lowerAscii()", text(list(hubs.SIGNS))),
        "opened": hubs.has_any("variables.names", text(list(hubs.NAMES))),
    }


def _called(name: str) -> str:
    """CEL: whether a command line takes the value of variable `name`."""
    spellings = " || ".join(
        f"(l + ' ').contains({one})"
        for one in (
            f"'$(' + {name} + ')'",
            f"'${{' + {name} + '}}'",
            f"'$' + {name} + ' '",
            f"'$' + {name} + '\"'",
        )
    )
    return f"variables.lines.exists(l, {spellings})"


_GIVEN = (
    f"(variables.named && (variables.lines.exists(l, l.matches({text(hubs.SERVES)})) || "
    f"variables.containers.exists(c, {_ENTRY})) ? variables.env : []).map(l, l.filter(e, has(e.value) && "
    f"e.value != null && string(e.value).contains(' ') && {_called('e.name')})"
    ".map(e, 'serve ' + string(e.value)).join(';'))"
)
"""CEL: arguments of what is served that come from variables."""
_ARGUMENT = (
    f"s.matches({text(hubs.AFTER)}) || "
    f"(s.matches(variables.hubServes) || s.matches({text(hubs.SWITCH)})) && {hubs.named('s')}"
)
_VALUE = (
    f"has(e.value) && (e.value.matches(variables.hubName) && !e.value.matches(variables.hubFile) || "
    f"(e.value.contains(',') || e.value.contains(';')) && {hubs.named('e.value')}) && "
    f"!e.name.contains('SERVED') && (e.name.matches({text(hubs.VARIABLE)}) || {_called('e.name')})"
)
_SWITCHED = (
    f"e.name.matches({text(hubs.TOKEN)}) || e.name == 'HF_ENDPOINT' && !(has(e.value) && "
    f"e.value.matches({text(hubs.INSIDE)})) || "
    f"e.name.matches({text(hubs.MODELSCOPE)}) && !(has(e.value) && e.value in {text(_OFF)}) || "
    f"e.name in variables.offline && !(has(e.value) && e.value in {text(_ON)})"
)
_ASSIGNED = f"(l.contains('$') || l.contains('(')) && l.matches({text(hubs.ASSIGNED)}) && {hubs.named('l')}"
_WRITTEN = f"l.contains('>') && l.matches({text(hubs.WRITTEN)}) && {hubs.named(f'l{SPACES}')}"
_PUBLIC = " || ".join(f"variables.text.matches({text(pattern)})" for pattern in (hubs.HOST, hubs.TOOL))
_EXPRESSION = " && ".join(
    (
        f"!(variables.signed && ({_PUBLIC}))",
        f"(!variables.opened || variables.env.all(l, l.all(e, !({_SWITCHED}))))",
        f"(!variables.named || (!{hubs.without_base('variables.text')}.matches({text(hubs.IN_JSON)}) && "
        "variables.options.all(o, o.all(s, !(s.matches(variables.hubOption) && "
        f"{hubs.named(hubs.without_base('s'))}))) && "
        "variables.served.all(commands, commands.all(o, o.all(s, "
        f"s.matches({text(hubs.SERVED)}) || !({_ARGUMENT})))) && "
        f"variables.serving.all(l, !({_ASSIGNED}) && !({_WRITTEN})) && "
        f"variables.env.all(l, l.all(e, !({_VALUE})))))",
    )
)

CONTROL = Control(
    id="SOV-MOD-02",
    title="No model is fetched from a public hub at run time",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Serve a local path; drop hub tokens and hub addresses from the environment.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        of_clouds=True,
        parameters=_parameters,
        expression=_EXPRESSION,
        message="a model would be fetched from a public hub at run time",
    ),
    cases=CASES,
)
