"""The four panels and how they share the screen."""

from typing import NamedTuple

from textual.containers import Container
from textual.reactive import reactive

from ...estimator.snapshot import Snapshot
from .focus import EMPTY

NARROW, WIDE = 100, 150
"""Columns from which panels stand side by side, and from which the answer has the engines beside it."""

FOCUS_LEAST = 10
"""Lines that the upper panel needs at least, with its border."""


class Wants(NamedTuple):
    """Lines that the lower panels would like, with their borders."""

    engines: int
    devices: int
    dense: int
    """The devices with one line each."""
    log: int


def wants(snapshot: Snapshot) -> Wants:
    """What the lower panels would like to have for this snapshot."""
    engines = max(len(snapshot.engines), 1) + (3 if snapshot.engines else 2)
    dense = max(len(snapshot.devices) + len(snapshot.notes), 1) + 2
    return Wants(engines, dense + len(snapshot.devices), dense, max(len(snapshot.events), 1) + 2)


def rows(width: int, height: int, want: Wants) -> str:
    """The rows of the grid.

    One column: answer, engines, devices, events. From NARROW: engines beside devices. From WIDE: the answer above the
    events at the left, engines above devices at the right.
    """
    log = 1 if height < 28 else min(max(want.log, 3), 5)
    if width >= WIDE:
        return f"{min(want.engines, height // 2)} 1fr {min(max(want.log, 3), 8)}"
    room = max(height - max(FOCUS_LEAST, height * 9 // 20) - log, 6)
    if width >= NARROW:
        devices = want.devices if want.devices <= room else want.dense
        return f"1fr {min(max(want.engines, devices, 4), room)} {log}"
    engines = min(want.engines, max(room - min(want.devices, room // 2), 3))
    left = max(room - engines, 3)
    return f"1fr {engines} {want.devices if want.devices <= left else min(want.dense, left)} {log}"


class Body(Container):
    """Gives the lower panels the lines they need, and the answer all others."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    _shared = ""

    def watch_snapshot(self) -> None:
        """Shares again when something came or went."""
        self.share()

    def on_resize(self) -> None:
        """Shares the new size."""
        self.share()

    def share(self) -> None:
        """Sets the rows of the grid, if they are not so already."""
        size = self.size
        if not size.area:
            return
        shared = rows(size.width, size.height, wants(self.snapshot))
        if shared != self._shared:
            self._shared = shared
            self.styles.grid_rows = shared
