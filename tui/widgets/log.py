"""The events panel: what happened, newest at the top."""

from textual.reactive import reactive

from ...estimator.snapshot import Event, Snapshot
from ..format import clock
from .focus import EMPTY
from .panel import Listing, empty
from .row import Row, clip, row


def event_row(event: Event, width: int) -> Row:
    """One event: when, how grave, what."""
    grave = event.level == "warning"
    return row(
        (clock(event.wall), "dim"),
        (" ▲ " if grave else " · ", "warn" if grave else "faint"),
        (clip(event.text, width - 11), "text"),
    )


class Log(Listing):
    """The events, newest first."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)

    def watch_snapshot(self) -> None:
        """Draws the new state."""
        self.retitle("⁴ events")
        self.repaint()

    def total(self) -> int:
        """One line an event."""
        return max(len(self.snapshot.events), 1)

    def line(self, index: int, width: int) -> Row:
        """One event, counted from the newest."""
        events = self.snapshot.events
        return event_row(events[-1 - index], width) if events else empty("nothing happened yet", width)
