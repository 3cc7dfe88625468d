"""Log lines about a machine: each state of a subject once, when it begins."""

import logging

from corral.embedded.hardware.inventory import Machine

logger = logging.getLogger("corral.embedded.hardware.driver")


class ChangeLog:
    """What was logged last, by machine and subject."""

    def __init__(self) -> None:
        self._logged: dict[tuple[str, str], str] = {}

    def log(self, machine: Machine, about: str, why: str, level: int = logging.ERROR) -> None:
        """Log `why` unless it is what was logged last about this; empty: all is well again."""
        if why and self._logged.get((machine.name, about)) != why:
            logger.log(level, "machine %s: %s", machine.name, why)
        self._logged[(machine.name, about)] = why
