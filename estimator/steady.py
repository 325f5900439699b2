"""Stretches of decoding under an even load: long enough to be held against the prediction."""

LEAST_S = 30.0
AGAIN_S = 600.0
"""Seconds until the same load counts anew."""


class Steady:
    """Follows one engine's count of generated tokens while its load stays as it is."""

    def __init__(self) -> None:
        self._start: tuple[float, float] | None = None
        self._now = (0.0, 0.0)
        self._streams = 0.0
        self._taken = -AGAIN_S

    def add(self, time: float, tokens: float | None, streams: float, *, disturbed: bool) -> None:
        """Takes one reading: all tokens generated so far, and how many streams decode.

        `disturbed`: something else goes on, as a prompt being read. Any change of the load begins a new stretch.
        """
        broken = tokens is None or disturbed or streams < 1.0
        if tokens is None or broken or streams != self._streams or tokens < self._now[1]:
            self._start = None if tokens is None or broken else (time, tokens)
        elif self._start is None:
            self._start = (time, tokens)
        self._streams = streams
        self._now = (time, tokens or 0.0)

    @property
    def is_long_enough(self) -> bool:
        """Whether there is a stretch that can be taken."""
        start = self._start
        return start is not None and self._now[0] - start[0] >= LEAST_S and self._now[0] - self._taken >= AGAIN_S

    def take(self) -> float | None:
        """The rate in tokens/s of a stretch that is long enough and was not taken lately; None otherwise."""
        if self._start is None or not self.is_long_enough:
            return None
        self._taken = self._now[0]
        return (self._now[1] - self._start[1]) / (self._now[0] - self._start[0]) or None
