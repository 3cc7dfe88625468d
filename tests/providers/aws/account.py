"""An account of AWS: moto behind boto3, and what moto lacks as named simulations."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import moto
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from tests.providers.faults import error

from corral.catalogue.aws import partition_of

if TYPE_CHECKING:
    from tests.providers.aws.control_planes import ControlPlane

NUMBER = "123456789012"
BRANDENBURG = "eusc-de-east-1"
# moto 5.2.5 knows the partition, and no zone of its region.
ZONES = {BRANDENBURG: [Zone(f"{BRANDENBURG}{one}", BRANDENBURG, f"eusc1-az{one}") for one in "ab"]}


@contextmanager
def aws() -> Iterator[None]:
    """AWS by moto in this process, empty at first."""
    with (
        mock.patch.dict(os.environ, {"AWS_CONFIG_FILE": os.devnull}),
        mock.patch.dict(RegionsAndZonesBackend.zones, ZONES),
        moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
    ):
        yield


@dataclass
class Account:
    """The account in one region."""

    region: str
    simulated: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """What moto 5.2.5 has no calls for, by kind and id: add-ons, access entries and policies, Pod Identity
    associations, tags of scaling groups that EKS makes."""
    plane: "ControlPlane | None" = None
    """As what a cluster comes up; None: nothing answers at its endpoint."""

    @property
    def partition(self) -> str:
        return str(partition_of(self.region))

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session("testing", "testing", region_name=self.region)

    @cached_property
    def ec2(self) -> Any:
        return self._session.client("ec2")

    @cached_property
    def eks(self) -> Any:
        return self._session.client("eks")

    @cached_property
    def iam(self) -> Any:
        return self._session.client("iam")

    @cached_property
    def kms(self) -> Any:
        return self._session.client("kms")

    @cached_property
    def logs(self) -> Any:
        return self._session.client("logs")

    @cached_property
    def s3(self) -> Any:
        return self._session.client("s3")

    @cached_property
    def autoscaling(self) -> Any:
        return self._session.client("autoscaling")

    def arn(self, service: str, path: str) -> str:
        """ARN of something of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{NUMBER}:{path}"

    def valid(self, client: Any, operation: str, call: Mapping[str, Any]) -> None:
        """Refuse what botocore would not send.

        Raises:
            ClientError: as AWS's client does.
        """
        shape = client.meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(some(**call), shape)
        if report.has_errors():
            raise error("ValidationException", report.generate_report().replace("\n", "; "), operation)

    def simulate(self, kind: str, identity: str, inputs: Mapping[str, Any]) -> None:
        """Make what moto cannot.

        Raises:
            ClientError: when it is there already, as AWS says.
        """
        if (kind, identity) in self.simulated:
            raise error("ResourceInUseException", f"{kind} {identity} already exists", "Create")
        self.simulated[kind, identity] = dict(inputs)


def some(**call: Any) -> dict[str, Any]:
    """A call without what is None."""
    return {key: value for key, value in call.items() if value is not None}


def upper(value: Any) -> Any:
    """EC2's spelling of names: the first letter is a capital one."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: upper(item) for key, item in value.items()}
    return [upper(item) for item in value] if isinstance(value, list) else value


def pairs(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most services list them."""
    return [{key: name, value: text} for name, text in (tags or {}).items()]


def mapped(tags: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags by name."""
    return {one[key]: one[value] for one in tags}


def found(call: Callable[..., Any], **arguments: Any) -> Any:
    """What AWS answers; None where it has no such thing."""
    try:
        return call(**arguments)
    except ClientError as refused:
        if re.search(r"NotFound|NoSuch", refused.response["Error"]["Code"]):
            return None
        raise
