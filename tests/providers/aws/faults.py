"""Faults of AWS on demand: throttling, quotas, pauses, resources that are made and then fail."""

import re
import threading
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

RETRIES = 25
"""How often the provider calls again when it is throttled (pulumi-aws 7.51.1, `maxRetries`)."""
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
class Faults:
    """What is to go wrong, and what has."""

    pauses: list[Pause] = field(default_factory=list)
    planned: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Operation and URN of every fault that was met."""

    def add(self, operation: str, resource: str, code: str, **more: object) -> None:
        """Plan one."""
        self.planned.append(Fault(operation, resource, code, **more))  # pyright: ignore[reportArgumentType]

    def before(self, operation: str, urn: str) -> None:
        """Refuse a call, unless all retries of a throttled one are left.

        Raises:
            ClientError: as AWS's client does.
        """
        for _ in range(RETRIES):
            fault = self._next(operation, urn, made=False)
            if fault is None:
                return
            if fault.code != THROTTLED:
                break
        else:
            fault = Fault(operation, urn, THROTTLED, "Rate exceeded")
        raise error(fault.code, fault.message, operation)

    def after(self, operation: str, urn: str) -> Fault | None:
        """What fails once the call has done its work."""
        for pause in self.pauses:
            if operation == "create" and re.search(pause.resource, urn):
                pause.made.set()
                pause.over.wait(PAUSE_SECONDS)
        return self._next(operation, urn, made=True)

    def _next(self, operation: str, urn: str, *, made: bool) -> Fault | None:
        for fault in self.planned:
            fits = fault.operation == operation and fault.made is made and re.search(fault.resource, urn)
            if fits and fault.times > 0:
                fault.times -= 1
                self.seen.append((operation, urn))
                return fault
        return None
