"""The devices panel: power, memory, clocks, temperature."""

from textual.reactive import reactive

from ...estimator.snapshot import Snapshot
from .focus import EMPTY
from .hardware import box_title, device_rows
from .panel import Listing, empty
from .row import Row, clip, row


class Devices(Listing):
    """All devices, two lines each, or one when there are many."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._made: list[Row] = []
        self._made_for: tuple[Snapshot, int, int] | None = None

    def watch_snapshot(self) -> None:
        """Draws the new state."""
        self.on_resize()
        self.repaint()

    def on_resize(self) -> None:
        """Fits the words in the border."""
        self.retitle(box_title(self.snapshot, self.size.width - 4))

    def total(self) -> int:
        """Lines in all."""
        return len(self._make(self.content_size.width))

    def line(self, index: int, width: int) -> Row:
        """One line of one device."""
        return self._make(width)[index]

    def _make(self, width: int) -> list[Row]:
        height = self.content_size.height
        known = self._made_for
        if known is None or known[0] is not self.snapshot or known[1:] != (width, height):
            now, notes = self.snapshot, self.snapshot.notes
            rows = device_rows(now.devices, now.power_trails, width, height - len(notes), now.idle_w)
            rows += [row((clip(note, width), "dim")) for note in notes]
            self._made = rows or [empty("none found yet", width)]
            self._made_for = (self.snapshot, width, height)
        return self._made
