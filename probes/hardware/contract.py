"""What a module of this folder offers: a probe that knows whether it has anything to read here."""

from collections.abc import Sequence
from typing import Protocol

from ..sample import Reading


class HardwareProbe(Protocol):
    """A probe whose period may be changed while it is in use."""

    name: str
    """The source of its samples, unique in a run."""
    period: float
    """Seconds from the start of one reading to the start of the next."""

    @classmethod
    def detect(cls) -> "Sequence[HardwareProbe]":
        """The probes that apply to this machine: none, or one for all devices of a kind. Takes milliseconds."""
        ...

    def read(self) -> Reading:
        """One reading. Trouble is reported inside the reading, not raised."""
        ...
