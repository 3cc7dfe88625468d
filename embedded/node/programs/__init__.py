"""The table of programs: which images run here as processes."""

from corral.embedded.node.program_spec import Omitted, ProgramSpec, fits
from corral.embedded.node.programs import (
    cert_manager,
    envoy,
    external_secrets,
    keda,
    kserve,
    kueue,
    kyverno,
    llama,
    postgres,
    prometheus,
    rate_limits,
    seaweedfs,
    tools,
)

TABLE: tuple[ProgramSpec | Omitted, ...] = (
    *cert_manager.PROGRAMS,
    *kserve.PROGRAMS,
    *llama.PROGRAMS,
    *seaweedfs.PROGRAMS,
    *postgres.PROGRAMS,
    *kyverno.PROGRAMS,
    *kueue.PROGRAMS,
    *envoy.PROGRAMS,
    *rate_limits.PROGRAMS,
    *keda.PROGRAMS,
    *external_secrets.PROGRAMS,
    *prometheus.PROGRAMS,
    *tools.PROGRAMS,
)


def find(image: str) -> ProgramSpec | Omitted | None:
    """What the table says of an image, from any registry and with any tag or digest; None: nothing."""
    return next((entry for entry in TABLE if fits(entry.image, image)), None)
