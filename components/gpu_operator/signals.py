"""What is watched on GPUs. Metric names: the exporter's default counter file at the pinned version."""

from corral.components._signals import Alert, Panel, Signals

WARM_CELSIUS = 85
"""Sustained temperature that points to cooling, not to load; below the slowdown point of data centre GPUs."""

UTILISATION = "DCGM_FI_DEV_GPU_UTIL"
"""Of whole GPUs; the driver counts none for MIG slices, nor for a GPU that is in MIG mode."""
ENGINE_ACTIVE = "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
"""Of whole GPUs and of slices; absent on GPUs without profiling counters."""

_ALERTS: tuple[Alert, ...] = (
    {
        "name": "GpuXidError",
        "expression": "DCGM_FI_DEV_XID_ERRORS > 0",
        "lasting": "1m",
        "severity": "critical",
        "summary": "GPU {{ $labels.gpu }} ({{ $labels.UUID }}) reports XID error {{ $value }}",
    },
    {
        "name": "GpuRowRemapFailure",
        "expression": "DCGM_FI_DEV_ROW_REMAP_FAILURE > 0",
        "lasting": "1m",
        "severity": "critical",
        "summary": "GPU {{ $labels.gpu }} ({{ $labels.UUID }}) has no spare memory rows left: replace it",
    },
    {
        "name": "GpuUncorrectableRows",
        "expression": "increase(DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS[1h]) > 0",
        "lasting": "1m",
        "severity": "warning",
        "summary": "GPU {{ $labels.gpu }} ({{ $labels.UUID }}) remapped rows after uncorrectable errors",
    },
    {
        "name": "GpuTooWarm",
        "expression": f"DCGM_FI_DEV_GPU_TEMP > {WARM_CELSIUS}",
        "lasting": "10m",
        "severity": "warning",
        "summary": "GPU {{ $labels.gpu }} ({{ $labels.UUID }}) is at {{ $value }} degrees Celsius",
    },
    {
        "name": "GpuMetricsMissing",
        "expression": f"absent({UTILISATION} or {ENGINE_ACTIVE})",
        "lasting": "15m",
        "severity": "warning",
        "summary": "No GPU reports metrics: look at the DCGM exporter's pods and its ServiceMonitor",
    },
)

GPU = "{{instance}} GPU {{gpu}}"
SLICE = "{{instance}} GPU {{gpu}} slice {{GPU_I_ID}} ({{GPU_I_PROFILE}})"

_PANELS: tuple[Panel, ...] = (
    {
        "title": "GPU utilisation",
        "queries": {GPU: f"{UTILISATION} / 100", SLICE: f'{ENGINE_ACTIVE}{{GPU_I_PROFILE!=""}}'},
        "unit": "percentunit",
    },
    {
        "title": "GPU memory in use",
        "queries": {GPU: "DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE)"},
        "unit": "percentunit",
    },
    {"title": "GPU memory", "queries": {GPU: "DCGM_FI_DEV_FB_USED"}, "unit": "mbytes"},
    {
        "title": "Tensor core activity",
        "queries": {GPU: "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"},
        "unit": "percentunit",
    },
    {
        "title": "Memory bandwidth activity",
        "queries": {GPU: "DCGM_FI_PROF_DRAM_ACTIVE"},
        "unit": "percentunit",
    },
    {"title": "Power", "queries": {GPU: "DCGM_FI_DEV_POWER_USAGE"}, "unit": "watt"},
    {"title": "Temperature", "queries": {GPU: "DCGM_FI_DEV_GPU_TEMP"}, "unit": "celsius"},
    {"title": "Last XID error", "queries": {GPU: "DCGM_FI_DEV_XID_ERRORS"}},
)

SIGNALS = Signals("GPUs", _PANELS, _ALERTS)
