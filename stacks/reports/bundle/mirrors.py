"""What mirroring tools take of a bundle: scripts of skopeo, oras and helm, a Hauler manifest, a Zarf package.

Formats: skopeo-copy(1) and its `dir:` transport; `oras cp` 1.3; hauler-dev/hauler v2.0.3,
pkg/apis/hauler.cattle.io/v1; zarf-dev/zarf v0.84.0, src/pkg/schema/zarf-v1alpha1-schema.json.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import yaml

from corral.catalogue.charts import OCI
from corral.stacks.reports.bundle.lock import Artifact, Bundle

HAULER_API = "content.hauler.cattle.io/v1"
USAGE = """\
case "${1:-}" in
  pull | push) ;;
  *) echo "usage: $0 pull|push FOLDER: pull where the internet is, push at the site" >&2; exit 2 ;;
esac
folder=${2:?the folder that is carried}
"""


def files(bundle: Bundle) -> Mapping[str, str]:
    """Text of each file by its name; without a mirror in the stack file, the lock and the packages alone."""
    texts: dict[str, str] = {"lock.yaml": bundle.text(), "requirements.txt": requirements(bundle)}
    if bundle.mirror is not None:
        texts |= {name: make(bundle) for name, make in WRITERS.items()}
    return texts


def requirements(bundle: Bundle) -> str:
    """What `pip download --require-hashes` and `pip install --no-index` take."""
    lines = [
        " \\\n    ".join((f"{one.name}=={one.version}", *(f"--hash={each}" for each in one.hashes)))
        for one in bundle.packages
    ]
    return "\n".join((f"# Written by `corral bundle` for stack {bundle.stack}.", *lines, ""))


def skopeo(bundle: Bundle) -> str:
    """A script that copies images byte by byte, all platforms, with their digests."""
    pull = (
        f"skopeo copy --all --preserve-digests {shlex.quote(f'docker://{pinned(one)}')} "
        f'"dir:$folder/{folder_of(one)}"'
        for one in copied(bundle.images)
    )
    push = (
        f'skopeo copy --all --preserve-digests "dir:$folder/{folder_of(one)}" '
        f"{shlex.quote(f'docker://{one.target}')}"
        for one in copied(bundle.images)
    )
    return _script(bundle, "images with skopeo", pull, push, bundle.images)


def oras(bundle: Bundle) -> str:
    """A script that copies images with their digests."""
    return _with_oras(bundle, "images with oras", copied(bundle.images), bundle.images)


def oras_charts(bundle: Bundle) -> str:
    """A script that copies the charts of OCI registries with their digests."""
    return _with_oras(bundle, "charts of OCI registries with oras", _oci(bundle), ())


def helm(bundle: Bundle) -> str:
    """A script that copies the charts of HTTPS repositories, verified by the digest of their archive.

    Helm makes a new manifest of what it pushes, so no chart of an OCI registry keeps its digest this way.
    """
    pull, push = ['mkdir -p "$folder/charts"'], list[str]()
    for one in copied(bundle.charts):
        if one.source.startswith(OCI):
            continue
        repository, name, version = _chart(one)
        archive = f"$folder/charts/{name}-{version}.tgz"
        pull.append(
            f"helm pull {shlex.quote(name)} --repo {shlex.quote(repository)} "
            f'--version {shlex.quote(version)} --destination "$folder/charts"'
        )
        if one.pinned:
            pull.append(f'echo "{one.digest.removeprefix("sha256:")}  {archive}" | sha256sum --check')
        push.append(f'helm push "{archive}" {shlex.quote((one.target or "").rpartition("/")[0])}')
    return _script(bundle, "charts of HTTPS repositories with helm", pull, push, ())


def hauler(bundle: Bundle) -> str:
    """A manifest for `hauler store sync -f`, then `hauler store copy registry://MIRROR`."""
    images = [{"name": pinned(one), "rewrite": _within(one, bundle)} for one in copied(bundle.images)]
    charts = [
        {"name": name, "repoURL": repository, "version": version, "rewrite": _within(one, bundle)}
        for one in copied(bundle.charts)
        for repository, name, version in [_chart(one)]
    ]
    programs = [{"path": one.source, "name": one.source.rpartition("/")[2]} for one in bundle.programs]
    parts = (("Images", "images", images), ("Charts", "charts", charts), ("Files", "files", programs))
    documents = [
        {
            "apiVersion": HAULER_API,
            "kind": kind,
            "metadata": {"name": f"corral-{bundle.stack}-{key}"},
            "spec": {key: several},
        }
        for kind, key, several in parts
        if several
    ]
    return _comment(bundle, "Hauler") + yaml.safe_dump_all(documents, sort_keys=False, width=110)


def zarf(bundle: Bundle) -> str:
    """A package for `zarf package create` and `zarf package mirror-resources --images --no-img-checksum`."""
    programs = [
        {
            "source": one.source,
            "target": f"corral/{one.source.rpartition('/')[2]}",
            **({"shasum": one.digest.removeprefix("sha256:")} if one.pinned else {}),
        }
        for one in bundle.programs
    ]
    component: dict[str, Any] = {
        "name": "images",
        "description": "Images of the stack; charts go with charts-oras.sh and charts-helm.sh.",
        "required": True,
        "images": [tagged(one) for one in copied(bundle.images)],
    }
    several = [component]
    if programs:
        several.append({"name": "programs", "description": "Pulumi and its plugins.", "files": programs})
    package = {
        "apiVersion": "zarf.dev/v1alpha1",
        "kind": "ZarfPackageConfig",
        "metadata": {
            "name": re.sub(r"[^a-z0-9-]", "-", f"corral-{bundle.stack}".lower()),
            "description": f"What stack {bundle.stack} of Corral runs.",
        },
        "components": several,
    }
    return _comment(bundle, "Zarf") + yaml.safe_dump(package, sort_keys=False, width=110)


WRITERS: Mapping[str, Callable[[Bundle], str]] = {
    "images-skopeo.sh": skopeo,
    "images-oras.sh": oras,
    "charts-oras.sh": oras_charts,
    "charts-helm.sh": helm,
    "hauler.yaml": hauler,
    "zarf.yaml": zarf,
}


def copied(several: Iterable[Artifact]) -> Iterator[Artifact]:
    """What is published elsewhere and goes into the mirror under the name that it has here."""
    return (one for one in several if one.target is not None and not one.built_here and not one.by_hand)


def pinned(one: Artifact) -> str:
    """`host/path@sha256:…`, or with the tag while that is unresolved: no tool takes both."""
    plain = _plain(one.source)
    return f"{plain.rpartition(':')[0]}@{one.digest}" if one.pinned else plain


def tagged(one: Artifact) -> str:
    """`host/path:tag@sha256:…`, without digest while that is unresolved."""
    return f"{_plain(one.source)}@{one.digest}" if one.pinned else _plain(one.source)


def folder_of(one: Artifact) -> str:
    """Name of its folder among what is carried."""
    return re.sub(r"[^\w.-]", "_", _plain(one.source))


def tag_of(one: Artifact) -> str:
    """Its tag in an OCI layout, which is at most 128 characters long."""
    return folder_of(one)[-128:].lstrip(".-")


def _plain(reference: str) -> str:
    return reference.removeprefix(OCI)


def _chart(one: Artifact) -> tuple[str, str, str]:
    """Repository, name and version of a chart."""
    address, _, version = one.source.rpartition(":")
    repository, _, name = address.rpartition("/")
    return repository, name, version


def _within(one: Artifact, bundle: Bundle) -> str:
    """Its place below the mirror."""
    return _plain(one.target or "").removeprefix(f"{(bundle.mirror or '').rstrip('/')}/")


def _comment(bundle: Bundle, tool: str) -> str:
    return f"# Written by `corral bundle` for {tool}, stack {bundle.stack}: docs/air-gap.md.\n"


def _oci(bundle: Bundle) -> Iterator[Artifact]:
    return (one for one in copied(bundle.charts) if one.source.startswith(OCI))


def _with_oras(bundle: Bundle, what: str, several: Iterable[Artifact], images: Iterable[Artifact]) -> str:
    both = [(one, f'"$folder/oci:{tag_of(one)}"') for one in several]
    pull = (f"oras cp --to-oci-layout {shlex.quote(pinned(one))} {place}" for one, place in both)
    push = (
        f"oras cp --from-oci-layout {place} {shlex.quote(_plain(one.target or ''))}" for one, place in both
    )
    return _script(bundle, what, pull, push, images)


def _script(
    bundle: Bundle, what: str, pull: Iterable[str], push: Iterable[str], images: Iterable[Artifact]
) -> str:
    left = [f"# not copied: {one.source}: {one.reason}" for one in images if one.by_hand or one.built_here]
    lines = [
        "#!/bin/sh",
        f"# Written by `corral bundle`: {what}, stack {bundle.stack}: docs/air-gap.md.",
        *left,
        "set -eu",
        USAGE.rstrip("\n"),
        'if [ "$1" = pull ]; then',
        *(f"  {line}" for line in ('mkdir -p "$folder"', *pull)),
        "else",
        *(f"  {line}" for line in (":", *push)),
        "fi",
        "",
    ]
    return "\n".join(lines)
