"""The contract between what reads and what collects."""

from typing import Protocol

from .sample import Reading


class Probe(Protocol):
    """Reads one source. Slow calls are welcome here: each probe has its own thread."""

    @property
    def name(self) -> str:
        """The source of its samples, unique in a run."""
        ...

    @property
    def period(self) -> float:
        """Seconds from the start of one reading to the start of the next."""
        ...

    def read(self) -> Reading | None:
        """One reading, or None when there is nothing to say. Trouble stands in the reading, it is not raised."""
        ...
