"""Key `sovereignty.admission`: exemptions that go with the scope, and spare nothing of the platform's own."""

from collections.abc import Iterator

from corral.catalogue.addons import KUBERNETES_NAMESPACES, reserved_namespaces
from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope
from corral.controls.supply.image_policies import is_public
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import Signatures, StackConfig
from corral.stacks.planning.defaults import namespaces
from corral.stacks.planning.results.addons import AddonStates


def check_admission(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Exemptions without effect, exemptions of what must not be exempt, and signatures nobody verifies."""
    if config.sovereignty.signatures is not None:
        yield from _signatures(config.sovereignty.signatures, states)
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


def _signatures(section: Signatures, states: AddonStates) -> Iterator[Problem]:
    path = "sovereignty.signatures"
    if not section.keys and section.sigstore is None:
        yield Problem(path, "nobody", "name whose signatures are trusted: keys, sigstore, or both")
    answers = states[Addon.ADMISSION]
    if answers is not AddonState.MANAGED:
        yield Problem(path, answers.value, f"addon admission is {answers.value}: nothing verifies images")
    elif states[Addon.KYVERNO] is AddonState.OFF:
        yield Problem(path, "off", "addon kyverno is off, and it verifies images: leave it on")
    if section.registry_ca is not None and states[Addon.KYVERNO] is AddonState.EXISTING:
        reason = "addon kyverno is existing: state them where it is installed, and leave this out"
        yield Problem(f"{path}.registry-ca", "certificates", reason)
    if section.sigstore is not None and is_public(section.sigstore.mirror):
        reason = "a public host: use the mirror of a Sigstore of your own, or keys"
        yield Problem(f"{path}.sigstore.mirror", section.sigstore.mirror, reason)
