"""Prometheus and its operator, which runs it and reloads its configuration."""

from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.installed import Installed, OnPath
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.releases import Release, ReleaseFile

OPERATOR = "github.com/prometheus-operator/prometheus-operator"
PROMETHEUS = "github.com/prometheus/prometheus"
VERSION_OF_PROGRAMS = "github.com/prometheus/common/version.Version"
RELEASES = f"https://{PROMETHEUS}/releases/download/v{{version}}"

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "prometheus-operator",
        "0.93.1",
        ("prometheus-operator", "prometheus-config-reloader"),
        (
            GoBuild(
                "prometheus-operator",
                {
                    "prometheus-operator": f"{OPERATOR}/cmd/operator",
                    "prometheus-config-reloader": f"{OPERATOR}/cmd/prometheus-config-reloader",
                },
                90,
                {VERSION_OF_PROGRAMS: "0.93.1"},
            ),
        ),
    ),
    # Built from its module it lacks its web pages, and discovers Kubernetes' objects alone.
    Recipe(
        "prometheus",
        "3.14.0",
        ("prometheus",),
        (
            OnPath((Installed("prometheus", ("--version",), r"version (\d+\.\d+\.\d+)", (3, 14), (4,)),)),
            Release(
                (
                    ReleaseFile(
                        f"{RELEASES}/prometheus-{{version}}.linux-{{arch}}.tar.gz",
                        f"{RELEASES}/sha256sums.txt",
                        {"prometheus": "prometheus-{version}.linux-{arch}/prometheus"},
                    ),
                ),
                30,
            ),
            GoBuild(
                "prometheus",
                {"prometheus": f"{PROMETHEUS}/cmd/prometheus"},
                165,
                {VERSION_OF_PROGRAMS: "3.14.0"},
                tags=("remove_all_sd", "enable_kubernetes_sd"),
            ),
        ),
    ),
)
