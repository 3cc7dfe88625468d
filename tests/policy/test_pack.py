"""The pack under CrossGuard's own analyzer: what stops, what advises, what is undecided."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy import policy as crossguard
from pulumi_policy.proxy import UNKNOWN_BOOLEAN_VALUE, UNKNOWN_STRING_VALUE

from corral.catalogue import helm
from corral.controls.control import Control, ObjectRule, Resource
from corral.controls.enforcement import demanded
from corral.controls.evaluate import evaluate_object
from corral.controls.kinds import BY_TOKEN
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS, control
from corral.policy import configured as servicers
from corral.policy import rendered
from corral.policy.adapt import unpacked
from corral.policy.configured import OWN, configured
from corral.policy.constraints import constraints_of
from corral.policy.mounted import declared
from corral.policy.pack import concerns, level, policies
from corral.policy.rendered import RELEASE

MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY
POD = "kubernetes:core/v1:Pod"
BUCKET = "aws:s3/bucket:Bucket"


def analyzer(profile: str) -> Any:
    made = policies(PROFILES[profile])
    return configured(lambda _config: made, concerns)("corral", "0.1.0", made, EnforcementLevel.MANDATORY)


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(props)
    return made


def findings(response: Any) -> list[tuple[str, int, str]]:
    return [(d.policyName, d.enforcementLevel, d.message) for d in response.diagnostics]


def analyze(token: str, props: dict[str, Any], profile: str = "eu-resident") -> list[tuple[str, int, str]]:
    request = analyzer_pb2.AnalyzeRequest(
        type=token, name="x", urn=f"urn:pulumi:s::p::{token}::x", properties=struct(props)
    )
    return findings(analyzer(profile).Analyze(request, None))


def pod(*args: str, image: str = "evil.example/x:1") -> dict[str, Any]:
    container = {"name": "c", "image": image, "args": list(args)}
    return {"spec": {"containers": [container], "automountServiceAccountToken": False}}


def test_a_pod_that_trusts_remote_code_is_stopped_with_the_controls_id_and_remedy() -> None:
    stopped = [f for f in analyze(POD, pod("--trust-remote-code")) if f[0] == "sov-mod-03"]
    assert stopped and stopped[0][1] == MANDATORY
    assert "SOV-MOD-03" in stopped[0][2] and control("SOV-MOD-03").remedy in stopped[0][2]


def test_digests_only_report_in_profile_open_and_stop_elsewhere() -> None:
    assert [f[1] for f in analyze(POD, pod(), "open") if f[0] == "sov-sup-02"] == [ADVISORY]
    assert [f[1] for f in analyze(POD, pod(), "eu-resident") if f[0] == "sov-sup-02"] == [MANDATORY]


def test_every_critical_control_stops_in_every_profile_unless_the_profile_says_it_reports() -> None:
    for name, constraints in PROFILES.items():
        for found in CONTROLS:
            if found.severity.value == "critical" and found.id not in constraints.overrides:
                assert level(found, constraints) is EnforcementLevel.MANDATORY, f"{found.id} in {name}"


def test_an_unknown_value_hides_no_violation_beside_it() -> None:
    found = analyze(POD, pod("--trust-remote-code", image=UNKNOWN_STRING_VALUE))
    assert ("sov-mod-03", MANDATORY) in [f[:2] for f in found]


def test_what_a_preview_cannot_decide_is_said_as_advice_for_that_resource() -> None:
    found = analyze(POD, pod(image=UNKNOWN_STRING_VALUE))
    assert not [f for f in found if f[1] == MANDATORY]
    assert any("SOV-SUP-01 cannot be decided in preview" in f[2] for f in found)
    assert not any("can't run policy" in f[2] for f in found), "a guard must catch what CrossGuard would"


def test_one_undecided_bucket_does_not_hide_another_buckets_violation() -> None:
    block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"

    def resource(token: str, name: str, props: dict[str, Any], of: str | None = None) -> Any:
        made = analyzer_pb2.AnalyzerResource(
            type=token, name=name, urn=f"urn:pulumi:s::p::{token}::{name}", properties=struct(props)
        )
        if of:
            made.propertyDependencies["bucket"].urns.append(f"urn:pulumi:s::p::{BUCKET}::{of}")
        return made

    four = dict.fromkeys(("blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True) | {
        "blockPublicAcls": UNKNOWN_BOOLEAN_VALUE
    }
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            resource(BUCKET, "undecided", {}),
            resource(block, "its-block", {"bucket": UNKNOWN_STRING_VALUE, **four}, of="undecided"),
            resource(BUCKET, "bare", {}),
        ]
    )
    response = analyzer("eu-resident").AnalyzeStack(request, None)
    stopped = [d for d in response.diagnostics if d.policyName == "sov-net-13"]
    assert [d.urn.rsplit("::")[-1] for d in stopped] == ["bare"]
    advised = [d for d in response.diagnostics if "SOV-NET-13 cannot be decided" in d.message]
    assert [d.urn.rsplit("::")[-1] for d in advised] == ["undecided"]


def test_a_rule_that_cannot_run_fails_the_run_and_is_no_advice() -> None:
    with pytest.raises(ValueError, match="CEL"):
        analyze("kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": "not an object"}}})


def test_a_release_that_cannot_be_rendered_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = analyze("kubernetes:helm.sh/v3:Release", {"chart": "kyverno", "version": "3.8.1", "values": {}})
    assert [f[:2] for f in found] == [("releases-can-be-judged", MANDATORY)]
    assert "helm is not on PATH" in found[0][2]


def test_what_a_release_hides_is_judged_with_the_values_of_the_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helm = tmp_path / "helm"
    helm.write_text(
        "#!/bin/sh\n"
        "printf 'kind: Pod\\nmetadata: {name: hidden}\\nspec: {containers: [{name: c, image: \"'\n"
        '/bin/sed -n \'s/.*"image": "\\([^"]*\\)".*/\\1/p\' | /usr/bin/tr -d \'\\n\'\n'
        "printf '\"}]}\\n'\n"
    )
    helm.chmod(helm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    release = {"chart": "some-chart", "version": "1.0.0", "values": {"image": "evil.example/hidden:1"}}
    found = [f for f in analyze("kubernetes:helm.sh/v3:Release", release) if f[0] == "sov-sup-01"]
    assert found and "Pod hidden of the release" in found[0][2]


def test_every_policy_carries_what_a_reader_needs() -> None:
    info = analyzer("eu-resident").GetAnalyzerInfo(None, None)
    named = {p.name: p for p in info.policies}
    for found in (one for one in CONTROLS if demanded(one, PROFILES["eu-resident"]) and declared(one)):
        policy = named[found.id.lower()]
        assert policy.severity and policy.remediation_steps and policy.url and policy.framework.name


def test_the_page_of_a_policy_is_there_with_a_section_for_it() -> None:
    for found in analyzer("air-gapped").GetAnalyzerInfo(None, None).policies:
        if found.name.startswith("sov-"):
            page, _, anchor = found.url.removeprefix("file://").partition("#")
            assert f"## {anchor.upper()}\n" in Path(page).read_text()


def test_the_pack_takes_its_profile_from_the_stacks_configuration() -> None:
    made = configured(lambda config: policies(constraints_of(config)), concerns)
    served: Any = made("corral", "0.1.0", policies(constraints_of({})), EnforcementLevel.MANDATORY)

    def digests() -> list[int]:
        request = analyzer_pb2.AnalyzeRequest(type=POD, name="x", urn="urn:x", properties=struct(pod()))
        return [f[1] for f in findings(served.Analyze(request, None)) if f[0] == "sov-sup-02"]

    assert digests() == [MANDATORY], "a program without corral:platform gets the strict default"
    config = {"corral:platform": '{"sovereignty": {"profile": "open", "region": "embedded"}}'}
    served.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(config=config), None)
    assert digests() == [ADVISORY]


@pytest.mark.parametrize(
    ("image", "stopped"), [("docker.io/library/nginx:1.27", []), ("nginx:1.27", ["sov-sup-01"])]
)
def test_a_stranger_s_program_passes_under_a_registry_of_its_own_configuration(
    image: str, stopped: list[str]
) -> None:
    made = configured(lambda config: policies(constraints_of(config)), concerns)
    served: Any = made("corral", "0.1.0", policies(constraints_of({})), EnforcementLevel.MANDATORY)
    config = {"corral:platform": '{"sovereignty": {"profile": "open", "registry": "docker.io"}}'}
    served.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(config=config), None)
    request = analyzer_pb2.AnalyzeRequest(
        type=POD, name="x", urn="urn:x", properties=struct(pod(image=image))
    )
    assert [f[0] for f in findings(served.Analyze(request, None)) if f[1] == MANDATORY] == stopped


def test_a_strict_profile_serves_models_from_the_stacks_own_bucket_alone() -> None:
    def stopped(uri: str, profile: str, **sections: Any) -> bool:
        platform = {"sovereignty": {"profile": profile}, **sections}
        chosen = constraints_of({"corral:platform": json.dumps(platform)})
        service = {
            "kind": "InferenceService",
            "spec": {"predictor": {"model": {"modelFormat": {"name": "x"}, "storageUri": uri}}},
        }
        return bool(evaluate_object(control("SOV-MOD-01"), service, chosen))

    own = {"model-storage": {"bucket": "ours"}}
    assert not stopped("s3://models/chat", "eu-resident")
    assert stopped("s3://models/chat", "eu-resident", **own)
    assert not stopped("s3://ours/chat", "eu-resident", **own)
    assert stopped("s3://ours-not/chat", "eu-resident", **own)
    assert stopped("gs://ours/chat", "eu-resident", **own)
    google = {"model-storage": {"kind": "gcs", "bucket": "ours"}}
    assert not stopped("gs://ours/chat", "eu-resident", **google)
    assert stopped("gs://ours-not/chat", "eu-resident", **google)
    assert stopped("s3://ours/chat", "eu-resident", **google)
    assert not stopped("s3://anybody/chat", "open", **own)


@pytest.mark.parametrize("registry", [None, "registry.example.eu/mirror"])
def test_an_image_that_the_stack_names_itself_is_allowed_beside_its_registry(registry: str | None) -> None:
    own = {"images": {"tools": "tools.example.eu:5000/corral/tools:0.1.0@sha256:" + "a" * 64}}
    sovereignty = {"profile": "open", **({"registry": registry} if registry else {})}

    def stopped(image: str, **sections: Any) -> bool:
        chosen = constraints_of({"corral:platform": json.dumps({"sovereignty": sovereignty, **sections})})
        return bool(evaluate_object(control("SOV-SUP-01"), {"kind": "Pod", **pod(image=image)}, chosen))

    named = "tools.example.eu:5000/corral/tools"
    assert stopped(f"{named}:0.1.0")
    assert not stopped(f"{named}:0.1.0", **own)
    assert not stopped(f"{named}@sha256:{'b' * 64}", **own)
    for other in (
        f"{named}-evil:1",
        f"{named}/evil:1",
        f"evil.example/{named}:1",
        "tools.example.eu/corral/tools:1",
    ):
        assert stopped(other, **own), other
    if registry:
        assert not stopped(f"{registry}/library/nginx:1", **own)


def own_pack(levels: dict[str, Any], **settings: str) -> dict[str, int]:
    """Levels of a pod's findings by policy, with configuration of the pack's own."""
    made = configured(lambda config: policies(constraints_of(config)), concerns)
    served: Any = made("corral", "0.1.0", policies(constraints_of({})), EnforcementLevel.MANDATORY)
    served.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(config={}), None)
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for policy in served.GetAnalyzerInfo(None, None).policies:
        request.policyConfig[policy.name].enforcementLevel = levels.get(policy.name, policy.enforcementLevel)
    request.policyConfig["constraints"].properties.update(settings)
    served.Configure(request, None)
    asked = analyzer_pb2.AnalyzeRequest(
        type=POD, name="x", urn="urn:x", properties=struct(pod(image="docker.io/library/nginx:1.27"))
    )
    return {found[0]: found[1] for found in findings(served.Analyze(asked, None))}


def test_the_pack_takes_its_constraints_from_configuration_of_its_own() -> None:
    assert own_pack({}) == {"sov-sup-01": MANDATORY, "sov-sup-02": MANDATORY}
    assert own_pack({}, profile="open", registry="docker.io") == {"sov-sup-02": ADVISORY}
    assert own_pack({}, registry="docker.io") == {"sov-sup-02": MANDATORY}


@pytest.mark.parametrize(("stated", "minor"), (("1.35", 35), (1.37, 37), ("v1.35.2+k3s1", 35), (None, None)))
def test_the_version_of_the_cluster_is_that_of_the_stack(stated: object, minor: int | None) -> None:
    platform = {"cluster": {"kind": "existing", "kubernetes": stated}}
    assert constraints_of({"corral:platform": json.dumps(platform)}).kubernetes == minor
    own = {**platform, "cluster": {"kubernetes": "1.30"}}
    configuration = {"corral:platform": json.dumps(own), OWN: json.dumps({"kubernetes": "1.36"})}
    assert constraints_of(configuration).kubernetes == 36


def test_a_version_that_is_none_ends_the_run() -> None:
    with pytest.raises(ValueError, match=r"cluster.kubernetes: 'latest' is no version of Kubernetes"):
        constraints_of({"corral:platform": json.dumps({"cluster": {"kubernetes": "latest"}})})


def test_a_level_that_is_stated_holds_whatever_the_profile_of_the_packs_own_configuration() -> None:
    found = own_pack({"sov-sup-02": ADVISORY}, registry="docker.io")
    assert found == {"sov-sup-02": ADVISORY}
    disabled = own_pack({"sov-sup-02": analyzer_pb2.DISABLED}, profile="open", registry="docker.io")
    assert disabled == {}


def test_a_region_of_the_packs_own_configuration_outside_its_profile_ends_the_run() -> None:
    with pytest.raises(ValueError, match="us-east-1"):
        own_pack({}, profile="eu-resident", region="us-east-1")


def test_a_region_outside_the_profile_ends_the_run() -> None:
    with pytest.raises(ValueError, match="us-east-1"):
        constraints_of(
            {"corral:platform": '{"sovereignty": {"profile": "eu-resident", "region": "us-east-1"}}'}
        )


def test_a_configured_pack_judges_whole_stacks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = configured(lambda config: policies(constraints_of(config)), concerns)
    monkeypatch.setattr(crossguard, "_PolicyAnalyzerServicer", made)
    served = made("corral", "0.1.0", policies(constraints_of({})), EnforcementLevel.MANDATORY)
    bare = analyzer_pb2.AnalyzerResource(type=BUCKET, name="bare", urn="urn:bare", properties=struct({}))
    response = served.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[bare]), None)
    assert "sov-net-13" in {d.policyName for d in response.diagnostics}


ABOUT_EVERYTHING = ("SOV-OFF-02", "SOV-OPS-07", "SOV-OPS-08", "SOV-RES-09")
"""Controls about options of a resource, or about whatever its properties name."""


@pytest.mark.parametrize("found", CONTROLS, ids=lambda found: found.id)
def test_a_policy_is_asked_about_every_type_that_its_control_is_about(found: Control) -> None:
    if isinstance(found.rule, ObjectRule):
        tokens = {token for token, kind in BY_TOKEN.items() if kind.kind in found.rule.kinds} | {RELEASE}
    else:
        said = {case.subject.type for case in found.cases if isinstance(case.subject, Resource)}
        tokens = {token for token in said if found.rule.applies(token)}
    assert tokens
    for token in tokens:
        assert concerns(found.id.lower(), token)
        assert concerns("undecided-in-preview", token)
        assert concerns("undecided-in-preview-of-the-stack", token)
    if found.id not in ABOUT_EVERYTHING:
        assert not concerns(found.id.lower(), "kubernetes:core/v1:ConfigMap")


def test_a_resource_is_unpacked_once_for_all_policies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[object] = []

    def counted(struct: Any) -> dict[str, Any]:
        calls.append(struct)
        return unpacked(struct)

    monkeypatch.setattr(servicers, "unpacked", counted)
    assert analyze("kubernetes:core/v1:ConfigMap", {"data": {"a": "b"}}) == []
    assert len(calls) == 1, "once for all policies"


def test_a_kind_is_found_however_a_chart_writes_it() -> None:
    for text in ("kind: Pod", 'kind: "Pod"', "apiVersion: v1\nkind: Pod # said", '{"kind": "Pod"}', "a: 1"):
        assert rendered._may_matter(text)
    assert not rendered._may_matter("apiVersion: v1\nkind: CustomResourceDefinition\nspec:\n  kind: Pod")
    assert helm._read('# Source: x\n{"a": [1]}\n') == helm._read("# Source: x\na: [1]\n") == {"a": [1]}
    assert helm.SEPARATOR.split("a: 1\n---\nb: 2\n--- # c\nd: 3") == ["a: 1\n", "\nb: 2\n", "\nd: 3"]


SWITCH = {"containers": [{"name": "c", "image": "evil.example/x:1", "args": ["--trust-remote-code"]}]}
LWS = {"leaderWorkerTemplate": {"workerTemplate": {"spec": SWITCH}}}


@pytest.mark.parametrize(
    ("token", "props"),
    [
        ("kubernetes:apps/v1:DeploymentPatch", {"spec": {"template": {"spec": SWITCH}}}),
        ("kubernetes:core/v1:ReplicationController", {"spec": {"template": {"spec": SWITCH}}}),
        ("kubernetes:core/v1:PodTemplate", {"template": {"spec": SWITCH}}),
        ("kubernetes:core/v1:List", {"items": [{"apiVersion": "v1", "kind": "Pod", "spec": SWITCH}]}),
        ("kubernetes:apps/v1:DeploymentList", {"items": [{"spec": {"template": {"spec": SWITCH}}}]}),
        ("kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet", {"spec": LWS}),
        ("kubernetes:argoproj.io/v1alpha1:Rollout", {"spec": {"template": {"spec": SWITCH}}}),
        (
            "kubernetes:argoproj.io/v1alpha1:Workflow",
            {"spec": {"templates": [{"container": SWITCH["containers"][0]}]}},
        ),
        (
            "kubernetes:tekton.dev/v1:Task",
            {"spec": {"steps": [{"image": "x", "script": "serve --trust-remote-code"}]}},
        ),
        (
            "kubernetes:serving.kserve.io/v1alpha1:ClusterStorageContainer",
            {"spec": {"container": SWITCH["containers"][0]}},
        ),
        ("kubernetes:serving.kserve.io/v1alpha1:LLMInferenceServiceConfig", {"spec": {"template": SWITCH}}),
        ("kubernetes:extensions/v1beta1:Deployment", {"spec": {"template": {"spec": SWITCH}}}),
        (
            "kubernetes:future.example/v9:Brain",
            {"spec": {"inner": {"deep": [{"podTemplate": {"spec": SWITCH}}]}}},
        ),
        ("kubernetes:ray.io/v1:RayCluster", {"spec": {"workerGroupSpecs": [{"template": {"spec": SWITCH}}]}}),
    ],
)
def test_a_pod_template_is_evaluated_whatever_kind_holds_it(token: str, props: dict[str, Any]) -> None:
    assert ("sov-mod-03", MANDATORY) in [f[:2] for f in analyze(token, props)]


@pytest.mark.parametrize(
    ("token", "props", "policy"),
    [
        ("core/v1:ServicePatch", {"spec": {"type": "LoadBalancer"}}, "sov-net-07"),
        (
            "core/v1:List",
            {"items": [{"apiVersion": "v1", "kind": "Service", "spec": {"type": "NodePort"}}]},
            "sov-net-07",
        ),
        (
            "resource.k8s.io/v1beta1:ResourceClaim",
            {"spec": {"devices": {"requests": [{"adminAccess": True}]}}},
            "sov-gpu-04",
        ),
        (
            "serving.kserve.io/v1alpha1:TrainedModel",
            {"spec": {"model": {"storageUri": "hf://a/b"}}},
            "sov-mod-01",
        ),
        (
            "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
            {"roleRef": {"name": "cluster-admin"}},
            "sov-pod-08",
        ),
    ],
)
def test_what_holds_no_pod_is_evaluated_in_every_wrapper(
    token: str, props: dict[str, Any], policy: str
) -> None:
    assert (policy, MANDATORY) in [f[:2] for f in analyze(f"kubernetes:{token}", props)]


@pytest.mark.parametrize(
    "spec",
    [
        UNKNOWN_STRING_VALUE,
        {"template": UNKNOWN_STRING_VALUE},
        {"template": {"spec": UNKNOWN_STRING_VALUE}},
        {"template": {"spec": {"containers": UNKNOWN_STRING_VALUE}}},
    ],
)
def test_an_unknown_part_of_a_deployment_is_undecided_and_no_error(spec: Any) -> None:
    found = analyze("kubernetes:apps/v1:Deployment", {"spec": spec})
    assert {f[1] for f in found} == {ADVISORY}
    assert any("SOV-SUP-01 cannot be decided in preview" in f[2] for f in found)


def test_nulls_are_dropped_as_the_api_server_drops_them() -> None:
    container = {"name": "c", "image": "evil.example/x:1", "env": None, "args": None, "command": None}
    spec: dict[str, Any] = {"containers": [container], "automountServiceAccountToken": False}
    spec |= {"volumes": None, "initContainers": None}
    found = analyze("kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": spec}}})
    assert {f[0] for f in found} == {"sov-sup-01", "sov-sup-02"}


def test_a_violation_names_container_and_image_of_the_offenders_alone() -> None:
    good = {"name": "fine", "image": "a/b@sha256:" + "a" * 64}
    spec = {"containers": [good, {"name": "web", "image": "evil.example/x:1"}]}
    (message,) = [f[2] for f in analyze(POD, {"spec": spec}) if f[0] == "sov-sup-02"]
    assert "web (evil.example/x:1)" in message and "fine" not in message


def test_a_release_with_a_value_that_is_not_known_yet_is_undecided() -> None:
    release = {"chart": "some-chart", "version": "1.0.0", "values": {"image": {"tag": UNKNOWN_STRING_VALUE}}}
    ((policy, level_, message),) = analyze(RELEASE, release)
    assert (policy, level_) == ("undecided-in-preview", ADVISORY)
    assert "`values.image.tag` is not known yet" in message


def test_a_release_whose_output_is_rewritten_is_stopped() -> None:
    ((policy, level_, message),) = analyze(
        RELEASE, {"chart": "some-chart", "version": "1.0.0", "postrender": "/bin/patch"}
    )
    assert (policy, level_) == ("releases-can-be-judged", MANDATORY) and "postrender" in message


def test_values_files_of_a_release_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text(
        '#!/bin/sh\nfor one in "$@"; do case "$one" in *values-0.yaml) exec /bin/cat "$one";; esac; done\n'
    )
    helm.chmod(helm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    values = tmp_path / "mine.yaml"
    values.write_text("kind: Pod\nspec: {containers: [{name: c, image: evil.example/x}]}\n")
    asset = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "path": str(values)}
    found = analyze(RELEASE, {"chart": "some-chart", "version": "1.0.0", "valueYamlFiles": [asset]})
    assert "sov-sup-01" in {f[0] for f in found}


def test_a_test_hook_is_left_out_since_helm_never_installs_it() -> None:
    document = (
        "kind: Pod\nmetadata: {{annotations: {{helm.sh/hook: '{}'}}}}\nspec: {{containers: [{{name: c}}]}}"
    )
    assert not rendered.rendered_workloads(document.format("test"))
    assert not rendered.rendered_workloads(document.format("test-success"))
    assert rendered.rendered_workloads(document.format("pre-install"))
    assert rendered.rendered_workloads(document.format("test,post-install"))


CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def configured_findings(container: dict[str, Any], data: dict[str, str], **spec: Any) -> list[str]:
    """Controls that a Deployment breaks with a ConfigMap `settings` of the same stack."""
    template = {"spec": {"containers": [{"name": "c", **container}], **spec}}
    resources = [
        ("kubernetes:apps/v1:Deployment", {"spec": {"template": template}}),
        (CONFIG_MAP, {"metadata": {"name": "settings"}, "data": data}),
    ]
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(
                type=t, name="x", urn=f"urn:pulumi:s::p::{t}::x", properties=struct(p)
            )
            for t, p in resources
        ]
    )
    found = findings(analyzer("eu-resident").AnalyzeStack(request, None))
    return [
        f[2].splitlines()[-1].partition(":")[0] for f in found if f[0] == "configuration-keeps-to-controls"
    ]


def test_what_a_config_map_brings_into_the_environment_is_evaluated() -> None:
    whole = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    assert configured_findings(whole, {"NVIDIA_VISIBLE_DEVICES": "all"}) == ["SOV-GPU-03"]
    assert configured_findings(whole, {"MODEL_ID": "org/chat"}) == ["SOV-MOD-02"]
    assert not configured_findings(whole, {"MODEL_ID": "/mnt/models"})
    other = {"envFrom": [{"configMapRef": {"name": "others"}}]}
    assert not configured_findings(other, {"NVIDIA_VISIBLE_DEVICES": "all"})
    reference = {"configMapKeyRef": {"name": "settings", "key": "model"}}
    one = {"env": [{"name": "MODEL_ID", "valueFrom": reference}]}
    assert configured_findings(one, {"model": "org/chat"}) == ["SOV-MOD-02"]


def test_a_mounted_configuration_of_an_engine_is_evaluated() -> None:
    volumes = [{"name": "v", "configMap": {"name": "settings"}}]
    bad, good = "trust-remote-code: true", "trust-remote-code: false"
    assert configured_findings({}, {"vllm.yaml": bad}, volumes=volumes) == ["SOV-MOD-03"]
    assert not configured_findings({}, {"vllm.yaml": good}, volumes=volumes)
    assert configured_findings({}, {"vllm.yaml": "model: org/chat"}, volumes=volumes) == ["SOV-MOD-02"]
