"""Arguments of Admission."""

from corral.catalogue.images import repository_of
from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope
from corral.components._kit import PodSecurity
from corral.components.admission import GUARDED, Admission, AdmissionArgs, ExceptedControl, ImageSignatures
from corral.components.kyverno import Kyverno
from corral.controls.adjustments import enforced
from corral.controls.control import ObjectRule
from corral.controls.enforcement import demanded
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS, control
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import ExceptionPlan, SignaturePlan


def object_controls() -> list[str]:
    """IDs of the controls that concern one object, and so can be evaluated at admission."""
    return [one.id for one in CONTROLS if isinstance(one.rule, ObjectRule) and one.rule.admitted]


def demanded_controls(plan: Plan) -> list[str]:
    """Those that the stack's profile demands, or that the stack file enforces harder."""
    limits = enforced(PROFILES[plan.profile.value], dict(plan.policy.levels))
    return [one for one in object_controls() if demanded(control(one), limits)]


def admission_args(context: DeployContext) -> AdmissionArgs | None:
    """The controls of the profile; None: somebody else answers for admission."""
    plan = context.plan
    if plan.state(Addon.ADMISSION) is not AddonState.MANAGED:
        return None
    args: AdmissionArgs = {
        "controls": demanded_controls(plan),
        "profile": plan.profile.value,
        "region": plan.region,
        "kyverno": context.enabled(Addon.KYVERNO),
        "buckets": [plan.storage.uri],
        "scope": plan.admission.scope,
        "own_serving": plan.state(Addon.KSERVE) is AddonState.MANAGED,
        "kyverno_namespace": plan.addon(Addon.KYVERNO).namespace,
    }
    if plan.country is not None:
        args["country"] = plan.country
    kyverno = context.built.get(Kyverno)
    if kyverno is not None:
        args["kyverno_types"] = kyverno.namespace
    if plan.admission.scope is AdmissionScope.CLUSTER:
        args["exempt_namespaces"] = list(plan.admission.exempt)
    chosen = {*args["controls"], *GUARDED}
    if levels := {one: level.value for one, level in plan.policy.levels if one in chosen}:
        args["levels"] = levels
    if exceptions := [excepted_control(one) for one in plan.policy.exceptions if one.control in chosen]:
        args["exceptions"] = exceptions
    if plan.admission.pod_security is not None:
        args["pod_security"] = PodSecurity(plan.admission.pod_security)
    if plan.policy.signatures is not None:
        args["signatures"] = image_signatures(plan.policy.signatures, plan.supply.pull_secret)
    if plan.supply.registry is not None:
        args["registry"] = plan.supply.registry
    if plan.supply.tools_image is not None:
        args["images"] = [repository_of(plan.supply.tools_image)]
    return args


def image_signatures(plan: SignaturePlan, pull_secret: str | None) -> ImageSignatures:
    """Whose signatures images must bear."""
    made: ImageSignatures = {"attestations": plan.attestations, "scan_days": plan.scan_days}
    if plan.keys:
        made["keys"] = list(plan.keys)
    if plan.sigstore is not None:
        own = plan.sigstore
        made["sigstore"] = {
            "issuer": own.issuer,
            "subject": own.subject,
            "mirror": own.mirror,
            "root": own.root,
        }
    if pull_secret is not None:
        made["pull_secret"] = pull_secret
    return made


def excepted_control(one: ExceptionPlan) -> ExceptedControl:
    """An exception as arguments and outputs have it."""
    return {
        "control": one.control,
        "reason": one.reason,
        "approver": one.approver,
        "expires": str(one.expires),
        "resources": list(one.resources),
    }


WIRING = Wiring(Admission, admission_args)
