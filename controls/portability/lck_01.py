"""No hosted AI service is in the path of the data."""

import re
from collections.abc import Iterator
from functools import lru_cache

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves
from corral.controls.tasks import TASKS

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


_HOST = re.compile(
    r"(?i)(?:^|[/@\s\"'=,:(\[])(?:[a-z0-9-]+\.)*("
    r"api\.openai\.com|openai\.azure\.com|services\.ai\.azure\.com|api\.anthropic\.com|api\.mistral\.ai"
    r"|generativelanguage\.googleapis\.com|aiplatform\.googleapis\.com|bedrock(?:-[a-z-]+)?\.[a-z0-9-]+\.amazonaws\.com"
    r"|api\.cohere\.(?:com|ai)|api\.groq\.com|api\.together\.(?:xyz|ai)|openrouter\.ai|api\.deepseek\.com"
    r"|api\.fireworks\.ai|api\.replicate\.com|api\.x\.ai|api\.perplexity\.ai|(?:integrate|ai)\.api\.nvidia\.com"
    r"|router\.huggingface\.co|api-inference\.huggingface\.co|endpoints\.huggingface\.cloud"
    r")(?=[:/\s\"',)\]?]|$)"
)
"""A host at which a provider serves models."""
_SILENT = (
    "kubernetes:apiextensions.k8s.io/",
    "kubernetes:networking.k8s.io/",
    "kubernetes:core/v1:ConfigMap",
)
"""Beginnings of types of resources that call nobody."""


def _applies(token: str) -> bool:
    return (
        token.startswith(_HOSTED)
        or token in TASKS
        or (token.startswith("kubernetes:") and not token.startswith(_SILENT))
    )


def _hosted(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type.startswith(_HOSTED):
        yield f"{subject.type} is a hosted AI service of one provider"
        return
    for path, value in leaves(subject):
        host = _provider(value) if isinstance(value, str) and "." in value else None
        if host is not None:
            yield f"`{path}` names {host}, a hosted AI service of one provider"


@lru_cache(4096)
def _provider(text: str) -> str | None:
    """The first host in `text` at which a provider serves models; objects repeat their texts."""
    match = _HOST.search(text)
    return None if match is None else match[1].lower()


def _workload(url: str) -> Resource:
    env = [{"name": "OPENAI_BASE_URL", "value": url}]
    return Resource("kubernetes:core/v1:Pod", "p", {"spec": {"containers": [{"name": "c", "env": env}]}})


def _graph(url: str) -> Resource:
    steps = [{"serviceUrl": url}]
    props = {"spec": {"nodes": {"root": {"routerType": "Sequence", "steps": steps}}}}
    return Resource("kubernetes:serving.kserve.io/v1alpha1:InferenceGraph", "g", props)


CONTROL = Control(
    id="SOV-LCK-01",
    title="No hosted AI service is in the path of the data",
    severity=Severity.HIGH,
    sources=("SOV-6", "DORA 28(8)", "Data Act 23"),
    remedy="Serve the model on the platform, or state the exit in an exception.",
    rule=ResourceRule(_applies, _hosted),
    cases=(
        Case("a workload that calls one", Verdict.BAD, _workload("https://api.openai.com/v1")),
        Case(
            "a container of a cloud's that calls one",
            Verdict.BAD,
            Resource(
                "aws:lambda/function:Function",
                "f",
                {"environment": {"variables": {"OPENAI_BASE_URL": "https://api.openai.com/v1"}}},
            ),
        ),
        Case("a function of a cloud's", Verdict.GOOD, Resource("aws:lambda/function:Function", "f", {})),
        Case("a workload that calls one's own", Verdict.GOOD, _workload("http://chat.team-a.svc/v1")),
        Case("a name that only ends alike", Verdict.GOOD, _workload("https://api.openai.com.example.eu/v1")),
        Case("a step of a graph", Verdict.BAD, _graph("https://bedrock-runtime.eu-west-1.amazonaws.com")),
        Case("a step of a graph of the cluster", Verdict.GOOD, _graph("http://embed.team-a.svc")),
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
