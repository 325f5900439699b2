"""A recording as a feed: the same path, another source."""

import time
from bisect import bisect_right
from collections.abc import Callable

from ..estimator.monitor import Monitor
from ..estimator.snapshot import Price, Snapshot
from ..probes.recorder import Recording
from ..probes.sample import Sample


class Replay:
    """Plays samples at their own pace, or faster; it is its own player. Reading it never waits.

    Going forward feeds what lies between; going back starts over, since a monitor has no memory of what it was.
    """

    def __init__(self, recording: Recording, *, price: Price | None = None) -> None:
        self._price = price
        self.interval = self._recorded = recording.interval
        self._samples = recording.samples
        self._times = [sample.time - self._samples[0].time for sample in self._samples]
        self._monitor = Monitor(self._recorded, price=price)
        self._fed = 0
        self._position = 0.0
        self._read_at = time.monotonic()
        self._paused = False
        self._speed = 1.0

    @property
    def player(self) -> "Replay":
        """The controls."""
        return self

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._advance()
        self._paused = paused

    @property
    def speed(self) -> float:
        """Seconds of the recording that pass in one second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._advance()
        self._speed = speed

    @property
    def position(self) -> float:
        """Seconds since the start of the recording."""
        return self._position

    @property
    def duration(self) -> float:
        """Seconds from the first to the last sample."""
        return self._times[-1]

    def seek(self, position: float) -> None:
        """Jumps to `position`, clamped to the recording."""
        self._advance()
        self._position = min(max(position, 0.0), self.duration)

    def start(self) -> None:
        """Begins to play."""
        self._read_at = time.monotonic()

    def stop(self) -> None:
        """Does nothing: no thread runs."""

    def listen(self, take: Callable[[Sample], None]) -> Callable[[], None]:
        """Hands out nothing: what is on the record is over."""
        del take
        return lambda: None

    def rescan(self) -> None:
        """Does nothing: what was found is on the record."""

    def measure(self) -> str:
        """A recording cannot be measured."""
        return "this is a recording: nothing to measure"

    def snapshot(self) -> Snapshot:
        """The snapshot at the position of now."""
        self._advance()
        until = bisect_right(self._times, self._position)
        if until < self._fed:
            self._monitor, self._fed = Monitor(self._recorded, price=self._price), 0
        for sample in self._samples[self._fed : until]:
            self._monitor.feed(sample)
        self._fed = until
        return self._monitor.snapshot()

    def _advance(self) -> None:
        now = time.monotonic()
        if not self._paused:
            self._position = min(self._position + (now - self._read_at) * self._speed, self.duration)
        self._read_at = now
