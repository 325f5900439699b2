"""What one device has drawn between two moments."""

from collections import deque

from ...probes.sample import Device

KEPT = 64
"""Stretches between two readings that are kept."""
STUCK_S = 2.0
"""Seconds after which a count that does not move is believed no more, while its device lives."""
COVERED = 0.98
"""Share of a stretch of which the energy must be known."""


class Energy:
    """Follows one device from reading to reading: by its energy count where it has one, else by its draw."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[float, float, float]] = deque(maxlen=KEPT)
        """Start, end and joules."""
        self._last: tuple[float, Device] | None = None
        self._mark: tuple[float, Device] | None = None
        """The reading up to which the energy is known: a driver renews its count less often than it is read."""
        self._stands_still = False
        self._joules = self._seconds = 0.0
        self._since = float("-inf")

    @property
    def until(self) -> float:
        """The moment up to which it is known."""
        return self._mark[0] if self._mark else float("-inf")

    def restart(self, time: float) -> None:
        """Begins a new mean."""
        self._joules = self._seconds = 0.0
        self._since = time

    def add(self, time: float, device: Device, *, hole_s: float) -> None:
        """Takes one reading. Of a silence longer than `hole_s` nothing is known."""
        last, self._last = self._last, (time, device)
        mark = self._mark
        if last is None or mark is None or not 0 < time - last[0] <= hole_s:
            self._mark = (time, device)
            return
        counted = None if self._stands_still else _counted(mark[1], device)
        if counted == 0.0 and time - mark[0] < STUCK_S:
            return
        self._mark = (time, device)
        if counted:
            self._keep(mark[0], time, counted)
            return
        self._stands_still = self._stands_still or counted == 0.0
        before = mark if counted == 0.0 else last
        if before[1].power_w is not None and device.power_w is not None:
            self._keep(before[0], time, (before[1].power_w + device.power_w) / 2 * (time - before[0]))

    def _keep(self, start: float, end: float, joules: float) -> None:
        self._pieces.append((start, end, joules))
        if start >= self._since:
            self._joules += joules
            self._seconds += end - start

    def between(self, start: float, end: float) -> float | None:
        """Joules; None where they are not known for nearly all of it."""
        joules = covered = 0.0
        for begun, ended, drawn in self._pieces:
            overlap = min(ended, end) - max(begun, start)
            if overlap > 0:
                joules += drawn * overlap / (ended - begun)
                covered += overlap
        return joules * (end - start) / covered if covered >= COVERED * (end - start) > 0 else None

    @property
    def power_w(self) -> float | None:
        """The mean since `restart`."""
        return self._joules / self._seconds if self._seconds > 0 else None


def _counted(before: Device, now: Device) -> float | None:
    """Joules between two readings; None without a count, and where it fell and so began anew."""
    if before.energy_j is None or now.energy_j is None or now.energy_j < before.energy_j:
        return None
    return now.energy_j - before.energy_j
