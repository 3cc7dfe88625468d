"""CycloneDX 1.6: a bill of the software that a stack installs, and one of its models."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cyclonedx import model as shared
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import bom, component
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from corral.catalogue._read import UNRESOLVED
from corral.stacks.reports.evidence.facts import Artifact, Evidence, LockedModel

# The decorators of these classes hide their signatures from type checkers.
Component: Any = component.Component
Bom: Any = bom.Bom
BomMetaData: Any = bom.BomMetaData
XsUri: Any = shared.XsUri
ExternalReference: Any = shared.ExternalReference
HashType: Any = shared.HashType
Property: Any = shared.Property

SHA256 = "sha256:"
INDENT = 2


def software(evidence: Evidence) -> str:
    """The charts and images of a stack."""
    charts = [_artifact(one, ComponentType.APPLICATION, "chart") for one in evidence.charts]
    images = [_artifact(one, ComponentType.CONTAINER, "image") for one in evidence.images]
    return _bill(evidence, "software", [*charts, *images])


def models(evidence: Evidence) -> str:
    """The models of a stack with their files."""
    return _bill(evidence, "models", [_model(one) for one in evidence.models])


def _bill(evidence: Evidence, what: str, components: Iterable[Any]) -> str:
    bill = Bom(components=components)
    subject = Component(
        name=f"{evidence.stack}: {what}", type=ComponentType.PLATFORM, bom_ref=f"stack:{evidence.stack}"
    )
    tool = Component(
        name="corral", version=evidence.corral, type=ComponentType.APPLICATION, bom_ref="tool:corral"
    )
    made = datetime.fromisoformat(evidence.made)
    bill.metadata = BomMetaData(timestamp=made, component=subject)
    bill.metadata.tools.components.add(tool)
    bill.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, _identity(bill))
    bill.register_dependency(subject, list(bill.components))
    return JsonV1Dot6(bill).output_as_string(indent=INDENT) + "\n"


def _identity(bill: Any) -> str:
    """Text that is the same for the same components."""
    return "\n".join(
        sorted(
            f"{one.bom_ref.value} {one.version} {sorted(str(each.content) for each in one.hashes)}"
            f"{sorted(f'{file.name} {[each.content for each in file.hashes]}' for file in one.components)}"
            for one in bill.components
        )
    )


def _artifact(one: Artifact, kind: ComponentType, word: str) -> Any:
    return Component(
        name=one.name,
        version=one.version or None,
        type=kind,
        bom_ref=f"{word}:{one.name}",
        purl=_package_url(one),
        hashes=_hashes(one.digest),
        external_references=[_distribution(one.reference)],
        properties=[Property(name="corral:digest", value=one.digest)],
    )


def _hashes(digest: str) -> list[Any]:
    if not digest.startswith(SHA256):
        return []
    return [HashType(alg=shared.HashAlgorithm.SHA_256, content=digest.removeprefix(SHA256))]


def _package_url(one: Artifact) -> PackageURL | None:
    """The package URL of type `oci`, which has a digest for a version; None where there is no digest."""
    if one.digest == UNRESOLVED or one.reference.startswith("https://"):
        return None
    place = one.reference.removeprefix("oci://").partition("@")[0]
    place = place.rpartition(":")[0] if ":" in place.rpartition("/")[2] else place
    qualifiers = {"repository_url": place, **({"tag": one.version} if one.version else {})}
    name = place.rpartition("/")[2].lower()
    return PackageURL(type="oci", name=name, version=one.digest, qualifiers=qualifiers)


def _distribution(url: str) -> Any:
    return ExternalReference(type=shared.ExternalReferenceType.DISTRIBUTION, url=XsUri(url))


def _model(one: LockedModel) -> Any:
    return Component(
        name=one.name,
        version=None if one.revision == UNRESOLVED else one.revision,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model:{one.name}",
        licenses=[LicenseFactory().make_from_string(one.license)],
        external_references=[_distribution(one.source)] if one.source else [],
        properties=[
            Property(name="corral:model", value=one.model),
            Property(name="corral:revision", value=one.revision),
            Property(name="corral:weights", value=one.weights),
            *([Property(name="corral:adapter-of", value=one.adapter_of)] if one.adapter_of else []),
        ],
        components=[
            Component(
                name=file.name,
                type=ComponentType.FILE,
                bom_ref=f"model:{one.name}:{file.name}",
                hashes=[HashType(alg=shared.HashAlgorithm.SHA_256, content=file.sha256)],
                properties=[Property(name="corral:size", value=str(file.size))] if file.size else [],
            )
            for file in one.files
        ],
    )
