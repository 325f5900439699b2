"""What the lines of a log say of an engine, by kind of log."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

Facts = Mapping[str, float]
"""Values by name of a field of `Engine`."""


class Report(Protocol):
    """Takes the lines of one log and says what holds now."""

    engine: ClassVar[str]
    """Whose log it is, as people write it."""
    source: ClassVar[str]
    """Where the decode rate stands: "log tg_3s"; empty where a line comes at the end of a request only."""

    def take(self, line: str, time: float) -> bool:
        """Whether the line told something; `time` is when it was read, in monotonic seconds."""
        ...

    def now(self, time: float) -> Facts:
        """What holds at a moment. A value that nothing repeated for too long is left out."""
        ...
