"""A cluster that is there: how it is read, what is said of it, and what is refused before a thing is made."""

import json
import sys

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from tests.components.existing_cluster.clusters import (
    CLASSES,
    DAEMONS,
    DRA,
    NODES,
    SNAPSHOTS,
    WHOLE,
    daemon,
    kubeconfig,
    listed,
    node,
    serving,
    storage_class,
)
from tests.components.harness import build

from corral.catalogue.vocabulary import PodEncryption
from corral.components._kit import ArgsError
from corral.components.existing_cluster import ClusterUnreachable, ExistingCluster, Requirements, examined
from corral.components.existing_cluster.args import FindingLevel

FINE, WARNING, REFUSED = FindingLevel.FINE, FindingLevel.WARNING, FindingLevel.REFUSED


def looked_at(needed=Requirements(), **changes):  # noqa: B008
    """Findings of a whole cluster with `changes`, by check; and the examination."""
    answers = {**WHOLE, **{f"/{key.lstrip('/')}": value for key, value in changes.items()}}
    with serving(answers) as server:
        return examined(kubeconfig(server), None, needed)


def levels(examination):
    return {(one["check"], one["level"]) for one in examination.findings}


def said(examination, check):
    return next(one for one in examination.findings if one["check"] == check)


def test_a_whole_cluster_is_fine_in_every_way_and_each_finding_names_its_evidence():
    examination = looked_at(Requirements(gpu_nodes=["gpu-0"]))
    checks = {"version", "dra", "network-policy", "storage-class", "snapshots", "nodes"}
    assert levels(examination) == {(check, FINE) for check in checks}
    assert all(one["evidence"] for one in examination.findings)
    assert examination.network == "Calico"


@pytest.mark.parametrize("version", ["v1.33.5-gke.1080000", "v1.34.1", "v1.30.0+k3s1"])
def test_a_cluster_that_is_too_old_for_dra_is_refused_and_without_dra_it_is_not(version):
    old = {"/version": {"gitVersion": version}}
    assert f"the cluster is {version}; the DRA driver" in looked_at(**old).refusals[0]
    assert looked_at(Requirements(dra=False), **old).refusals == []


def test_a_floor_of_one_s_own_is_kept():
    refusals = looked_at(Requirements(kubernetes="1.36")).refusals
    assert refusals == ["version: the cluster is v1.35.1; this program needs 1.36 or newer"]


@pytest.mark.parametrize("served", [None, {"versions": [{"version": "v1beta1"}]}])
def test_where_the_api_of_dra_is_not_served_the_cluster_is_refused(served):
    (line,) = looked_at(**{DRA: served}).refusals
    assert line.startswith("dra: resource.k8s.io serves ") and "v1 is needed" in line


def test_openshift_is_refused():
    (line,) = looked_at(**{"/apis/security.openshift.io": {"versions": [{"version": "v1"}]}}).refusals
    assert line.startswith("distribution: this is OpenShift: ") and line.endswith("use another cluster")


AWS = "aws-eks-nodeagent"
NETWORKS = [
    ([daemon("cilium")], {}, FINE),
    ([daemon("cilium")], {"enable-policy": "default"}, FINE),
    ([daemon("cilium")], {"enable-policy": "never"}, WARNING),
    ([daemon("anetd")], {}, FINE),
    ([daemon("canal")], {}, FINE),
    ([daemon("antrea-agent")], {}, FINE),
    ([daemon("aws-node", {"name": AWS, "args": ["--enable-network-policy=true"]})], {}, FINE),
    ([daemon("aws-node", {"name": AWS, "args": ["--enable-network-policy=false"]})], {}, WARNING),
    ([daemon("aws-node", {"name": "aws-node"})], {}, WARNING),
    ([daemon("kube-router", {"name": "kube-router", "args": ["--run-firewall=true"]})], {}, FINE),
    ([daemon("kube-router", {"name": "kube-router", "args": ["--run-firewall=false"]})], {}, WARNING),
    ([daemon("kube-flannel-ds", namespace="kube-flannel")], {}, WARNING),
    ([daemon("kube-flannel-ds"), daemon("calico-node")], {}, FINE),
    ([], {}, WARNING),
]


@pytest.mark.parametrize(("daemons", "setting", "level"), NETWORKS)
def test_a_network_enforces_policies_where_its_objects_show_that_it_does(daemons, setting, level):
    config = {"/api/v1/namespaces/kube-system/configmaps/cilium-config": {"data": setting}}
    examination = looked_at(**{DAEMONS: listed(*daemons), **config})
    finding = said(examination, "network-policy")
    assert finding["level"] is level
    assert bool(finding["evidence"]) is bool(daemons)


@pytest.mark.parametrize(
    ("daemons", "setting", "stated", "expected"),
    [
        ([daemon("cilium")], {"enable-wireguard": "true"}, None, (FINE, "by wireguard")),
        ([daemon("cilium")], {"enable-ipsec": "true"}, PodEncryption.IPSEC, (FINE, "by ipsec")),
        ([daemon("cilium")], {"enable-wireguard": "false"}, PodEncryption.WIREGUARD, (REFUSED, "is stated")),
        ([daemon("cilium")], {}, PodEncryption.IPSEC, (REFUSED, "switch it on")),
        ([daemon("canal")], {}, PodEncryption.WIREGUARD, (FINE, "nothing here shows it")),
    ],
)
def test_what_is_seen_of_encryption_goes_before_what_is_stated(daemons, setting, stated, expected):
    config = {"/api/v1/namespaces/kube-system/configmaps/cilium-config": {"data": setting}}
    finding = said(
        looked_at(Requirements(encryption=stated), **{DAEMONS: listed(*daemons), **config}), "pod-encryption"
    )
    level, words = expected
    assert finding["level"] is level and words in finding["message"]


@pytest.mark.parametrize("stated", [None, PodEncryption.MESH])
def test_a_network_without_encryption_refuses_no_other_one(stated):
    levels_of = levels(looked_at(Requirements(encryption=stated), **{DAEMONS: listed(daemon("cilium"))}))
    assert "pod-encryption" not in {check for check, _ in levels_of}


CACHE = {
    "metadata": {"name": "nodelocaldns", "namespace": "kube-system"},
    "spec": {
        "template": {
            "spec": {
                "hostNetwork": True,
                "containers": [
                    {
                        "name": "node-cache",
                        "image": "registry.k8s.io/dns/k8s-dns-node-cache:1.25.0",
                        "args": ["-localip", "169.254.25.10,10.96.0.10", "-conf", "/etc/coredns/Corefile"],
                    }
                ],
            }
        }
    },
}


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], (WARNING, "no pod may ask it at 169.254.25.10, 10.96.0.10: name all of them in dns-addresses")),
        (["169.254.25.10"], (WARNING, "no pod may ask it at 10.96.0.10")),
        (["10.96.0.10", "169.254.25.10"], (FINE, "where pods may ask")),
    ],
)
def test_a_cache_of_names_on_the_nodes_network_is_one_that_policies_must_name(stated, expected):
    daemons = listed(daemon("calico-node"), CACHE)
    finding = said(looked_at(Requirements(dns_addresses=stated), **{DAEMONS: daemons}), "dns")
    assert (finding["level"], expected[1] in finding["message"]) == (expected[0], True), finding
    assert finding["evidence"] == "DaemonSet kube-system/nodelocaldns"


def test_a_cache_of_names_whose_pods_a_selector_takes_needs_nothing():
    spec = {**CACHE["spec"]["template"]["spec"], "hostNetwork": False}
    daemons = listed(daemon("cilium"), {**CACHE, "spec": {"template": {"spec": spec}}})
    assert "dns" not in {check for check, _ in levels(looked_at(**{DAEMONS: daemons}))}


def test_what_only_the_version_suggests_is_called_an_assumption():
    examination = looked_at(**{DAEMONS: listed(), "/version": {"gitVersion": "v1.35.1+k3s1"}})
    finding = said(examination, "network-policy")
    assert finding["level"] is WARNING and finding["evidence"] == "" and "assumed" in finding["message"]
    assert examination.network == "unknown"


def test_what_may_not_be_read_is_not_known_rather_than_absent():
    examination = looked_at(
        Requirements(gpu_nodes=["gpu-0"]), **dict.fromkeys([DAEMONS, CLASSES, NODES], 403)
    )
    assert examination.refusals == []
    assert {("network-policy", WARNING), ("storage-class", WARNING), ("nodes", WARNING)} <= levels(
        examination
    )


def test_a_storage_class_that_is_not_there_is_refused_with_those_that_are():
    (line,) = looked_at(Requirements(storage_class="ceph")).refusals
    assert line == "storage-class: there is no ceph; there are slow, fast"


@pytest.mark.parametrize(
    ("classes", "snapshots", "warned"),
    [
        (listed(), listed(), {"storage-class"}),
        (listed(storage_class(default=False)), listed(), {"storage-class"}),
        (listed(storage_class(expands=False)), WHOLE[SNAPSHOTS], {"storage-class"}),
        (listed(storage_class()), listed({"driver": "other"}), {"snapshots"}),
        (listed(storage_class()), None, {"snapshots"}),
    ],
)
def test_a_default_class_that_grows_and_has_snapshots_is_fine_and_less_is_a_warning(
    classes, snapshots, warned
):
    examination = looked_at(**{CLASSES: classes, SNAPSHOTS: snapshots})
    assert {check for check, level in levels(examination) if level is WARNING} == warned


def test_gpu_nodes_are_looked_up_by_name():
    nodes = listed(node("gpu-0"), node("gpu-1", ready=False))
    examination = looked_at(Requirements(gpu_nodes=["gpu-0", "gpu-1", "gpu-2"]), **{NODES: nodes})
    assert examination.refusals == ["nodes: there is no node gpu-2; there are gpu-0, gpu-1"]
    assert [line.partition(" ")[0] for line in examination.warnings] == ["nodes:", "nodes:"]


def test_nodes_that_take_pods_with_classified_data_are_labelled_with_a_region_of_the_profile():
    label = "topology.kubernetes.io/region"
    nodes = listed(node("gpu-0", **{label: "fra-1"}), node("gpu-1", **{label: "us-east-1"}), node("gpu-2"))
    needed = Requirements(gpu_nodes=["gpu-0", "gpu-1", "gpu-2"], regions=["fra-1"])
    refusals = looked_at(needed, **{NODES: nodes}).refusals
    assert refusals == [
        f"nodes: node {name} has {label}={value}, and pods with classified data run in fra-1 alone: "
        "label it, if it is there"
        for name, value in (("gpu-1", "us-east-1"), ("gpu-2", ""))
    ]


def test_another_context_may_be_named():
    with serving(WHOLE) as server, pytest.raises(ClusterUnreachable, match=r"127\.0\.0\.1:1 does not answer"):
        examined(kubeconfig(server), "gone", Requirements())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("contexts: []\ncurrent-context: x\n", "kubeconfig: contexts has no x; there are none"),
        ("contexts: []\n", "kubeconfig: no current context; name one"),
        ("a: [\n", "kubeconfig: the text: no YAML"),
        ("just\ntext\n", "kubeconfig: the text: no kubeconfig"),
        ("/nowhere/config", "kubeconfig: /nowhere/config: No such file or directory"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_gives_one_line(text, line):
    with pytest.raises(ClusterUnreachable) as refused:
        examined(text, None, Requirements())
    assert str(refused.value) == line


def test_a_user_that_the_kubeconfig_does_not_have_is_nobody():
    with serving(WHOLE) as server:
        text = kubeconfig(server, {"token": "t"}).replace("name: me", "name: you")
        assert examined(text, None, Requirements()).refusals == []
    with serving(WHOLE, token="t") as server, pytest.raises(ClusterUnreachable, match=r"\(401\)"):
        examined(kubeconfig(server, {"token": "t"}).replace("name: me", "name: you"), None, Requirements())


def command(script: str) -> dict:
    return {
        "exec": {"command": sys.executable, "args": ["-c", script], "env": [{"name": "T", "value": "t-1"}]}
    }


def test_a_command_of_the_kubeconfig_gives_the_token():
    credential = {"status": {"token": "TOKEN"}}
    script = f"import os; print({json.dumps(credential)!r}.replace('TOKEN', os.environ['T']))"
    with serving(WHOLE, token="t-1") as server:
        assert examined(kubeconfig(server, command(script)), None, Requirements()).refusals == []


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("import sys; sys.exit('no session: log in')", "gives no token: no session: log in"),
        ("print('hello')", "prints no ExecCredential"),
    ],
)
def test_a_command_that_gives_no_token_is_named_with_what_it_says(script, line):
    with serving(WHOLE) as server, pytest.raises(ClusterUnreachable, match=line) as refused:
        examined(kubeconfig(server, command(script)), None, Requirements())
    assert "\n" not in str(refused.value)


def test_an_identity_that_is_not_known_is_said():
    with serving(WHOLE, token="right") as server, pytest.raises(ClusterUnreachable, match=r"\(401\)"):
        examined(kubeconfig(server, {"token": "wrong"}), None, Requirements())


def built(text, **more):
    """Graph of a program with a cluster, and a namespace on it."""

    def program():
        cluster = ExistingCluster("site", {"kubeconfig": text, **more})
        provider = kubernetes.Provider("site", kubeconfig=cluster.kubeconfig)
        kubernetes.core.v1.Namespace("models", opts=pulumi.ResourceOptions(provider=provider))

    return build(program)


def test_what_is_known_of_a_cluster_is_among_its_outputs():
    with serving(WHOLE) as server:
        outputs = built(kubeconfig(server)).one("ExistingCluster").outputs
    assert (outputs["version"], outputs["network"], outputs["storage_class"]) == ("v1.35.1", "Calico", "fast")
    assert [one["check"] for one in outputs["findings"]][:2] == ["version", "dra"]
    assert outputs["findings"][0]["level"] == "fine"


def test_the_kubeconfig_is_a_secret_and_what_is_said_of_the_cluster_is_none():
    seen = {}

    def program():
        cluster = ExistingCluster("site", {"kubeconfig": pulumi.Output.secret(text)})
        for key in ("kubeconfig", "version", "findings"):
            pulumi.Output.from_input(getattr(cluster, key).is_secret()).apply(
                lambda secret, key=key: seen.update({key: secret})
            )

    with serving(WHOLE) as server:
        text = kubeconfig(server)
        build(program)
    assert seen == {"kubeconfig": True, "version": False, "findings": False}


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({DRA: None}, ["site: dra: resource.k8s.io serves nothing"]),
        ({"/version": {"gitVersion": "v1.30.0"}, DRA: None}, ["site: version: ", "site: dra: "]),
    ],
)
def test_a_cluster_that_lacks_what_is_needed_ends_the_run_before_anything_is_made_on_it(change, lines):
    with serving({**WHOLE, **change}) as server, pytest.raises(pulumi.RunError) as refused:
        built(kubeconfig(server))
    shown = str(refused.value).split("\n")
    assert len(shown) == len(lines) and all(map(str.startswith, shown, lines))


def test_a_cluster_that_nobody_reaches_ends_the_run_with_one_line():
    with pytest.raises(pulumi.RunError, match=r"^site: http://127\.0\.0\.1:1 does not answer: .*$"):
        built(kubeconfig("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"kubernetes": "latest"}, "site.kubernetes: 'latest' is not allowed; use MAJOR.MINOR"),
        ({"gpu_nodes": ["GPU 0"]}, r"site.gpu_nodes\[0\]: 'GPU 0' is not allowed"),
        ({"storage_class": "Fast"}, "site.storage_class: 'Fast' is not allowed"),
        ({"kube_config": "x"}, "unknown key 'kube_config'"),
    ],
)
def test_arguments_that_cannot_be_are_refused_before_anything_is_read(wrong, line):
    with pytest.raises(ArgsError, match=line):
        built("contexts: []\n", **wrong)
