"""For each alert of the test platform, series that fire it and series that come near and leave it silent.

Promtool's notation: `1x90` is ninety more samples of 1 after the first, a minute apart; `_` is no sample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Series = Mapping[str, str]
"""Samples by series."""
END = 100
"""Minute at which the question is asked; each constant series reaches it."""


@dataclass(frozen=True)
class Case:
    firing: Sequence[Series]
    silent: Sequence[Series]


def constant(value: float) -> str:
    return f"{value:g}x{END}"


def growing(by: float = 1) -> str:
    return f"0+{by:g}x{END}"


def until(value: float, minute: int, then: float) -> str:
    """`value` up to the minute, `then` from there on."""
    return f"{value:g}x{minute - 1} {then:g}x{END - minute}"


def ceasing(by: float, minute: int) -> str:
    """Grows until the minute, and no longer."""
    return f"0+{by:g}x{minute} {by * minute:g}x{END - minute - 1}"


def once(minute: int) -> str:
    """Appears at the minute with the first event, and counts no other."""
    return from_minute(minute, 1)


def from_minute(minute: int, value: float) -> str:
    """No sample before the minute."""
    return f"_x{minute} {value:g}x{END - minute}"


KYVERNO = 'namespace="kyverno",service="kyverno-svc-metrics"'
KSERVE = 'namespace="kserve",service="kserve-controller-manager-metrics-service"'
CERTIFICATE = 'exported_namespace="vector-db",name="vector-db"'
VOLUME = 'namespace="model-storage",persistentvolumeclaim="model-storage-data"'
STORE = 'namespace="model-storage"'
DATABASE = 'namespace="vector-db"'
OTHER = 'namespace="elsewhere"'
PROXY = 'namespace="envoy-gateway-system"'
UNCOUNTED = "envoy_cluster_ratelimit_failure_mode_allowed"
KEDA = 'namespace="keda",service="keda-operator"'
TRIGGER = 'exported_namespace="assistants",scaledObject="chat",metric="s1-prometheus"'
FAILED = "keda_scaler_detail_errors_total"
GPU = 'gpu="0",UUID="GPU-1"'
EVICTED = 'kueue_evicted_workloads_total{cluster_queue="team",reason="PodsReadyTimeout"}'


def deployment(name: str, value: str, namespace: str = "assistants") -> Series:
    labels = f'namespace="{namespace}",deployment="{name}-predictor"'
    return {f"kube_deployment_status_replicas_available{{{labels}}}": value}


def answers(code_class: str, labels: str) -> str:
    route = 'envoy_cluster_name="httproute/envoy-gateway-system/assistants.chat/rule/0"'
    return f'envoy_cluster_upstream_rq_xx{{{labels},{route},envoy_response_code_class="{code_class}"}}'


def answered(good: float, failed: float) -> Series:
    """Answers of one route a minute."""
    return {answers("2", PROXY): growing(good), answers("5", PROXY): growing(failed)}


def begun(in_time: str, of_all: str) -> Series:
    """Answers of a model of vLLM that began within a second, and all."""
    labels = 'namespace="assistants",service="chat-predictor"'
    metric = "vllm:time_to_first_token_seconds"
    return {f'{metric}_bucket{{{labels},le="1.0"}}': in_time, f"{metric}_count{{{labels}}}": of_all}


def unavailable(model: str, namespace: str = "assistants") -> Case:
    return Case(
        firing=[deployment(model, constant(0), namespace)],
        silent=[
            deployment(model, constant(1), namespace),
            deployment(model, until(1, END - 3, 0), namespace),
            deployment("another", constant(0), namespace),
        ],
    )


def either_side(model: str, namespace: str = "assistants") -> Case:
    """Of a model with prefill: one side without a replica is enough."""

    def both(decode: str, prefill: str) -> Series:
        workloads = {"kserve": decode, "kserve-prefill": prefill}
        return {
            "kube_deployment_status_replicas_available"
            f'{{namespace="{namespace}",deployment="{model}-{workload}"}}': value
            for workload, value in workloads.items()
        }

    return Case(
        firing=[both(constant(0), constant(1)), both(constant(1), constant(0))],
        silent=[both(constant(1), constant(1)), both(constant(1), until(1, END - 3, 0)), {}],
    )


def volume(labels: str, available: float) -> Series:
    return {
        f"kubelet_volume_stats_available_bytes{{{labels}}}": constant(available),
        f"kubelet_volume_stats_capacity_bytes{{{labels}}}": constant(100),
    }


def replicas(ready: str) -> Series:
    labels = f'{DATABASE},statefulset="vector-db"'
    return {
        f"kube_statefulset_status_replicas_ready{{{labels}}}": ready,
        f"kube_statefulset_replicas{{{labels}}}": constant(3),
    }


def connections(labels: str, used: float) -> Series:
    return {
        f'pg_stat_activity_count{{{labels},state="active"}}': constant(used / 2),
        f'pg_stat_activity_count{{{labels},state="idle"}}': constant(used / 2),
        f"pg_settings_max_connections{{{labels}}}": constant(100),
    }


def waiting(model: str, metric: str, namespace: str = "assistants") -> Case:
    service = f'service="{model}-predictor"'
    series = f'{metric}{{namespace="{namespace}",{service}}}'
    return Case(
        firing=[{series: constant(2)}],
        silent=[
            {series: constant(0)},
            {series: until(2, END - 5, 0)},
            {f"{metric}{{{OTHER},{service}}}": constant(2)},
            {},
        ],
    )


def missing(series: str) -> Case:
    return Case(
        firing=[{}, {series: constant(0)}],
        silent=[{series: constant(1)}, {series: until(1, END - 3, 0)}],
    )


def buckets(metric: str, by_limit: Mapping[str, float]) -> Series:
    """A histogram that grows by so many in each minute, cumulated up to each limit."""
    return {f'{metric}_bucket{{le="{limit}"}}': growing(count) for limit, count in by_limit.items()}


CASES: Mapping[str, Case] = {
    # By the PrometheusRule's name and the alert's.
    "model-smollm2 ModelUnavailable": unavailable("smollm2"),
    "model-smollm2 ModelQueueing": waiting("smollm2", "llamacpp:requests_deferred"),
    "model-embed ModelUnavailable": unavailable("embed", "developers"),
    "model-embed ModelQueueing": waiting("embed", "te_queue_size", "developers"),
    "model-chat ModelUnavailable": unavailable("chat"),
    "model-chat-large ModelUnavailable": either_side("chat-large"),
    "model-chat-large ModelQueueing": Case(
        firing=[
            {f'vllm:num_requests_waiting{{namespace="assistants",service="chat-large-{side}"}}': constant(1)}
            for side in ("decode", "prefill")
        ],
        silent=[
            {
                f'vllm:num_requests_waiting{{namespace="assistants",service="chat-large-{side}"}}': constant(
                    value
                )
            }
            for side, value in (("decode", 0), ("prefill", 0), ("kserve-workload-svc", 1))
        ],
    ),
    "model-chat ModelQueueing": waiting("chat", "vllm:num_requests_waiting"),
    "model-chat ModelFirstTokenBudgetBurn": Case(
        firing=[begun(growing(20), growing(100)), begun(growing(60), growing(100))],
        silent=[
            begun(growing(75), growing(100)),
            begun(f"_x{END - 40} {growing(1)}", f"_x{END - 40} {growing(1)}"),
            begun(constant(5), constant(100)),
            {},
        ],
    ),
    "model-chat ModelFirstTokenBudgetSlowBurn": Case(
        firing=[begun(growing(90), growing(100))],
        silent=[begun(growing(96), growing(100)), {}],
    ),
    "corral-model-storage ModelStorageDown": Case(
        firing=[{}, {f'up{{{STORE},service="model-storage"}}': constant(0)}],
        silent=[
            {f'up{{{STORE},service="model-storage"}}': constant(1)},
            {f'up{{{STORE},service="model-storage"}}': until(1, END - 3, 0)},
        ],
    ),
    "corral-model-storage ModelStorageFilling": Case(
        firing=[volume(VOLUME, 9)],
        silent=[volume(VOLUME, 11), volume('namespace="team",persistentvolumeclaim="theirs"', 1)],
    ),
    "corral-model-storage ModelStorageErrors": Case(
        firing=[
            {f'SeaweedFS_s3_request_total{{{STORE},code="503"}}': f"0+1x{END}"},
            {
                f'SeaweedFS_s3_request_total{{{STORE},type="GET",code="503"}}': once(END - 15),
                f'SeaweedFS_s3_request_total{{{STORE},type="PUT",code="503"}}': once(END - 7),
            },
        ],
        silent=[
            {f'SeaweedFS_s3_request_total{{{STORE},code="503"}}': once(END - 9)},
            {f'SeaweedFS_s3_request_total{{{STORE},code="503"}}': once(END - 11)},
            {f'SeaweedFS_s3_request_total{{{STORE},code="200"}}': f"0+1x{END}"},
            {f'SeaweedFS_s3_request_total{{{STORE},code="500"}}': constant(7)},
        ],
    ),
    "corral-vector-db VectorDatabaseNotReady": Case(
        firing=[replicas(constant(2))],
        silent=[replicas(constant(3)), replicas(until(3, END - 3, 2))],
    ),
    "corral-vector-db VectorDatabaseVolumeFull": Case(
        firing=[volume(f'{DATABASE},persistentvolumeclaim="data-vector-db-0"', 14)],
        silent=[
            volume(f'{DATABASE},persistentvolumeclaim="data-vector-db-0"', 16),
            volume(f'{OTHER},persistentvolumeclaim="data-vector-db-0"', 1),
        ],
    ),
    "corral-vector-db VectorDatabaseUnreachable": Case(
        firing=[{f"pg_up{{{DATABASE}}}": constant(0)}],
        silent=[{f"pg_up{{{DATABASE}}}": constant(1)}, {f"pg_up{{{OTHER}}}": constant(0)}],
    ),
    "corral-vector-db VectorDatabaseConnectionsExhausted": Case(
        firing=[connections(DATABASE, 92), {**connections(DATABASE, 92), **connections(OTHER, 4)}],
        silent=[connections(DATABASE, 88), {**connections(DATABASE, 48), **connections(OTHER, 48)}],
    ),
    "corral-vector-db VectorDatabaseRecovering": Case(
        firing=[{f"app_status_recovery_mode{{{DATABASE}}}": constant(1)}],
        silent=[
            {f"app_status_recovery_mode{{{DATABASE}}}": constant(0)},
            {f"app_status_recovery_mode{{{OTHER}}}": constant(1)},
        ],
    ),
    "corral-kyverno KyvernoMissing": missing(f"up{{{KYVERNO}}}"),
    "corral-kyverno KyvernoSlow": Case(
        firing=[buckets("kyverno_admission_review_duration_seconds", {"5": 0, "10": 60, "+Inf": 60})],
        silent=[buckets("kyverno_admission_review_duration_seconds", {"5": 60, "10": 60, "+Inf": 60}), {}],
    ),
    "corral-kyverno PolicyFails": Case(
        firing=[
            {'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="error"}': growing()},
            {
                'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="error"}': once(
                    END - 7
                )
            },
        ],
        silent=[
            {
                'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="error"}': once(
                    END - 20
                )
            },
            # Prometheus was away.
            {
                'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="error"}': (
                    f"4x{END - 40} _x30 4x9"
                )
            },
            {'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="fail"}': growing()},
            {'kyverno_validating_policy_results_total{policy_name="sov-sup-01",result="error"}': constant(4)},
        ],
    ),
    "corral-kserve KServeMissing": missing(f"up{{{KSERVE}}}"),
    "corral-kserve KServeFails": Case(
        firing=[{f"controller_runtime_reconcile_errors_total{{{KSERVE}}}": growing(1)}],
        silent=[
            {f"controller_runtime_reconcile_errors_total{{{KSERVE}}}": growing(0.2)},
            {f"controller_runtime_reconcile_errors_total{{{OTHER}}}": growing(1)},
        ],
    ),
    "corral-gateway GatewayMissing": missing(f"envoy_server_live{{{PROXY}}}"),
    "corral-gateway GatewayErrorBudgetBurn": Case(
        firing=[
            answered(90, 10),
            answered(96, 4),
            {answers("2", PROXY): growing(1), answers("5", PROXY): from_minute(END - 4, 90)},
        ],
        silent=[
            answered(98, 2),
            {answers("2", PROXY): growing(90), answers("5", PROXY): ceasing(10, END - 40)},
            {answers("2", OTHER): growing(9), answers("5", OTHER): growing(9)},
            {answers("2", PROXY): growing(9), answers("4", PROXY): growing(9)},
        ],
    ),
    "corral-gateway GatewayErrorBudgetSlowBurn": Case(
        firing=[answered(99, 1)],
        silent=[answered(996, 4), {answers("2", PROXY): growing(9), answers("4", PROXY): growing(9)}],
    ),
    "corral-gateway GatewayCountsNothing": Case(
        firing=[{f"{UNCOUNTED}{{{PROXY}}}": growing(1)}, {f"{UNCOUNTED}{{{PROXY}}}": once(END - 7)}],
        silent=[
            {f"{UNCOUNTED}{{{PROXY}}}": constant(7)},
            {f"{UNCOUNTED}{{{PROXY}}}": once(END - 20)},
            {f"{UNCOUNTED}{{{OTHER}}}": growing(1)},
        ],
    ),
    "corral-cert-manager CertManagerMissing": missing(
        'up{namespace="cert-manager",container="cert-manager-controller"}'
    ),
    "corral-cert-manager CertificateNotReady": Case(
        firing=[{f'certmanager_certificate_ready_status{{{CERTIFICATE},condition="False"}}': constant(1)}],
        silent=[
            {
                f'certmanager_certificate_ready_status{{{CERTIFICATE},condition="False"}}': constant(0),
                f'certmanager_certificate_ready_status{{{CERTIFICATE},condition="True"}}': constant(1),
            },
            {
                f'certmanager_certificate_ready_status{{{CERTIFICATE},condition="False"}}': until(
                    0, END - 10, 1
                )
            },
        ],
    ),
    "corral-cert-manager CertificateNotRenewed": Case(
        # Promtool's time begins at 0.
        firing=[{f"certmanager_certificate_renewal_timestamp_seconds{{{CERTIFICATE}}}": constant(600)}],
        silent=[
            {f"certmanager_certificate_renewal_timestamp_seconds{{{CERTIFICATE}}}": constant(3000)},
            {f"certmanager_certificate_renewal_timestamp_seconds{{{CERTIFICATE}}}": constant(0)},
        ],
    ),
    "corral-fair-sharing QueueNotActive": Case(
        firing=[{'kueue_cluster_queue_status{cluster_queue="team",status="pending"}': constant(1)}],
        silent=[
            {
                'kueue_cluster_queue_status{cluster_queue="team",status="pending"}': constant(0),
                'kueue_cluster_queue_status{cluster_queue="team",status="active"}': constant(1),
            }
        ],
    ),
    "corral-fair-sharing WorkloadNeverReady": Case(
        firing=[{EVICTED: from_minute(END - 10, 1)}, {EVICTED: until(1, END - 10, 2)}],
        silent=[
            {EVICTED: constant(3)},
            {EVICTED.replace("PodsReadyTimeout", "Preempted"): f"0+1x{END}"},
        ],
    ),
    "corral-fair-sharing FairSharingMissing": Case(firing=[{}], silent=[{"kueue_build_info": constant(1)}]),
    "corral-keda KedaMissing": missing(f"up{{{KEDA}}}"),
    "corral-keda TriggerFails": Case(
        firing=[
            {f"{FAILED}{{{KEDA},{TRIGGER}}}": growing(1)},
            {f"{FAILED}{{{KEDA},{TRIGGER}}}": from_minute(END - 7, 4)},
        ],
        silent=[
            {f"{FAILED}{{{KEDA},{TRIGGER}}}": growing(0.2)},
            {f"{FAILED}{{{KEDA},{TRIGGER}}}": from_minute(END - 7, 3)},
            {f"{FAILED}{{{KEDA},{TRIGGER}}}": until(0, END - 3, 9)},
            {f"{FAILED}{{{OTHER},{TRIGGER}}}": growing(1)},
        ],
    ),
    "corral-gpus GpuXidError": Case(
        firing=[{f"DCGM_FI_DEV_XID_ERRORS{{{GPU}}}": constant(79)}],
        silent=[{f"DCGM_FI_DEV_XID_ERRORS{{{GPU}}}": constant(0)}],
    ),
    "corral-gpus GpuRowRemapFailure": Case(
        firing=[{f"DCGM_FI_DEV_ROW_REMAP_FAILURE{{{GPU}}}": constant(1)}],
        silent=[{f"DCGM_FI_DEV_ROW_REMAP_FAILURE{{{GPU}}}": constant(0)}],
    ),
    "corral-gpus GpuUncorrectableRows": Case(
        firing=[{f"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS{{{GPU}}}": until(0, END - 10, 1)}],
        silent=[{f"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS{{{GPU}}}": constant(1)}],
    ),
    "corral-gpus GpuTooWarm": Case(
        firing=[{f"DCGM_FI_DEV_GPU_TEMP{{{GPU}}}": constant(86)}],
        silent=[
            {f"DCGM_FI_DEV_GPU_TEMP{{{GPU}}}": constant(85)},
            {f"DCGM_FI_DEV_GPU_TEMP{{{GPU}}}": until(60, END - 5, 95)},
        ],
    ),
    "corral-gpus GpuMetricsMissing": Case(
        firing=[{}],
        silent=[
            {f"DCGM_FI_DEV_GPU_UTIL{{{GPU}}}": constant(0)},
            {f'DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{GPU},GPU_I_PROFILE="1g.5gb"}}': constant(0)},
        ],
    ),
}
