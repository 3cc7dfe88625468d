"""Which namespaces the policies at admission hold for: those with one label, or all but a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corral.catalogue.vocabulary import CLASS_LABEL, DataClass

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server gives every namespace."""
SCOPE_LABEL = "corral.dev/policies"
"""Label of a namespace; every namespace of Corral carries it, and any other can."""
ENFORCED = "enforced"
"""Its value where the policies hold."""
ALWAYS_EXEMPT = ("kube-system",)
"""What the cluster cannot heal without."""
EXEMPT = ("kube-node-lease", "kube-public", "kube-system")
"""Exemptions of a scope that is the whole cluster, where none are listed."""


@dataclass(frozen=True)
class Scope:
    """The namespaces that policies hold for."""

    exempt: Sequence[str] | None = None
    """All but these; None: those alone that carry the label."""

    @property
    def labelled(self) -> bool:
        """Whether the label decides."""
        return self.exempt is None

    @property
    def exemptions(self) -> list[str]:
        """Namespaces without policies, whatever their labels."""
        return sorted({*ALWAYS_EXEMPT, *(self.exempt or ())})

    def selector(self, *, beside: Sequence[str] = (), classified: bool = False) -> dict[str, Any]:
        """The `namespaceSelector`; `beside`: further namespaces that are left out.

        `classified`: those alone whose data is of a class above public.
        """
        names = sorted({*self.exemptions, *beside})
        expressions: list[dict[str, Any]] = [{"key": NAMESPACE_NAME, "operator": "NotIn", "values": names}]
        if self.labelled:
            expressions.append({"key": SCOPE_LABEL, "operator": "In", "values": [ENFORCED]})
        if classified:
            expressions.append({"key": CLASS_LABEL, "operator": "Exists"})
            expressions.append({"key": CLASS_LABEL, "operator": "NotIn", "values": [DataClass.PUBLIC.value]})
        return {"matchExpressions": expressions}
