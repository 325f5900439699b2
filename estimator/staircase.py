"""The rate of a count that is published at intervals of its own: nine of ten readings of it may be the same."""

from collections import deque

STOPPED = 2.5
"""Of the longest interval seen: a count that stands still for longer has stopped."""
PATIENCE_S = 25.0
"""Seconds that a count may stand still before it is taken for stopped, while no interval of it is known."""


class Staircase:
    """A rate from one change of the count to another, since the time between two readings says nothing.

    A change is dated by the first reading that shows it, so one interval is known as well as the time between readings.
    A count that falls means a restart, as in `Rate`; so does a hole.
    """

    def __init__(self, window: float, gap: float = 15.0) -> None:
        self.window = window
        """Seconds that the rate is taken over; more where the intervals are longer."""
        self.gap = gap
        """Seconds of silence that make a hole."""
        self._changes: deque[tuple[float, float]] = deque()
        self._begun: float | None = None
        self._last: tuple[float, float] | None = None
        self._longest = 0.0

    def add(self, time: float, value: float | None) -> None:
        """Adds one reading: monotonic seconds and the count, None for a hole."""
        last = self._last
        if value is None or (last and (time < last[0] or value < last[1] or time - last[0] > self.gap)):
            self._changes.clear()
            self._begun = last = None
            self._longest = 0.0
        self._last = None if value is None else (time, value)
        if value is None:
            return
        if last is None:
            self._begun = time
        elif value > last[1]:
            if self._changes:
                self._longest = max(self._longest, time - self._changes[-1][0])
            self._changes.append((time, value))
            while len(self._changes) > 2 and self._changes[1][0] <= time - self.window:
                self._changes.popleft()

    @property
    def span(self) -> float | None:
        """Seconds that the rate is taken over now; None while there are fewer than two changes."""
        return self._changes[-1][0] - self._changes[0][0] if len(self._changes) > 1 else None

    @property
    def per_second(self) -> float | None:
        """The rate, never negative; 0 once the count stands still for too long; None while it cannot be told."""
        if self._last is None or self._begun is None:
            return None
        now = self._last[0]
        since = self._changes[-1][0] if self._changes else self._begun
        if now - since > (STOPPED * self._longest if self._longest else PATIENCE_S):
            return 0.0
        span = self.span
        return (self._changes[-1][1] - self._changes[0][1]) / span if span else None
