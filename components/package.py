"""The components as a Pulumi package: provider and schema, from the components themselves."""

import inspect
import json
import re
from importlib import metadata
from typing import Any, cast

from pulumi.provider.experimental.component import ComponentProvider

from corral.components._kit import PACKAGE
from corral.components.surface import components

SECRET = re.compile(r"\ba secret\b")
"""How the description of an argument or output says that its value is one."""


class Package(ComponentProvider):
    """Constructs every component for programs in any language."""

    def __init__(self) -> None:
        super().__init__(list(components()), PACKAGE, version=metadata.version("corral"))
        self.schema = json.dumps(published(json.loads(cast(str, self.schema))))


def published(inferred: dict[str, Any]) -> dict[str, Any]:
    """The schema inferred from components, with plain descriptions, and with secrets marked as such."""
    # Without it the generator refers to types of the elements of plain lists that it does not write.
    inferred["language"]["go"]["generateExtraInputTypes"] = True
    for described in (*inferred["resources"].values(), *inferred["types"].values()):
        described["description"] = inspect.cleandoc(described.get("description") or "")
        for section in ("inputProperties", "properties"):
            properties = cast("dict[str, dict[str, Any]]", described.get(section) or {})
            for one in properties.values():
                one["description"] = inspect.cleandoc(one.get("description") or "")
                if SECRET.search(one["description"]):
                    one["secret"] = True
    return inferred
