"""Where the screens get their snapshots from: the live machine or a recording, which look the same."""

from collections.abc import Callable
from typing import Protocol

from ..estimator.snapshot import Snapshot
from ..probes.sample import Sample


class Player(Protocol):
    """The controls of a recording."""

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        ...

    @paused.setter
    def paused(self, paused: bool) -> None: ...

    @property
    def speed(self) -> float:
        """Seconds of the recording that pass in one second."""
        ...

    @speed.setter
    def speed(self, speed: float) -> None: ...

    @property
    def position(self) -> float:
        """Seconds since the start of the recording."""
        ...

    @property
    def duration(self) -> float:
        """Seconds from the first to the last sample."""
        ...

    def seek(self, position: float) -> None:
        """Jumps to `position` seconds after the start, clamped to the recording."""
        ...


class Feed(Protocol):
    """A running source of snapshots. Reading it never waits."""

    @property
    def interval(self) -> float:
        """Seconds between two readings of each source; may be changed while it runs."""
        ...

    @interval.setter
    def interval(self, interval: float) -> None: ...

    @property
    def player(self) -> Player | None:
        """The controls, when this is a recording."""
        ...

    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        ...

    def start(self) -> None:
        """Begins to read; may take a moment. Before it, snapshots are empty."""
        ...

    def stop(self) -> None:
        """Ends all threads; returns within a second even when a source hangs."""
        ...

    def listen(self, take: Callable[[Sample], None]) -> Callable[[], None]:
        """Hands each sample to `take` as it comes, on any thread; a recording hands out none. Returns the end of it."""
        ...

    def rescan(self) -> None:
        """Looks for engines now."""
        ...

    def measure(self) -> str:
        """Measures the memory bandwidth of the CPU (seconds, all cores) and returns one line about it."""
        ...
