"""Key `sovereignty.admission`: exemptions that go with the scope, and spare nothing of the platform's own."""

from collections.abc import Iterator

from corral.catalogue.addons import KUBERNETES_NAMESPACES, reserved_namespaces
from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.defaults import namespaces
from corral.stacks.planning.results.addons import AddonStates


def check_admission(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Exemptions without effect, and exemptions of what must not be exempt."""
    section = config.sovereignty.admission
    if section is None:
        return
    path = "sovereignty.admission"
    answers = states[Addon.ADMISSION]
    if answers is not AddonState.MANAGED:
        reason = f"addon admission is {answers.value}, so this stack enforces nothing there: leave it out"
        yield Problem(path, section.scope.value, reason)
    if section.exempt and section.scope is not AdmissionScope.CLUSTER:
        reason = "only namespaces with the label are in scope: leave it out, or use scope: cluster"
        yield Problem(f"{path}.exempt", ", ".join(section.exempt), reason)
    own = (reserved_namespaces() - set(KUBERNETES_NAMESPACES)) | set(namespaces(config.tenants).values())
    for index, name in enumerate(section.exempt):
        if name in own:
            reason = "a namespace of the platform: the policies hold there in every scope"
            yield Problem(f"{path}.exempt[{index}]", name, reason)
