"""Joules of one source from its readings: counted by its own counter, or else summed up from sampled watts."""

from math import isfinite
from typing import Literal

from msgspec import Struct

HOLE_PERIODS, HOLE_SLACK_S = 3.0, 0.5
"""Silence longer than this many periods and this slack is a hole for sampled watts."""
MOST_W = 1e6
"""Watts that no machine draws: a counter that jumps further than this allows has begun anew."""

Method = Literal["counted", "sampled", "mixed"]


class Piece(Struct, frozen=True):
    """What one reading settled: the time since the one before, as energy or as a gap."""

    joules: float = 0.0
    gap_s: float = 0.0


NOTHING = Piece()


class Energy:
    """Sums up one source in little and constant memory.

    Between two readings the difference of the counter counts, over a hole too: it went on meanwhile. Where the counter
    is missing at one end, it is the mean of the watts at both ends times the seconds (the trapezoid rule), and a hole
    is a gap. A counter that falls has begun anew: that piece is a gap. A reading that tells neither settles nothing;
    the next one that does tells what lies between. A counter that stands still for as long as a hole while watts are
    drawn is none, as long as it does not move.
    """

    def __init__(self) -> None:
        self.joules = 0.0
        """In the seconds that are covered."""
        self.seconds = 0.0
        self.gap_s = 0.0
        """Seconds in between that are not."""
        self.time: float | None = None
        """Until when all is settled, in monotonic seconds; None before it told anything."""
        self._counted_s = 0.0
        self._period = 0.0
        self._counter: float | None = None
        self._stood: float | None = None
        """Where the counter was when it was found to be none."""
        self._watts: float | None = None

    def add(self, time: float, period: float, power_w: float | None, energy_j: float | None) -> Piece:
        """Takes one reading: monotonic seconds, seconds to the next, watts and counted joules; what it settled."""
        watts, counter = _sane(power_w), _sane(energy_j)
        counter = None if counter == self._stood else counter
        longest = hole(max(self._period, period))
        self._period = period
        if (watts is None and counter is None) or (self.time is not None and time <= self.time):
            return NOTHING
        if counter is not None and counter == self._counter and watts and self._watts and self.time is not None:
            if time - self.time <= longest:
                return NOTHING
            self._stood, counter = counter, None
        piece = NOTHING if self.time is None else self._piece(time - self.time, longest, watts, counter)
        self.time, self._watts, self._counter = time, watts, counter
        return piece

    def open_s(self, now: float) -> float:
        """Seconds at the end that nothing was said about, where they are a hole already; a counter may still tell."""
        silence = now - self.time if self.time is not None else 0.0
        return silence if silence > hole(self._period) else 0.0

    def forget(self) -> None:
        """What lies before the next reading is nobody's."""
        self.time = self._watts = self._counter = None

    @property
    def method(self) -> Method | None:
        """Where the joules come from; None while there are none."""
        if not self.seconds:
            return None
        return "sampled" if not self._counted_s else "counted" if self._counted_s == self.seconds else "mixed"

    def _piece(self, seconds: float, longest: float, watts: float | None, counter: float | None) -> Piece:
        joules = None
        counted = counter is not None and self._counter is not None
        if counter is not None and self._counter is not None:
            grown = counter - self._counter
            joules = grown if 0.0 <= grown <= MOST_W * seconds else None
        elif watts is not None and self._watts is not None and seconds <= longest:
            joules = (watts + self._watts) / 2.0 * seconds
        if joules is None:
            self.gap_s += seconds
            return Piece(gap_s=seconds)
        self.joules += joules
        self.seconds += seconds
        self._counted_s += seconds if counted else 0.0
        return Piece(joules=joules)


def hole(period: float) -> float:
    """Seconds of silence from which a source that is read every `period` seconds leaves a hole."""
    return HOLE_PERIODS * period + HOLE_SLACK_S


def _sane(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) and value >= 0.0 else None
