"""Energy counters of the kernel: microjoules that grow, start again after their range, and are read now and then."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

_SHORTEST_S = 0.02
"""The counters move about every millisecond, so a shorter interval is noise."""


def steady_time() -> float:
    """Seconds that pass while the machine sleeps as well, as its counters may go on counting then."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Counter(Struct, frozen=True, kw_only=True):
    """One counter, as it was found."""

    file: Path
    range_uj: int | None = None
    """After which it starts again at 0; None where it does not."""
    ceiling_w: float
    """More than what it counts can ever draw: a larger step is a counter that was reset."""
    restless: bool = True
    """Whether it must have moved after any interval, as of a chip that is on; one that stands still tells nothing."""

    def spent_uj(self, before: int, now: int, elapsed_s: float) -> int | None:
        """Microjoules between two readings; None after a reset, and where it may have started again more than once."""
        most = self.ceiling_w * elapsed_s * 1e6
        if self.range_uj and most >= self.range_uj:
            return None
        spent = now - before
        if spent < 0:
            spent += self.range_uj or 0
        return spent if 0 <= spent <= most else None


class Spent(Struct, frozen=True):
    """What some counters told together."""

    power_w: float | None = None
    """Since the previous reading."""
    energy_j: float | None = None
    """Since the first reading, or since the last one that nothing can be said across: then it falls to 0."""


class EnergyMeter:
    """Adds up counters, from one reading to the next. One that cannot be read makes the sum unknown."""

    def __init__(self, clock: Callable[[], float] = steady_time) -> None:
        self.forbidden: Path | None = None
        """The counter that this user may not read."""
        self.still_s = 0.0
        """For how long a counter that must move has not."""
        self._clock = clock
        self._counters: tuple[Counter, ...] = ()
        self._values: tuple[int, ...] = ()
        self._time = 0.0
        self._total_uj = 0
        self._last = Spent()

    def read(self, counters: tuple[Counter, ...]) -> Spent:
        """One reading. Nothing in it without counters; no power in the first reading of a set of counters."""
        now = self._clock()
        known = bool(counters) and counters == self._counters
        if known and now - self._time < _SHORTEST_S:
            return self._last
        values = self._read(counters)
        if values is None:
            self._counters = ()
            self._last = Spent()
        elif not known:
            self._last = self._begin(counters, values, now)
        else:
            self._last = self._go_on(values, now)
        return self._last

    def _read(self, counters: tuple[Counter, ...]) -> tuple[int, ...] | None:
        self.forbidden = None
        values: list[int] = []
        for counter in counters:
            try:
                values.append(int(counter.file.read_text("ascii")))
            except PermissionError:
                self.forbidden = counter.file
                return None
            except (OSError, ValueError):
                return None
        return tuple(values) or None

    def _begin(self, counters: tuple[Counter, ...], values: tuple[int, ...], now: float) -> Spent:
        self._counters, self._values, self._time = counters, values, now
        self._total_uj = 0
        return Spent(None, None if self.still_s else 0.0)

    def _go_on(self, values: tuple[int, ...], now: float) -> Spent:
        elapsed = now - self._time
        spent = 0
        for counter, before, value in zip(self._counters, self._values, values, strict=True):
            if value == before and counter.restless:
                # What it counts once it moves again was spent since the last reading that stands.
                self.still_s = elapsed
                return Spent()
            of_one = counter.spent_uj(before, value, elapsed)
            if of_one is None:
                return self._begin(self._counters, values, now)
            spent += of_one
        self.still_s = 0.0
        self._values, self._time = values, now
        self._total_uj += spent
        return Spent(spent / 1e6 / elapsed, self._total_uj / 1e6)
