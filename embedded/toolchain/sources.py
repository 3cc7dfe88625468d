"""Sources that the builds of some tools put together themselves."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.builder import Builder, ModulePin
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.recipes import HERE, Recipe
from corral.embedded.toolchain.records import read_record

PROVIDER = ModulePin(
    "github.com/pulumi/pulumi-kubernetes/provider/v4",
    "v4.0.0-20260115033456-f47bc2d6f199",
    "h1:j2bphCf7c2YhnBrhwht2f3TNRRgcMImltUlAgzxr9H4=",
)
PROVIDER_VERSION = "4.25.0"
PROVIDER_SDK = ModulePin(
    "github.com/pulumi/pulumi-kubernetes/sdk/v4",
    f"v{PROVIDER_VERSION}",
    "h1:N1qitmrGomEaCPsblqJHaw8Re0cqqox5V+kHsi4EEtk=",
)
SDK_PACKAGES = ("", "utilities", "helm/v4", "yaml/v2")
"""Packages of the generated SDK that the provider needs once its list of kinds is replaced."""
PULUMI_CLI = "pulumi-cli"
"""The command alone, as it is built or released."""
PULUMI_VERSION = "3.259.0"
PULUMI_SDK = ModulePin(
    "github.com/pulumi/pulumi/sdk/v3",
    f"v{PULUMI_VERSION}",
    "h1:mJP9tXF9oxcfwidBgteXkUUchIz2L59SbGS5byZBo1w=",
)
KSERVE = ModulePin("github.com/kserve/kserve", "v0.20.0", "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=")
GATEWAY_API = ModulePin(
    "sigs.k8s.io/gateway-api", "v1.6.1", "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY="
)
KSERVE_PORT = "Port: options.webhookPort,"
OWN_ADDRESS = 'os.Getenv("CORRAL_ADDRESS")'
LANGUAGE_HOST = HERE / "language_host.py"


def slim_provider(builder: Builder, source: Path) -> None:
    """Give the provider its schema, and an SDK without the generated types of every kind."""
    generated = builder.module(PROVIDER_SDK)
    sdk = source / "sdk"
    for package in SDK_PACKAGES:
        folder = sdk / "go" / "kubernetes" / package
        folder.mkdir(parents=True, exist_ok=True)
        for file in (generated / "go" / "kubernetes" / package).iterdir():
            if file.is_file():
                shutil.copyfile(file, folder / file.name)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(generated / name, sdk / name)
    (source / "kinds.go.txt").replace(sdk / "go" / "kubernetes" / "yaml" / "v2" / "kinds.go")
    embedded = builder.module(PROVIDER) / "cmd" / "pulumi-resource-kubernetes"
    schema = json.loads((embedded / "schema.json").read_bytes()) | {"version": PROVIDER_VERSION}
    (source / "schema.json").write_text(json.dumps(schema, separators=(",", ":")))
    shutil.copyfile(embedded / "terraform-mapping.json", source / "terraform-mapping.json")


def kserve_main(builder: Builder, command: str, *changes: tuple[str, str]) -> str:
    """The `main.go` of one of KServe's commands, with new text in the place of old.

    Raises:
        ToolchainError: an old text does not stand there just once.
    """
    main = (builder.module(KSERVE) / "cmd" / command / "main.go").read_text()
    for old, new in changes:
        if main.count(old) != 1:
            raise ToolchainError(
                f"{KSERVE.path}@{KSERVE.version}: cmd/{command}/main.go has no single {old!r}"
            )
        main = main.replace(old, new)
    return main


def kserve_local_models(builder: Builder, source: Path) -> None:
    """Take the mains of controller and agent of local models, with their servers on their pods' addresses."""
    for command in ("localmodel", "localmodelnode"):
        main = kserve_main(
            builder,
            command,
            (KSERVE_PORT, f"Host: {OWN_ADDRESS}, {KSERVE_PORT}"),
            *((port, f"{OWN_ADDRESS} + {port}") for port in ('":8080"', '":8081"')),
        )
        (source / command).mkdir()
        (source / command / "main.go").write_text(main)


def kserve_manager(builder: Builder, source: Path) -> None:
    """Take the manager's main and let a flag say which address its webhooks bind."""
    main = kserve_main(builder, "manager", (KSERVE_PORT, f"Host: *webhookHost, {KSERVE_PORT}"))
    (source / "main.go").write_text(main)


@dataclass(frozen=True)
class PulumiWithPython:
    """The pulumi command with our language host and the executor of its SDK beside it.

    Beside, because the command looks there first, and warns about a language host found elsewhere.
    """

    seconds: float = 4
    label: str = "Go modules"
    inputs: tuple[Path, ...] = (LANGUAGE_HOST,)

    def likely(self, builder: Builder) -> bool:
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        executor = "pulumi-language-python-exec"
        (folder / "bin").mkdir()
        shutil.copyfile(builder.module(PULUMI_SDK) / "python" / "cmd" / executor, folder / "bin" / executor)
        shutil.copyfile(LANGUAGE_HOST, folder / "bin" / "pulumi-language-python")

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        (needed,) = recipe.needs
        home = builder.root / f"{needed}-{recipe.version}"
        record = read_record(home)
        if record is None:
            raise ToolchainError(f"{needed} is not set up")
        command = home / record.files[PULUMI_CLI].path
        own = command.is_relative_to(builder.root)
        (os.link if own else shutil.copyfile)(command, folder / "bin" / "pulumi")
        for program in (folder / "bin").iterdir():
            program.chmod(0o755)
        return {program: Path("bin", program) for program in recipe.provides}
