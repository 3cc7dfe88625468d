"""Containers that a cloud runs by itself, and models that its services name."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.cloud_parts import KEY, TEMPLATE
from tests.policy.adversarial.stacks import DIGEST

Named = tuple[str, str, dict[str, Any]]
_SAGEMAKER = "aws:sagemaker/model:Model"
_IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/vllm{DIGEST}"
_RUN_IMAGE = f"europe-west3-docker.pkg.dev/p/r/vllm{DIGEST}"
_ROLE = "arn:aws:iam::123456789012:role/r"
_GARDEN = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
_PROFILE = "aws:bedrock/inferenceProfile:InferenceProfile"
_BEDROCK = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/"


def _sagemaker(**container: Any) -> dict[str, Any]:
    isolated = {"enableNetworkIsolation": True, "executionRoleArn": _ROLE}
    return {**isolated, "primaryContainer": {"image": _IMAGE, **container}}


def _ecs(**container: Any) -> dict[str, Any]:
    return {"family": "f", "containerDefinitions": json.dumps([{"name": "v", "image": _IMAGE, **container}])}


def _batch(**container: Any) -> dict[str, Any]:
    return {"type": "container", "containerProperties": json.dumps({"image": _IMAGE, **container})}


def _run(**container: Any) -> dict[str, Any]:
    return {"location": "europe-west3", "template": {"containers": [{"image": _RUN_IMAGE, **container}]}}


def bad() -> Iterator[Named]:
    """(title, token, props) of models of a hub or of strangers, and of code that a model brings."""
    for variables in (
        {"HF_MODEL_ID": "org/model"},
        {"HF_MODEL_TRUST_REMOTE_CODE": "true"},
        {"MODEL_ID": "hf://org/model"},
    ):
        yield f"SageMaker {variables}", _SAGEMAKER, _sagemaker(environment=variables)
    several = {"executionRoleArn": _ROLE, "containers": [{"image": _IMAGE}]}
    yield (
        "SageMaker's second container",
        _SAGEMAKER,
        {**several, "containers": [{"image": _IMAGE}, {"image": _IMAGE, "modelDataUrl": "s3://shop/m"}]},
    )
    yield "SageMaker's data", _SAGEMAKER, _sagemaker(modelDataUrl="s3://shop/m.tar.gz")
    source = {"s3DataSources": [{"s3Uri": "s3://shop/m/", "s3DataType": "S3Prefix"}]}
    yield "SageMaker's source of data", _SAGEMAKER, _sagemaker(modelDataSource=source)
    task = "aws:ecs/taskDefinition:TaskDefinition"
    yield "ECS", task, _ecs(command=["--model", "org/model"])
    yield "ECS code", task, _ecs(command=["--model", "/models/a", "--trust-remote-code"])
    yield "ECS environment", task, _ecs(environment=[{"name": "HF_MODEL_ID", "value": "org/model"}])
    yield "ECS entry", task, _ecs(entryPoint=["sh", "-c"], command=["huggingface-cli download org/model"])
    job = "aws:batch/jobDefinition:JobDefinition"
    yield "Batch", job, _batch(command=["vllm", "serve", "org/model"])
    nodes = {"numNodes": 2, "nodeRangeProperties": [{"container": {"command": ["--model", "org/model"]}}]}
    yield "Batch of nodes", job, {"type": "multinode", "nodeProperties": json.dumps(nodes)}
    pods = {"podProperties": {"containers": [{"image": _IMAGE, "args": ["--model", "org/model"]}]}}
    yield "Batch on EKS", job, {"type": "container", "eksProperties": pods}
    variables = {"environment": {"variables": {"HF_MODEL_ID": "org/model"}}}
    yield "Lambda", "aws:lambda/function:Function", {"role": _ROLE, "imageUri": _IMAGE, **variables}
    started = {"imageConfiguration": {"startCommand": "vllm serve org/model"}, "imageIdentifier": _IMAGE}
    runner = {"serviceName": "s", "sourceConfiguration": {"imageRepository": started}}
    yield "App Runner", "aws:apprunner/service:Service", runner
    for kind in ("service:Service", "workerPool:WorkerPool"):
        yield f"Cloud Run {kind}", f"gcp:cloudrunv2/{kind}", _run(args=["--model", "org/model"])
    envs = _run(envs=[{"name": "HF_MODEL_ID", "value": "org/model"}])
    yield "Cloud Run environment", "gcp:cloudrunv2/service:Service", envs
    nested = {"location": "europe-west3", "template": {"template": envs["template"]}}
    yield "Cloud Run job", "gcp:cloudrunv2/job:Job", nested
    former = {"location": "europe-west3", "template": {"spec": _run(args=["-hf", "org/model"])["template"]}}
    yield "Cloud Run, former", "gcp:cloudrun/service:Service", former
    yield from _machines()
    place = {"location": "europe-west3"}
    yield "Model Garden of a hub", _GARDEN, {**place, "huggingFaceModelId": "org/model"}
    publisher = "publishers/google/models/gemma3@gemma-3-1b-it"
    yield "Model Garden", _GARDEN, {**place, "publisherModelName": publisher}


def _machines() -> Iterator[Named]:
    script = "#!/bin/bash\nhuggingface-cli download org/model --local-dir /models\n"
    encoded = base64.b64encode(script.encode()).decode()
    for key, value in (("userData", script), ("userDataBase64", encoded)):
        yield f"a machine's {key}", "aws:ec2/instance:Instance", {"ami": "a", key: value}
    yield "a template's script", "aws:ec2/launchTemplate:LaunchTemplate", {"userData": encoded}
    notebook = "NotebookInstanceLifecycleConfiguration"
    token = f"aws:sagemaker/notebookInstanceLifecycleConfiguration:{notebook}"
    yield "a notebook's script", token, {"onStart": encoded}
    zone = {"zone": "europe-west3-a", "machineType": "a3-highgpu-8g"}
    machine = "gcp:compute/instance:Instance"
    yield "a script in metadata", machine, {**zone, "metadata": {"startup-script": script}}
    yield "a script of its own", machine, {**zone, "metadataStartupScript": script}
    declared = "spec:\n  containers:\n  - image: vllm/vllm-openai\n    args: ['--model', 'org/model']\n"
    yield "a container declared", machine, {**zone, "metadata": {"gce-container-declaration": declared}}
    pool = {"cluster": "c", "nodeConfig": {"metadata": {"startup-script": script}}}
    yield "a script of nodes", "gcp:container/nodePool:NodePool", pool
    variables = [{"name": "HF_TOKEN", "value": "t"}]
    build = {"environment": {"image": "aws/codebuild/standard:7.0", "environmentVariables": variables}}
    yield "a build's variables", "aws:codebuild/project:Project", build
    source = {"buildspec": "phases: {build: {commands: ['hf download org/model']}}"}
    yield "a build's commands", "aws:codebuild/project:Project", {**build, "source": source}


def elsewhere() -> Iterator[Named]:
    """(title, token, props) of models of Bedrock that answer in other places."""
    for prefix in ("us", "global", "apac", "eu"):
        model = f"{prefix}.anthropic.claude-sonnet-4-20250514-v1:0"
        yield f"a profile of {prefix}", _PROFILE, {"name": "p", "modelSource": {"copyFrom": _BEDROCK + model}}
        agent = {"agentName": "a", "agentResourceRoleArn": _ROLE, "customerEncryptionKeyArn": KEY}
        yield (
            f"an agent of {prefix}",
            "aws:bedrock/agentAgent:AgentAgent",
            {**agent, "foundationModel": model},
        )


def good() -> Iterator[Named]:
    """The same of the platform's own, and what only looks alike."""
    yield "SageMaker", _SAGEMAKER, _sagemaker(modelDataUrl="s3://models/m.tar.gz", environment={"A": "b"})
    yield "ECS", "aws:ecs/taskDefinition:TaskDefinition", _ecs(command=["--model", "/models/chat"])
    yield "Batch", "aws:batch/jobDefinition:JobDefinition", _batch(command=["python", "train.py"])
    yield "Cloud Run", "gcp:cloudrunv2/service:Service", _run(args=["--model", "/models/chat"])
    script = "#!/bin/bash\n/etc/eks/bootstrap.sh models --kubelet-extra-args '--node-labels=pool=a'\n"
    template = {**TEMPLATE, "userData": base64.b64encode(script.encode()).decode()}
    yield "a template's script", "aws:ec2/launchTemplate:LaunchTemplate", template
    runtime = {"role": _ROLE, "runtime": "python3.13", "handler": "a.b", "kmsKeyArn": KEY}
    yield "Lambda of no model", "aws:lambda/function:Function", runtime
    model = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"
    yield "a profile of one region", _PROFILE, {"name": "p", "modelSource": {"copyFrom": model}}
