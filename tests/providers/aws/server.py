"""A provider `aws`, whose state is moto's."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from tests.providers.aws.account import Account, aws
from tests.providers.aws.calls import KINDS
from tests.providers.aws.control_planes import ControlPlane
from tests.providers.aws.fabric import refusals
from tests.providers.aws.functions import FUNCTIONS
from tests.providers.faults import Faults
from tests.providers.provider import Provider, serving

REGION = "aws:config:region"


class Aws(Provider):
    """The provider, whose state is moto's."""

    version = "7.51.1"
    needed = REGION
    kinds = KINDS
    functions = FUNCTIONS
    refused = (ClientError, BotoCoreError)

    def __init__(self) -> None:
        super().__init__(Faults())
        self.accounts: dict[str, Account] = {}
        self.plane: ControlPlane | None = None
        """As what a cluster comes up; None: nothing answers at its endpoint."""

    def account(self, region: str = "") -> Account:
        """The account in a region, the configured one when omitted."""
        region = region or self.config.get(REGION, "")
        return self.accounts.setdefault(region, Account(region, plane=self.plane))

    def refusals(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        return refusals(token, inputs)

    def of(self, inputs: Mapping[str, Any]) -> Account:
        return self.account(str(inputs.get("region") or ""))


@contextmanager
def provider() -> Iterator[tuple[Aws, int]]:
    """The provider with an empty AWS behind it, and its port."""
    with aws():
        servicer = Aws()
        with serving(servicer) as port:
            yield servicer, port
