"""The power of an Apple chip, from the first source that tells it.

The watts are those of the chip: CPU, GPU and Neural Engine, and the memory beside them where it is counted. They share
one budget, and inference draws on all of them. The CPU of the same Mac must not be added to it: as a device it has no
power of its own.
"""

from collections.abc import Callable, Sequence

from .draw import AppleDraw, PowerSource

OpenSource = Callable[[], PowerSource]

_RETRY_S = 60.0
"""Seconds until the sources are tried anew once all of them failed."""
_ADVICE = "pip install 'llmtop-tui[apple]' or brew install macmon allows it without root, sudo llmtop with it"
_UNTOLD = "macOS tells its own energy counters through a library only"
_VIRTUAL = "power: macOS tells it to no virtual machine"


class ApplePower:
    """Asks the sources in their order; one that fails gives way to the next."""

    def __init__(self, sources: Sequence[OpenSource], clock: Callable[[], float], *, virtual: bool = False) -> None:
        self.unread: tuple[str, ...] = (_VIRTUAL,) if virtual else ()
        """As `Device.unread` has it."""
        self._sources = () if virtual else sources
        self._clock = clock
        self._current: PowerSource | None = None
        self._next = 0
        self._due = clock()
        self._problem = ""

    def read(self) -> AppleDraw:
        """One reading; nothing in it while no source tells."""
        if not self._sources:
            return AppleDraw()
        while (source := self._source()) is not None:
            draw = source.read()
            if source.problem is None:
                self.unread = self.unread if draw.power_w is None else ()
                return draw
            self._problem = self._problem or source.problem
            self._current = None
            source.close()
        self.unread = (f"power: {self._problem or _UNTOLD}; {_ADVICE}",)
        return AppleDraw()

    def _source(self) -> PowerSource | None:
        """The one that tells, else the next that is there."""
        if self._current is not None:
            return self._current
        if self._next >= len(self._sources):
            if self._clock() < self._due:
                return None
            self._next, self._problem = 0, ""
        self._current = self._sources[self._next]()
        self._next += 1
        self._due = self._clock() + _RETRY_S
        return self._current
