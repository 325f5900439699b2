"""Tokens/s of one phase, prefill or decode, however the engine tells it."""

from msgspec import Struct

from ..probes.sample import Liveness
from .rate import Rate
from .staircase import Staircase


class Told(Struct, frozen=True):
    """What one reading says of one phase."""

    count: float | None = None
    """Tokens so far."""
    rate: float | None = None
    """Tokens/s that the engine itself gives; counts only where there is no count."""
    liveness: Liveness | None = None
    """What moves the count, or the rate."""
    idle: bool = False
    """Whether the engine says that nothing runs."""


class Flow:
    """A live rate, or None: a count that moves at the end of a request only never becomes one."""

    def __init__(self, window: float, gap: float = 15.0) -> None:
        self._window = window
        self._gap = gap
        self._rate: Rate | Staircase = Rate(window, gap)
        self._told: Told = Told()

    def add(self, time: float, told: Told, *, gap: float) -> None:
        """Takes one reading; `gap` is how many seconds of silence make a hole."""
        if (told.liveness == "interval") != isinstance(self._rate, Staircase):
            self._rate = (Staircase if told.liveness == "interval" else Rate)(self._window, gap)
        self._rate.gap = gap
        self._rate.add(time, None if told.liveness == "request" else told.count)
        self._told = told

    @property
    def per_second(self) -> float | None:
        """Tokens/s of now."""
        told = self._told
        if told.count is None or told.liveness == "request":
            return told.rate
        if told.idle and isinstance(self._rate, Staircase):
            return 0.0
        return self._rate.per_second

    @property
    def span(self) -> float | None:
        """Seconds that the rate is taken over; None where it is not taken from a count."""
        return self._rate.span
