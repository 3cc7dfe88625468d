"""Corral: a sovereign, self-hosted LLM platform on Kubernetes, as a Pulumi program."""

from pathlib import Path

_beside = Path(__file__).parent
if not (_beside / "catalogue").is_dir():
    # A checkout that does not keep links: the rooms are at its top.
    __path__.append(str(_beside.parents[1]))
