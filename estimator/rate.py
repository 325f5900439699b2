"""Counts to rates, across resets, holes and clocks that jump."""

from collections import deque


class Rate:
    """The rate of one count that only grows, over a sliding window.

    A count that falls means that the source was restarted: what was known is dropped, since no rate can be told across
    it. The same holds for a hole (no value, or silence longer than `gap`) and for a clock that does not advance.
    """

    def __init__(self, window: float, gap: float = 15.0) -> None:
        self.window = window
        """Seconds that the rate is taken over; more while readings are sparse."""
        self.gap = gap
        """Seconds of silence that make a hole."""
        self._readings: deque[tuple[float, float]] = deque()

    def add(self, time: float, value: float | None) -> None:
        """Adds one reading: monotonic seconds and the count, None for a hole."""
        readings = self._readings
        if value is None:
            readings.clear()
            return
        if readings:
            last_time, last_value = readings[-1]
            if time == last_time:
                return
            if time < last_time or value < last_value or time - last_time > self.gap:
                readings.clear()
        readings.append((time, value))
        while len(readings) > 2 and readings[1][0] <= time - self.window:
            readings.popleft()

    @property
    def span(self) -> float | None:
        """Seconds that the rate is taken over now; None while there are fewer than two readings."""
        if len(self._readings) < 2:
            return None
        return self._readings[-1][0] - self._readings[0][0]

    @property
    def per_second(self) -> float | None:
        """The rate, never negative; None while it cannot be told."""
        span = self.span
        if span is None:
            return None
        return (self._readings[-1][1] - self._readings[0][1]) / span


class Mean:
    """The mean of observations whose sum and count are both counts that only grow: seconds per token, say."""

    def __init__(self, window: float, gap: float = 15.0) -> None:
        self._sum = Rate(window, gap)
        self._count = Rate(window, gap)

    def add(self, time: float, total: float | None, count: float | None) -> None:
        """Adds one reading of the sum and of the count."""
        self._sum.add(time, total)
        self._count.add(time, count)

    @property
    def value(self) -> float | None:
        """Mean over the window; None when nothing was observed in it."""
        total, count = self._sum.per_second, self._count.per_second
        return total / count if total is not None and count else None
