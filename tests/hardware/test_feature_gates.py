"""Which feature gates a DRA driver's DaemonSet stands for."""

import pytest

from corral.embedded.hardware.feature_gates import DYNAMIC_MIG, enabled
from corral.embedded.hardware.geometry import Impossible


def daemon(text=None, container="gpus", component="kubelet-plugin"):
    """A DaemonSet as the chart renders it; `text`: its FEATURE_GATES."""
    env = [{"name": "NVIDIA_DRIVER_ROOT", "value": "/"}]
    env += [] if text is None else [{"name": "FEATURE_GATES", "value": text}]
    labels = {"dra-driver-nvidia-gpu-component": component}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": container, "env": env}]}}
    return {"metadata": {"name": "d"}, "spec": {"template": template}}


@pytest.mark.parametrize(
    ("text", "on"),
    [
        (None, False),
        ("", False),
        ("DynamicMIG=true,", True),
        ("DynamicMIG=false,", False),
        ("ComputeDomainCliques=true,DynamicMIG=True,", True),
        ("DynamicMIG=true,DynamicMIG=0", False),
        (" TimeSlicingSettings=true , DynamicMIG = 1 ", True),
        ("MPSSupport=true,", False),
    ],
)
def test_the_gate_is_on_when_the_daemon_set_says_so(text, on):
    assert (DYNAMIC_MIG in enabled([daemon(text)])) is on


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{"metadata": {"name": "d"}, "spec": {"template": {"spec": {"containers": [{"name": "gpus"}]}}}}],
        [daemon("DynamicMIG=true,", container="compute-domains")],
        [daemon("DynamicMIG=true,", component="controller")],
    ],
)
def test_without_a_driver_of_gpus_no_gate_is_on(others):
    assert enabled(others) == frozenset()


def test_the_driver_is_found_among_other_daemon_sets():
    others = [daemon("DynamicMIG=false,", container="compute-domains"), daemon("DynamicMIG=true,")]
    assert DYNAMIC_MIG in enabled(others)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DynamicMIG", "'DynamicMIG': allowed: name=true or name=false"),
        ("DynamicMIG=yes", "'DynamicMIG=yes': allowed"),
        ("DynamicMig=true", "unknown feature gate 'DynamicMig'; allowed: TimeSlicingSettings, "),
        ("DynamicMIG=true,MPSSupport=true", "DynamicMIG and MPSSupport exclude each other"),
        ("PassthroughSupport=true,DynamicMIG=true", "DynamicMIG and PassthroughSupport exclude each other"),
        ("NVMLDeviceHealthCheck=true,DynamicMIG=true", "DynamicMIG and NVMLDeviceHealthCheck exclude"),
        ("IMEXDaemonsWithDNSNames=false", "ComputeDomainCliques needs IMEXDaemonsWithDNSNames"),
    ],
)
def test_gates_under_which_the_driver_would_not_start_are_refused_by_name(text, message):
    with pytest.raises(Impossible) as refusal:
        enabled([daemon(text)])
    assert message in str(refusal.value)


def test_two_drivers_of_the_same_gpus_are_refused():
    with pytest.raises(Impossible, match="2 DaemonSets"):
        enabled([daemon(), daemon("DynamicMIG=true,")])
