"""Volumes of a cluster are made in zones of the profile."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

CLOUD = (
    "ebs.csi.aws.com",
    "ebs.csi.eks.amazonaws.com",
    "filestore.csi.storage.gke.io",
    "kubernetes.io/aws-ebs",
    "kubernetes.io/gce-pd",
    "pd.csi.storage.gke.io",
)
"""Drivers that make volumes in a zone of a cloud."""
_KEYS = "['zone', 'region', 'topology.kubernetes.io/zone', 'topology.kubernetes.io/region']"


def _parameters(profile: Profile) -> dict[str, str]:
    places = "" if profile.regions is None else "|".join(sorted(profile.regions))
    return {
        "clouds": text(list(CLOUD)),
        "place": text(f"^({places})((-ai[0-9]+|-)?[a-z])?$" if places else ".*"),
        "anywhere": "true" if profile.regions is None else "false",
    }


def _class(provisioner: Any, zones: Any = None, **parameters: Any) -> Mapping[str, Any]:
    expressions = [{"key": "topology.kubernetes.io/zone", "values": zones}]
    more = {} if zones is None else {"allowedTopologies": [{"matchLabelExpressions": expressions}]}
    return {"kind": "StorageClass", "provisioner": provisioner, "parameters": parameters, **more}


CONTROL = Control(
    id="SOV-RES-05",
    title="Volumes of a cluster are made in zones of the profile",
    severity=Severity.HIGH,
    sources=("SOV-3",),
    remedy="Set `allowedTopologies` to zones of the profile's regions.",
    rule=ObjectRule(
        kinds=("StorageClass",),
        parameters=_parameters,
        expression=(
            "variables.anywhere || !(object.?provisioner.orValue('') in variables.clouds) || "
            "(size(object.?allowedTopologies.orValue([])) > 0 && "
            "object.allowedTopologies.all(t, t.?matchLabelExpressions.orValue([]).all(m, "
            "m.?values.orValue([]).all(v, v.matches(variables.place))))) && "
            f"object.?parameters.orValue({{}}).all(k, !(k in {_KEYS}) || "
            "object.parameters[k].matches(variables.place))"
        ),
        message="volumes may be made outside the profile",
        demanded=("provisioner", "allowedTopologies"),
        instead="nothing: administrators alone make what is of the whole cluster",
    ),
    cases=(
        Case("in zones of the profile", Verdict.GOOD, _class(CLOUD[0], ["eu-central-1a"])),
        Case(
            "Google, in zones of the profile",
            Verdict.GOOD,
            _class("pd.csi.storage.gke.io", ["europe-west3-a", "europe-west4-ai1a"]),
        ),
        Case("in zones not known yet", Verdict.UNDECIDED, _class(CLOUD[0], UNKNOWN)),
        Case("anywhere", Verdict.BAD, _class(CLOUD[0])),
        Case("in a zone outside", Verdict.BAD, _class(CLOUD[0], ["eu-central-1a", "us-east-1a"])),
        Case("in a zone that only looks European", Verdict.BAD, _class(CLOUD[0], ["eu-west-2a"])),
        Case(
            "by an older parameter, outside",
            Verdict.BAD,
            _class("kubernetes.io/gce-pd", ["europe-west3-a"], zone="us-east1-b"),
        ),
        Case("on machines of one's own", Verdict.GOOD, _class("rancher.io/local-path")),
        Case("not known yet", Verdict.UNDECIDED, _class("rancher.io/local-path", UNKNOWN)),
        Case("anywhere in profile open", Verdict.GOOD, _class(CLOUD[0]), profile="open"),
    ),
)
