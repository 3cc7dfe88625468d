"""What the provider does for one type of resource, most of it by the shape of its id."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.providers.gcp.google import Google, Thing

Inputs = Mapping[str, Any]
Made = tuple[str, dict[str, Any]]
COMPUTE = "https://www.googleapis.com/compute/v1"


def nothing(google: Google, identity: str, thing: Thing) -> None:
    """No more than the resource itself."""


def no_outputs(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
    """Nothing beside the inputs."""
    return {}


def take(google: Google, identity: str, thing: Thing) -> None:
    """It goes, once nothing is made of it."""
    google.remove(identity)


def keep(google: Google, identity: str, thing: Thing) -> None:
    """Google keeps it for ever by its name."""
    thing.gone = True


@dataclass(frozen=True)
class Kind:
    """One type of resource of terraform-provider-google (at e03b7622a2, with whose schemas it replaces)."""

    token: str
    path: str
    """Its id, with inputs in braces."""
    replaces: frozenset[str] = frozenset()
    """Inputs of which another value is another resource, dotted where they are nested: `ForceNew` there."""
    needs: tuple[str, ...] = ()
    """Inputs that are ids of others, which must be there."""
    outputs: Callable[[Google, str, Inputs], dict[str, Any]] = no_outputs
    made: Callable[[Google, str, Thing], None] = nothing
    changed: Callable[[Google, str, Thing], None] = nothing
    remove: Callable[[Google, str, Thing], None] = take
    named: str | None = None
    """Input that the provider fills in: the logical name with a random part."""
    longest: int = 63
    computed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What Google adds below an input; preview does not know it."""
    changing: frozenset[str] = frozenset()

    def create(self, google: Google, inputs: Inputs) -> Made:
        """Make it; its id, and what Google adds."""
        project = str(inputs.get("project") or google.project)
        known = {"project": project, "region": google.region, **inputs}
        for key in self.needs:
            google.require(known[key])
        identity = re.sub(r"\{(\w+)\}", lambda match: str(known[match[1]]), self.path)
        outputs = {"project": project, **self.outputs(google, identity, known)}
        google.add(self.token, identity, inputs, outputs)
        try:
            self.made(google, identity, google.things[identity])
        except BaseException:
            del google.things[identity]
            raise
        return identity, outputs

    def read(self, google: Google, identity: str, inputs: Inputs) -> dict[str, Any] | None:
        """Inputs as Google has them now; None where it is gone."""
        thing = google.things.get(identity)
        return None if thing is None or thing.gone else thing.inputs

    def update(self, google: Google, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
        """Change what is there to new inputs."""
        thing = google.require(identity)
        thing.inputs = dict(new)
        self.changed(google, identity, thing)
        return {}

    def delete(self, google: Google, identity: str, state: Inputs) -> None:
        """Take it away, if it is there."""
        thing = google.things.get(identity)
        if thing is not None and not thing.gone:
            self.remove(google, identity, thing)


def self_link(base: str) -> Callable[[Google, str, Inputs], dict[str, Any]]:
    """The URL of a resource, with its id at the end."""

    def outputs(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
        return {"selfLink": f"{base}/{identity}"}

    return outputs
