"""What a device draws when it does nothing."""

from ..probes.sample import Device
from .energy import hole

BUSY_FROM = 0.01
"""Share of time busy above which a device does something."""
STRETCH_S = 5.0
"""Seconds of rest that one mean is taken over: clocks and fans go on for a while after work."""
LEAST_READINGS = 3
STEADY, STEADY_W = 0.1, 1.0
"""A stretch is steady where its highest and lowest watts are no further apart than this share of its mean, or this."""


class Idle:
    """The lowest steady mean of the watts over stretches of rest; a fixed few numbers, however long it looks."""

    def __init__(self) -> None:
        self.watts: float | None = None
        """None until it was seen at rest."""
        self._since: float | None = None
        self._last = 0.0
        self._readings: tuple[int, float, float, float] = (0, 0.0, 0.0, 0.0)

    def add(self, time: float, period: float, device: Device, *, works: bool) -> None:
        """Takes one reading; `works`: an engine that it serves has something to do."""
        watts, busy = device.power_w, device.utilization
        if works or watts is None or busy is None or busy > BUSY_FROM or time < self._last:
            self._since = None
            return
        if self._since is None or time - self._last > hole(period):
            self._since, self._readings = time, (0, 0.0, watts, watts)
        self._last = time
        count, total, low, high = self._readings
        self._readings = count, total, low, high = (count + 1, total + watts, min(low, watts), max(high, watts))
        if time - self._since < STRETCH_S or count < LEAST_READINGS:
            return
        mean = total / count
        if high - low <= max(STEADY * mean, STEADY_W):
            self.watts = mean if self.watts is None else min(self.watts, mean)
        self._since = None
