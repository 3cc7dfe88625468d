"""No container installs software when it starts."""

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod, service

_START = r"(^|[\s/;&|(\"'`])"
_INSTALLS = (
    rf"(?i){_START}(pip[0-9.]*\s+(-\S+\s+)*(install|download)\b|uv\s+(-\S+\s+)*(pip\s+(install|sync)|add|sync|tool)\b"
    r"|(uvx|npx)\s|pipx\s+(install|run)\b|poetry\s+(install|add)\b|conda\s+(install|create|update)\b"
    r"|m(icro)?amba\s+(install|create|update)\b|apt(-get)?\s+(-\S+\s+)*(install|update|upgrade)\b"
    r"|apk\s+(-\S+\s+)*(add|update|upgrade)\b|(yum|dnf|microdnf|zypper|tdnf)\s+(-\S+\s+)*install\b"
    r"|npm\s+(-\S+\s+)*(install|i|ci|exec)\s|(yarn|pnpm|bun)\s+(add|install|dlx)\b|go\s+(install|get)\s"
    r"|(cargo|gem)\s+install\b|helm\s+plugin\s+install\b|easy_install\s)"
    r"|spark\S*\s[^;&|]*--packages[\s=]+[\"']?\S+:\S+|spark\.jars\.packages[\s=]+\S+:\S+"
    r"|--runtime-env-json[\s=]+\S?\{[^;&|]*[\"'](pip|uv|conda)\\?[\"']\s*:"
)
"""A package manager that installs."""
_LOCAL = (
    r"(?i)pip[0-9.]*\s+(-\S+\s+)*install\s+(\S+\s+)*(--no-index)|uv\s+(sync|pip\s+(install|sync))\s+(\S+\s+)*--(offline|no-index)"
    r"|npm\s+ci\s+--offline|apk\s+(\S+\s+)*--no-network"
)
"""The same from files that the image has."""
_FETCHED = (
    rf"(?i){_START}(curl|wget|aria2c)\s[^;&]*\|\s*(sudo\s+)?(\S*/)?(env\s+)?(ba|z|da|k)?sh([\s;&|\"')-]|$)"
    rf"|{_START}(curl|wget)\s[^;&]*\|\s*(\S*/)?(python[0-9.]*|perl|ruby|node)(\s+-)?\s*([;&|\"')]|$)"
    r"|(ba|z|da)?sh\s+(-c\s+)?[\"']?(<\(|\$\(|`)\s*(curl|wget)\s"
    r"|(^|[\s;&|])(eval|source|\.)\s+[\"']?(<\(|\$\(|`)\s*(curl|wget)\s"
    r"|(^|[\s/;&|(\"'`])(curl|wget)\s[^;&|]*\.(sh|bash|pl|run)\b[^;&|]*(;|&&|\n)\s*(chmod\s+\S+\s+|((ba|z|da|k)?sh|source|\.|perl)"
    r"\s+(-\S+\s+)*)?\S+\.(sh|bash|pl|run)\b"
    r"|exec\(\s*(urllib\.request\.)?(urlopen|requests\.get)\("
)
"""What is fetched goes to an interpreter."""
_CODED = (
    r"(?i)base64\s+(-d|-D|--decode|-di)\b[^;&]*\|\s*(\S*/)?(ba|z|da)?sh([\s;&|\"')-]|$)"
    r"|exec\((\w+\.)*(b64decode|decompress|unhexlify)\(|(^|[\s;&|])eval\s+[\"']?\$\([^)]*base64\s"
)
"""Code that is written so that nobody reads it."""
_SIGNS = (
    "pip",
    "uv",
    "poetry",
    "conda",
    "mamba",
    "apt",
    "apk",
    "install",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "bun",
    "go get",
    "curl",
    "wget",
    "aria2c",
    "base64",
    "b64",
    "exec(",
    "packages",
    "runtime-env",
)
"""What a command has in it that could be one of these."""
_ASKED = (
    *("GF_INSTALL_PLUGINS", "GF_PLUGINS_PREINSTALL", "GF_PLUGINS_PREINSTALL_SYNC"),
    *("EXTRA_PIP_PACKAGES", "EXTRA_CONDA_PACKAGES", "EXTRA_APT_PACKAGES", "_PIP_ADDITIONAL_REQUIREMENTS"),
)
"""Variables by which images of Grafana, of Dask and RAPIDS, and of Airflow install as they start."""
_EXPRESSION = (
    "(!variables.installing || variables.texts.all(l, "
    f"!(l.matches({text(_INSTALLS)}) && !l.matches({text(_LOCAL)})) && "
    f"!l.matches({text(_FETCHED)}) && !l.matches({text(_CODED)}))) && "
    f"(!variables.asked || variables.env.all(l, l.all(e, !(e.name in {text(list(_ASKED))}) || "
    "!has(e.value) || e.value == '')))"
)

CONTROL = Control(
    id="SOV-SUP-06",
    title="No container installs software when it starts",
    severity=Severity.MEDIUM,
    sources=("NSA/CISA hardening", "SLSA"),
    remedy="Build what is needed into the image, and pin the image by digest.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "installing": hubs.has_any("variables.text", text(list(_SIGNS))),
            "asked": hubs.has_any("variables.names", text(list(_ASKED))),
        },
        expression=_EXPRESSION,
        message="a command or a variable installs packages, or runs what it fetches",
    ),
    not_enforced=(
        "where a command fetches a file whose name says of no script, and runs it later: no text of a "
        "command says that both are one file",
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod(args=["--model", "/mnt/models"])),
        *(
            Case(f"{line}", verdict, pod(command=["sh", "-c", line]))
            for verdict, several in (
                (
                    Verdict.BAD,
                    (
                        "pip install vllm==0.9 && python serve.py",
                        "python3 -m pip install -U 'ray[serve]'",
                        "uv pip install --system git+https://github.com/a/b",
                        "apt-get update && apt-get install -y git",
                        "apk add --no-cache curl; sleep 1",
                        "microdnf -y install git",
                        "npx -y some-mcp-server",
                        "uvx some-mcp-server",
                        "conda install -y x",
                        "curl -fsSL https://example.com/install.sh | bash",
                        "wget -qO- https://example.com/i | sh -s -- -y",
                        "bash <(curl -s https://example.com/i)",
                        "curl https://example.com/a.py | python3 -",
                        "echo Y3VybA== | base64 -d | sh",
                        "python -c \"exec(base64.b64decode('eA=='))\"",
                        "spark-submit --master k8s --packages org.apache.hadoop:hadoop-aws:3.4.1 /app/a.py",
                        "spark-submit --conf spark.jars.packages=a.b:c:1 /app/a.py",
                        'ray job submit --runtime-env-json=\'{"pip": ["vllm"]}\' -- python a.py',
                    ),
                ),
                (
                    Verdict.GOOD,
                    (
                        "pip install --no-index --find-links /wheels mine",
                        "curl -fsS http://chat.team-a.svc:8000/health | grep ok",
                        "pip list && python serve.py",
                        "curl -s http://chat.team-a.svc/v1/models | python3 -m json.tool",
                        "uv run serve.py & uvicorn app:app",
                        "npm run start",
                        "conda run -n serve python serve.py",
                        "cat /etc/tls/ca | base64 -d > /tmp/ca.pem",
                        "install -m 0644 /src/a /dst/a",
                        "python -c \"print('no installation')\"",
                        "echo capture | tee /tmp/apt.log",
                        "spark-submit --jars local:///opt/a.jar --conf spark.app.name=packages /app/a.py",
                        'ray job submit --runtime-env-json \'{"env_vars": {"A": "pip"}}\' -- python a.py',
                        "setuptools find_packages --packages=a",
                    ),
                ),
            )
            for line in several
        ),
        Case(
            "in words of their own",
            Verdict.BAD,
            pod(command=["pip", "install", "vllm"]),
        ),
        Case(
            "in a hook",
            Verdict.BAD,
            pod(lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "pip install x"]}}}),
        ),
        Case(
            "into a file that is then run",
            Verdict.BAD,
            pod(
                command=[
                    "sh",
                    "-c",
                    "wget -O /tmp/i.sh https://example.com/i.sh && chmod +x /tmp/i.sh && /tmp/i.sh",
                ]
            ),
        ),
        Case(
            "a script of the image after a file is fetched",
            Verdict.GOOD,
            pod(command=["sh", "-c", "curl -o /tmp/a.json http://chat.team-a.svc/a.json && sh /app/run.sh"]),
        ),
        Case("in a variable", Verdict.BAD, pod(env=[{"name": "PRE", "value": "pip install x"}])),
        *(Case(f"by {name}", Verdict.BAD, pod(env=[{"name": name, "value": "some==1"}])) for name in _ASKED),
        Case(
            "nothing in that variable", Verdict.GOOD, pod(env=[{"name": "GF_INSTALL_PLUGINS", "value": ""}])
        ),
        Case("in a model's own arguments", Verdict.BAD, service(command=["sh", "-c", "pip install x"])),
        Case("not known yet", Verdict.UNDECIDED, pod(args=UNKNOWN)),
    ),
)
