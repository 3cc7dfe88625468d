"""What a stack excepts and tightens reaches admission and the outputs."""

from datetime import timedelta
from typing import Any

from tests.stacks.stack_files import planned

from corral.components.admission import AdmissionArgs
from corral.controls.exceptions import today
from corral.stacks.deploy.built import Built
from corral.stacks.deploy.component_args.admission import admission_args
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.outputs import outputs
from corral.stacks.planning.results.plan import Plan

ENTRY: dict[str, Any] = {
    "control": "SOV-SUP-01",
    "reason": "no mirror before release 4",
    "approver": "jane",
    "expires": str(today() + timedelta(days=30)),
    "resources": ["shop/web*"],
}
OF_GPUS = {**ENTRY, "control": "SOV-GPU-01", "resources": ["shop/train*"]}
OF_A_CLOUD = {**ENTRY, "control": "SOV-NET-13", "resources": ["logs"]}


def made(**sovereignty: Any) -> Plan:
    return planned(sovereignty={"profile": "open", "region": "embedded", **sovereignty})


def args(plan: Plan) -> AdmissionArgs:
    found = admission_args(DeployContext(plan, {}, plan.cluster.capabilities, None))
    assert found is not None
    return found


def test_admission_gets_the_exceptions_from_controls_that_it_or_a_guard_evaluates() -> None:
    plan = made(
        exceptions=[ENTRY, OF_GPUS, OF_A_CLOUD],
        controls={"SOV-SUP-02": "mandatory", "SOV-GPU-01": "mandatory", "SOV-KEY-06": "mandatory"},
    )
    assert args(plan).get("exceptions") == [ENTRY, OF_GPUS]
    assert args(plan).get("levels") == {"SOV-SUP-02": "mandatory", "SOV-GPU-01": "mandatory"}
    assert not {"exceptions", "levels"} & set(args(made()))


def test_the_outputs_list_every_exception_and_the_country_of_a_site() -> None:
    plan = made(exceptions=[ENTRY, OF_A_CLOUD], region={"country": "DE", "site": "fra-1"})
    shown: Any = outputs(plan, models={}, built=Built())["policy"]
    assert shown["exceptions"] == [ENTRY, OF_A_CLOUD]
    assert (shown["region"], shown["country"]) == ("fra-1", "DE")
