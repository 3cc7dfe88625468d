"""`corral bundle`: what a stack needs at a site without a way to the internet, as a lock and for tools."""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import yaml

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.charts import ChartEntry, chart
from corral.catalogue.files import replace
from corral.catalogue.helm import CannotRender, Rendering, documents, not_a_type, template
from corral.catalogue.registry import Unresolved, body, client
from corral.catalogue.vocabulary import ClusterKind, Profile, Weights
from corral.cli.errors import FAILED, UsageError
from corral.cli.images import used_by
from corral.controls.network.hosts import public_hosts
from corral.embedded import toolchain
from corral.embedded.engine import project
from corral.embedded.engine.engine import EngineError
from corral.embedded.home import Home
from corral.embedded.plane.charts import WRAPPED
from corral.embedded.toolchain.downloads import expand, published_sha256
from corral.embedded.toolchain.errors import SourceUnavailable
from corral.embedded.toolchain.lookup import OWNERS
from corral.embedded.toolchain.releases import Release as PublishedRelease
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.planner import plan as plan_of
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.bundle import contents
from corral.stacks.reports.bundle.lock import Artifact, Bundle, ModelFiles, NamedHost, Unrendered
from corral.stacks.reports.bundle.mirrors import files
from corral.stacks.reports.bundle.packages import packages

GRAPH = "corral.stacks.deploy.graph"
PROVIDER = "pulumi:providers:"
CHECKSUM_BYTES = 1 << 20
EXECUTABLE = 0o755

Graph = Sequence[Mapping[str, Any]]


def bundle(arguments: argparse.Namespace) -> int:
    """Exits with 1 when something is unresolved, not rendered, or, air-gapped, in the internet."""
    root = project.find()
    file = project.stack_file(root, arguments.stack)
    made = bundle_of(file, charts=arguments.charts, offline=arguments.offline)
    folder = Path(arguments.out)
    write(folder, files(made))
    return report(made, folder)


def bundle_of(file: Path, *, charts: str | None = None, offline: bool = False) -> Bundle:
    """The bundle of the stack of `file`.

    `charts`: a folder of unpacked charts. `offline`: neither publishers nor registries are asked.

    Raises:
        StackErrors: something in the stack file is wrong.
        UsageError: there is no such folder.
        EngineError: the program fails.
    """
    if charts is not None and not Path(charts).is_dir():
        raise UsageError(f"--charts {charts}: no such folder")
    config = read(file)
    plan = plan_of(config, stack_of(file), read_lock(file), pinned=False)
    graph = graph_of(file)
    places = Charts(tuple(Path(one) for one in (charts, Home.find().charts) if one), offline)
    rendered, unrendered = _rendered(list(contents.releases(graph)), places)
    registered = list(contents.registered(graph))
    used = used_by(config)
    registry, tools = plan.supply.registry, plan.supply.tools_image
    manifests = [*registered, *rendered]
    return Bundle(
        stack=plan.stack,
        profile=plan.profile.value,
        mirror=registry,
        images=tuple(contents.image_artifacts(used, manifests, registry, tools)),
        charts=tuple(contents.chart_artifacts(used.charts, registry, contents.releases(graph))),
        models=tuple(_models(plan)),
        programs=tuple(_programs(graph, offline=offline)),
        packages=packages(_text(file.with_name("requirements.lock")), _roots(graph)),
        unrendered=tuple(unrendered),
        hosts=tuple(named_hosts(manifests, site_of(config))),
    )


def graph_of(file: Path, kind: ClusterKind | None = None) -> Graph:
    """What the program registers for the stack of `file`; a process of its own, as Pulumi runs it.

    `kind`: of a cluster in the place of that in the file.

    Raises:
        EngineError: the program fails.
    """
    command = [sys.executable, "-m", GRAPH, str(file), *([] if kind is None else [kind.value])]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EngineError(f"the program of stack {stack_of(file)} fails: {last[0]}")
    return json.loads(done.stdout)


def site_of(config: StackConfig) -> frozenset[str]:
    """Hosts that the stack file itself names: mirror, stores, receivers of alerts."""
    return frozenset(_hosts_of(config.model_dump(mode="json", by_alias=True)))


def _hosts_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            yield from [_host(f"//{one}")] if key == "registry" and isinstance(one, str) else _hosts_of(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _hosts_of(one)
    elif isinstance(value, str) and value.startswith(("https://", "http://", "oci://")):
        yield _host(value)


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""


def named_hosts(manifests: Sequence[contents.Manifest], site: frozenset[str]) -> Iterator[NamedHost]:
    """Hosts outside the cluster and the site that an object names.

    A name that ends in that of a Service, or of a Service and its namespace, is in the cluster.
    """
    services = {_named(one.content) for one in manifests if _is_service(one)}
    spaces = {_metadata(one.content).get("namespace") for one in manifests}
    site |= {name for name in services if name}
    site |= {f"{name}.{space}" for name in services for space in spaces if name and space}
    for one in manifests:
        for path, host in public_hosts(one.content, site):
            yield NamedHost(host, f"{one.origin}: {path}")


def _is_service(one: contents.Manifest) -> bool:
    return one.content.get("kind") == "Service" or one.origin.startswith("Service ")


def _named(content: Mapping[str, Any]) -> str | None:
    return _metadata(content).get("name")


def _metadata(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", content.get("metadata") or {})


@dataclass(frozen=True)
class Charts:
    """Where charts are looked for, in this order, before their repository."""

    folders: tuple[Path, ...]
    offline: bool

    def rendering(self, release: contents.Release) -> Rendering:
        """How Helm prints `release`.

        Raises:
            CannotRender: its chart is in no folder, and its repository may not be asked.
        """
        entry = chart(release.chart)
        values = json.dumps(release.values)
        plain = Rendering("", release.name, release.namespace, values, definitions=release.definitions)
        folder = self._folder(entry)
        if folder is not None:
            return replaced(plain, chart=str(folder))
        if self.offline:
            raise CannotRender(f"chart {entry.reference} is in no folder: run corral setup charts")
        if entry.source.startswith("oci://"):
            at = "" if entry.digest == UNRESOLVED else f"@{entry.digest}"
            address = f"{entry.source.rstrip('/')}/{entry.name}{at}"
            return replaced(plain, chart=address, version=entry.version)
        return replaced(plain, chart=entry.name, version=entry.version, repository=entry.source)

    def _folder(self, entry: ChartEntry) -> Path | None:
        candidates = [one / entry.name for one in self.folders]
        with contextlib.suppress(toolchain.ToolMissing):
            if entry.name not in WRAPPED and (carried := toolchain.chart(entry.name)) is not None:
                candidates.append(carried)
        return next((one for one in candidates if _version(one) == entry.version.removeprefix("v")), None)


def replaced(plain: Rendering, *, chart: str, version: str = "", repository: str = "") -> Rendering:
    """`plain` of another chart."""
    return Rendering(
        chart, plain.name, plain.namespace, plain.values, version, repository, (), plain.definitions
    )


def _version(folder: Path) -> str | None:
    """Version of the chart in `folder`; None: there is none."""
    file = folder / "Chart.yaml"
    if not file.is_file():
        return None
    return str(yaml.safe_load(file.read_text())["version"]).removeprefix("v")


def _rendered(
    releases: Sequence[contents.Release], places: Charts
) -> tuple[list[contents.Manifest], list[Unrendered]]:
    made: list[contents.Manifest] = []
    failed: list[Unrendered] = []
    helm = _helm()
    for release in releases:
        try:
            text = template(places.rendering(release), helm)
        except CannotRender as error:
            failed.append(Unrendered(str(release), str(error)))
            continue
        for one in documents(text, not_a_type):
            origin = f"{one.get('kind')} {_named(one)}, {release}"
            made.append(contents.Manifest(origin, one))
    return made, failed


def _helm() -> Path:
    """The user's Helm, else the toolchain's."""
    own = shutil.which("helm")
    return Path(own) if own else toolchain.tool("helm")


def _models(plan: Plan) -> Iterator[ModelFiles]:
    for model in plan.models:
        stated = tuple((one.name, one.sha256, one.size) for one in model.files)
        simulated = model.weights is Weights.SIMULATED
        yield ModelFiles(model.name, model.source or "", stated, simulated)
        if model.canary_of is None:
            for adapter in model.adapters:
                stated = tuple((one.name, one.sha256, one.size) for one in adapter.files)
                yield ModelFiles(adapter.name, adapter.source, stated, simulated)


def _programs(graph: Graph, *, offline: bool) -> Iterator[Artifact]:
    """Pulumi and the plugins of the providers in the graph, in the versions of their Python packages."""
    plugins = sorted(
        {one["type"].removeprefix(PROVIDER) for one in graph if one["type"].startswith(PROVIDER)}
    )
    yield _program("pulumi", "pulumi-cli", offline=offline)
    for name in plugins:
        yield _program(f"pulumi-resource-{name}", f"pulumi-{name}", offline=offline)


def _program(program: str, package: str, *, offline: bool) -> Artifact:
    """The release archive of `program`, with the SHA-256 that its publisher states."""
    owner = OWNERS.get(program if package != "pulumi-cli" else "pulumi-cli")
    wanted = _package_version("pulumi" if package == "pulumi-cli" else package)
    published = (
        next((one for one in owner.sources if isinstance(one, PublishedRelease)), None) if owner else None
    )
    if published is None or wanted is None:
        return Artifact(
            f"{program} {wanted or ''}".strip(), UNRESOLVED, None, reason="no release of it is known"
        )
    url = expand(published.files[0].url, wanted)
    sums = expand(published.files[0].checksums, wanted)
    if offline:
        return Artifact(url, UNRESOLVED, None, reason="offline: its publisher was not asked")
    try:
        with client() as http:
            text = body(http, sums, {}, CHECKSUM_BYTES).decode()
        return Artifact(url, f"sha256:{published_sha256(text, url.rpartition('/')[2])}", None)
    except (Unresolved, SourceUnavailable, UnicodeDecodeError) as error:
        return Artifact(url, UNRESOLVED, None, reason=f"{sums}: {error}")
    except httpx.HTTPError as error:
        return Artifact(url, UNRESOLVED, None, reason=f"{sums}: unreachable: {type(error).__name__}")


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _roots(graph: Graph) -> list[str]:
    """The program's own package, and those of the clouds that its graph has."""
    clouds = {one["type"].removeprefix(PROVIDER) for one in graph if one["type"].startswith(PROVIDER)}
    return ["corral", *(f"pulumi-{one}" for one in sorted(clouds) if one != "kubernetes")]


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Put `texts` into `folder`.

    Raises:
        UsageError: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace(folder / name, text)
            if name.endswith(".sh"):
                (folder / name).chmod(EXECUTABLE)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from None


def report(made: Bundle, folder: Path) -> int:
    """Print what is missing, one line each, and what the bundle has; the exit code."""
    unresolved = list(made.unresolved())
    for what, why in unresolved:
        print(f"{what}: unresolved: {why}")
    for one in made.unrendered:
        print(f"{one.release}: not rendered: {one.reason}")
    for what, why in made.by_hand():
        print(f"{what}: copy by hand: {why}")
    for one in made.hosts:
        print(f"{one.host}: outside the site, named by {one.place}")
    if made.mirror is None:
        print("no mirror in sovereignty.registry: only lock.yaml and requirements.txt are written")
    counts = f"{len(made.images)} images, {len(made.charts)} charts, {len(made.models)} models"
    more = f"{len(made.programs)} programs, {len(made.packages)} Python packages"
    print(f"{counts}, {more} in {folder}; {len(unresolved)} unresolved")
    outside = bool(made.hosts) and made.profile == Profile.AIR_GAPPED.value
    return FAILED if unresolved or made.unrendered or outside else 0
