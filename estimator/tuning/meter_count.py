"""One count of tokens, cut into stretches."""

from msgspec import Struct

NEARLY = 0.9
"""Part of its length at which a stretch may end: readings come a little early and a little late."""
LEAST_READINGS = 2
"""In a stretch, after that which begins it."""


class Stretch(Struct, frozen=True):
    """From one reading to another."""

    start: float
    end: float
    tokens: float
    idle_s: float


class Count:
    """Follows a count that only grows, and tells each stretch when it is over."""

    def __init__(self, block_s: float) -> None:
        self._block_s = block_s
        self._last: tuple[float, float] | None = None
        self._moved = float("-inf")
        self._start: tuple[float, float] | None = None
        self._readings = 0

    @property
    def last_s(self) -> float | None:
        """The moment of the last reading."""
        return self._last[0] if self._last else None

    @property
    def moved_s(self) -> float | None:
        """The moment of the last reading that had more than the one before it."""
        return self._moved if self._moved > float("-inf") else None

    def fell(self, tokens: float) -> bool:
        """Whether this is the count of another life."""
        return self._last is not None and tokens < self._last[1]

    def forget(self) -> None:
        """Begins anew: what comes is no continuation."""
        self._last = self._start = None
        self._moved = float("-inf")

    def cut(self) -> None:
        """Drops the stretch that is not over."""
        self._start = None

    def add(self, time: float, tokens: float, *, stepped: bool, counts: bool) -> Stretch | None:
        """Takes one reading.

        Args:
            time: monotonic seconds.
            tokens: so far.
            stepped: the count is published at intervals of its own, so that a stretch may end at a change only.
            counts: whether a stretch may begin or go on here; where not, the one that is open is dropped.
        """
        last, self._last = self._last, (time, tokens)
        if last is not None and time <= last[0]:
            return None
        moved = last is not None and tokens > last[1]
        if moved or last is None:
            self._moved = time
        if not counts:
            self._start = None
            return None
        if stepped and not moved:
            return None
        start = self._start
        if start is not None:
            self._readings += 1
            if time - start[0] < NEARLY * self._block_s or self._readings < LEAST_READINGS:
                return None
        self._start, self._readings = (time, tokens), 0
        if start is None:
            return None
        made, seconds = tokens - start[1], time - start[0]
        return Stretch(start[0], time, made, 0.0 if made > 0 else seconds)
