"""Faults of a cloud on demand: throttling, quotas, pauses; what is made and fails, or is not seen yet."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

RETRIES = 25
"""How often the provider calls again when it is throttled (pulumi-aws 7.51.1, `maxRetries`), and here where
it goes by time, two minutes or more: until what it has made is found, and until EKS knows a role
(terraform-provider-aws, `RetryWhenNewResourceNotFound`, and `CreateCluster` in `service/eks/cluster.go`)."""
THROTTLED = "ThrottlingException"
PAUSE_SECONDS = 120


def error(code: str, message: str, operation: str) -> ClientError:
    """What boto3 raises when AWS refuses a call."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Fault:
    """One thing that goes wrong, as often as `times`."""

    operation: str
    """`create`, `update`, `delete` or `read`."""
    resource: str
    """Pattern of URNs."""
    code: str
    message: str = "injected"
    times: int = 1
    made: bool = False
    """True: AWS does as told, and fails afterwards, as when a node group never becomes active."""


@dataclass
class Pause:
    """A resource that is made, and of which the engine hears only when `over` is set."""

    resource: str
    """Pattern of URNs."""
    made: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@dataclass
class Lag:
    """A resource that is made, and that not all of AWS shows yet."""

    resource: str
    """Pattern of URNs."""
    reads: int = 0
    """Reads that do not find it."""
    calls: int = 0
    """Calls about others, which name it by its ARN, that are refused."""
    arn: str = ""
    """Once it is made."""


@dataclass
class Faults:
    """What is to go wrong, and what has."""

    pauses: list[Pause] = field(default_factory=list)
    planned: list[Fault] = field(default_factory=list)
    lags: list[Lag] = field(default_factory=list)
    throttled: str = THROTTLED
    """Code of a call that is one too many."""
    refusal: Callable[[str, str, str], Exception] = error
    """What the cloud's client raises, by code, message and operation."""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Operation and URN of every fault that was met."""

    def add(self, operation: str, resource: str, code: str, **more: object) -> None:
        """Plan one."""
        self.planned.append(Fault(operation, resource, code, **more))  # pyright: ignore[reportArgumentType]

    def made(self, urn: str, arn: str) -> None:
        """A resource is made; from now on it is late where that is planned."""
        for lag in self.lags:
            if re.search(lag.resource, urn):
                lag.arn = arn

    def hidden(self, urn: str) -> bool:
        """Whether a read does not find what is there."""
        for lag in self.lags:
            if lag.reads > 0 and re.search(lag.resource, urn):
                lag.reads -= 1
                self.seen.append(("read", urn))
                return True
        return False

    def names_unseen(self, operation: str, urn: str, inputs: Mapping[str, object]) -> None:
        """Refuse a call that names what its service does not know yet, once the provider's patience ends.

        Raises:
            ClientError: as EKS does of a role.
        """
        text, lag = json.dumps(inputs), None
        for _ in range(RETRIES):
            lag = next((one for one in self.lags if one.calls > 0 and one.arn and one.arn in text), None)
            if lag is None:
                return
            lag.calls -= 1
            self.seen.append((operation, urn))
        assert lag is not None
        raise self.refusal("InvalidParameterException", f"roleArn, {lag.arn}, does not exist", operation)

    def before(self, operation: str, urn: str) -> None:
        """Refuse a call, unless all retries of a throttled one are left.

        Raises:
            ClientError: as AWS's client does.
        """
        for _ in range(RETRIES):
            fault = self._next(operation, urn, made=False)
            if fault is None:
                return
            if fault.code != self.throttled:
                break
        else:
            fault = Fault(operation, urn, self.throttled, "Rate exceeded")
        raise self.refusal(fault.code, fault.message, operation)

    def after(self, operation: str, urn: str) -> Fault | None:
        """What fails once the call has done its work."""
        for pause in self.pauses:
            if operation == "create" and re.search(pause.resource, urn):
                pause.made.set()
                pause.over.wait(PAUSE_SECONDS)
        if operation == "create" and all(self.hidden(urn) for _ in range(RETRIES)):
            return Fault(operation, urn, "NotFound", f"couldn't find resource ({RETRIES} retries)", made=True)
        return self._next(operation, urn, made=True)

    def _next(self, operation: str, urn: str, *, made: bool) -> Fault | None:
        for fault in self.planned:
            fits = fault.operation == operation and fault.made is made and re.search(fault.resource, urn)
            if fits and fault.times > 0:
                fault.times -= 1
                self.seen.append((operation, urn))
                return fault
        return None
