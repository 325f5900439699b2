"""The draw of one AMD GPU, from what its sensors and its energy count say."""

from collections.abc import Callable

from msgspec import Struct

from .metrics import AmdMetrics
from .sensors import AmdReadings

_SHORTEST_S = 0.2
"""The firmware renews its count every few milliseconds at best; over less the difference tells little."""
_CEILING_W = 3000.0
"""More than any GPU draws."""


class Power(Struct, frozen=True):
    """Watts, averaged where that can be told, and of the moment beside an average."""

    power_w: float | None
    instant_w: float | None


class AmdPower:
    """Takes the driver's average; else the count of energy since the previous reading; else the moment."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._before: tuple[float, float] | None = None
        self._counted: float | None = None

    def read(self, readings: AmdReadings, metrics: AmdMetrics | None) -> Power:
        """Of one reading."""
        average = readings.average_w
        if average is None:
            average = self._since(metrics.energy_j if metrics else None)
        if average is None:
            return Power(readings.instant_w, None)
        return Power(average, readings.instant_w)

    def _since(self, energy_j: float | None) -> float | None:
        """By the count of energy; None at first, and after it has begun anew."""
        now = self._clock()
        if energy_j is None:
            self._before = self._counted = None
            return None
        if self._before is not None and now - self._before[0] < _SHORTEST_S:
            return self._counted
        before, self._before = self._before, (now, energy_j)
        self._counted = None
        if before is not None:
            watts = (energy_j - before[1]) / (now - before[0])
            self._counted = watts if 0 < watts <= _CEILING_W else None
        return self._counted
