"""Plain Pulumi: a newcomer with a clean HOME, a fresh clone, a normal Pulumi, and none of our wrappers."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.stacks.stack_files import pool, stack

from corral.embedded import toolchain
from corral.embedded.home import Home

CHECKOUT = Path(__file__).resolve().parents[2]
PASSPHRASE = "a newcomer's own"
DECOYS = {
    ".kube/config": """\
apiVersion: v1
kind: Config
current-context: decoy
clusters: [{name: decoy, cluster: {server: "https://127.0.0.1:9"}}]
contexts: [{name: decoy, context: {cluster: decoy, user: decoy}}]
users: [{name: decoy, user: {token: decoy}}]
""",
    ".aws/credentials": "[default]\naws_access_key_id = DECOY\naws_secret_access_key = DECOY\n",
    ".aws/config": "[default]\nregion = decoy-1\n",
    ".pulumi/credentials.json": '{"current": "https://api.decoy.example", "accounts": {}}\n',
    ".config/gcloud/application_default_credentials.json": '{"type": "decoy"}\n',
}
SECRETS = {
    "corral:storage-encryption-key": "3c" * 32,
    "corral:storage-access-key": "door-access-key",
    "corral:storage-secret-key": "door-secret-key",
    "corral:vector-db-password": "door-vector-db-password",
    "corral:grafana-password": "door-grafana-password",
}
SMALLEST_STACK = stack(
    cluster={"kind": "embedded", "plane": "dev"},
    tenants=[{"name": "assistants"}],
    gpu_pools=[pool(gpus_per_node=4)],
    model_storage={"size": "5Gi"},
    # What the policies of the real dev stack need longest; the engine tier of `corral up` has it.
    addons={"kyverno": "off"},
)
"""The smallest stack with a model that answers, on the plane of stack `dev`: `corral:platform`."""
ITS_SECRETS = ("corral:storage-encryption-key", "corral:storage-access-key", "corral:storage-secret-key")
SECONDS = 420
"""Longest that one command of the newcomer may take."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody who has cloned the checkout and installed it, and who knows Pulumi."""

    home: Path
    checkout: Path
    state: Path
    environment: dict[str, str]
    enter: tuple[str, ...] = ()
    """A command that runs the command given to it, as somebody else or somewhere else."""

    def run(self, *command, stdin="", seconds=SECONDS, **more):
        """Run a command in the checkout; its standard output and error come together in `stdout`."""
        program = shutil.which(command[0], path=self.environment["PATH"])
        assert program, command[0]
        return subprocess.run(
            [*self.enter, program, *map(str, command[1:])],
            cwd=self.checkout,
            env={**self.environment, **more},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )

    def done(self, *command, **more):
        """Run a command that must succeed; its output."""
        finished = self.run(*command, **more)
        assert finished.returncode == 0, f"{command}: {finished.returncode}\n{finished.stdout}"
        return finished.stdout

    def write_stack(self, name, platform, **config):
        """A stack file of the newcomer's own: `platform` is the object `corral:platform`."""
        content = {"config": {"corral:platform": platform, **config}}
        (self.checkout / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def log_in(self):
        """To a state of the newcomer's own, a folder."""
        self.done("pulumi", "login", self.state.as_uri())

    def stack(self, name, secrets=SECRETS):
        """`pulumi stack init`, and one `pulumi config set --secret` for each of `secrets`."""
        self.done("pulumi", "stack", "init", name)
        for key, value in secrets.items():
            self.done("pulumi", "config", "set", "--secret", key, "--stack", name, stdin=value)


def newcomer_in(folder):
    """A newcomer whose HOME, checkout, environment of Python and Pulumi state lie below `folder`."""
    home, checkout, state = folder / "home", folder / "corral", folder / "state"
    for name, text in DECOYS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    state.mkdir()
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(checkout)], check=True, timeout=120)
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=120)
    # The packages of requirements.lock, without their download; a folder named in a .pth file brings no
    # editable install along, so that `corral` is the clone's.
    site = venv / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    packages = [one for one in sys.path if Path(one).name == "site-packages"]
    (site / "packages.pth").write_text("\n".join([*packages, ""]))
    path = [str(venv / "bin"), toolchain.programs_path(), "/usr/local/bin", "/usr/bin", "/bin"]
    newcomer = Newcomer(
        home,
        checkout,
        state,
        {
            "HOME": str(home),
            # By itself Pulumi asks the system's user list for the home of its login, and not HOME.
            "PULUMI_HOME": str(home / ".pulumi"),
            "PATH": os.pathsep.join(path),
            "LANG": "C.UTF-8",
            "USER": "newcomer",
            "CORRAL_TOOLCHAIN": str(Home.find().toolchain),
            "CORRAL_RANGES": os.environ["CORRAL_RANGES"],
            "GOGC": os.environ["GOGC"],
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # What a normal Pulumi would download is what the toolchain has on PATH.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
    )
    install = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed")
    newcomer.done("python", "-m", "pip", "install", "--disable-pip-version-check", *install, "-e", ".")
    return newcomer


def decoys_of(newcomer):
    """What the decoys hold now, and what lies beside them."""
    folders = sorted({Path(name).parts[0] for name in DECOYS if not name.startswith(".pulumi/")})
    files = [path for folder in folders for path in (newcomer.home / folder).rglob("*") if path.is_file()]
    return {
        str(path.relative_to(newcomer.home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
