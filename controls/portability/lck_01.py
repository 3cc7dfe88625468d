"""No hosted AI service is in the path of the data."""

from collections.abc import Iterator

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_HOSTED = (
    "aws:bedrock/",
    "aws:bedrockfoundation/",
    "aws:bedrockmodel/",
    "aws:comprehend/",
    "aws:kendra/",
    "aws:lex/",
    "aws:polly/",
    "aws:qbusiness/",
    "aws:rekognition/",
    "aws:sagemaker/",
    "aws:transcribe/",
    "aws-native:bedrock:",
    "aws-native:sagemaker:",
    "gcp:ces/",
    "gcp:contactcenterinsights/",
    "gcp:diagflow/",
    "gcp:discoveryengine/",
    "gcp:gemini/",
    "gcp:ml/",
    "gcp:vectorsearch/",
    "gcp:vertex/",
)


def _hosted(subject: Resource, profile: Profile) -> Iterator[str]:
    yield f"{subject.type} is a hosted AI service of one provider"


CONTROL = Control(
    id="SOV-LCK-01",
    title="No hosted AI service is in the path of the data",
    severity=Severity.HIGH,
    sources=("SOV-6", "DORA 28(8)", "Data Act 23"),
    remedy="Serve the model on the platform, or state the exit in an exception.",
    rule=ResourceRule(lambda token: token.startswith(_HOSTED), _hosted),
    cases=(
        *(
            Case(token, Verdict.BAD, Resource(token, "r", {}))
            for token in (
                "aws:bedrock/customModel:CustomModel",
                "aws:sagemaker/endpoint:Endpoint",
                "gcp:vertex/aiEndpoint:AiEndpoint",
                "gcp:discoveryengine/dataStore:DataStore",
            )
        ),
        Case("a bucket", Verdict.GOOD, Resource("aws:s3/bucket:Bucket", "b", {})),
    ),
)
