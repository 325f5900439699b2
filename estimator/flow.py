"""Tokens/s of one phase, prefill or decode, however the engine tells it."""

from msgspec import Struct

from ..probes.sample import Engine, Liveness
from .rate import Rate
from .staircase import Staircase

MOST_TPS = 1e7
"""Tokens/s, some hundred times what a rack of today reaches: a count that jumps further tells no speed."""


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
        rate = self._per_second()
        return rate if rate is not None and rate <= MOST_TPS else None

    def _per_second(self) -> float | None:
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


def is_another(before: Engine, now: Engine) -> bool:
    """Whether the counts of a reading are those of another process or of another source: no rate goes across that."""
    names = ("engine", "pid", "decode_source", "prefill_source")
    pairs = [(getattr(before, name), getattr(now, name)) for name in names]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)
