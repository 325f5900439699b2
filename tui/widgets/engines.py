"""The engines panel: one row each, of which one has the cursor and one is in focus."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.reactive import reactive

from ...estimator.snapshot import EngineView, Snapshot
from .focus import EMPTY
from .panel import Listing, empty
from .row import Row
from .table import ORDERS, Key, arrange, column_at, columns, engine_row, heading


class Engines(Listing):
    """All engines, sorted and filtered."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False, init=False)
    row_id: reactive[str] = reactive("", repaint=False, init=False)
    order: reactive[Key] = reactive[Key]("found", repaint=False, init=False)
    pattern: reactive[str] = reactive("", repaint=False, init=False)

    @dataclass
    class Chosen(Message):
        """The person wants to see this engine."""

        row_id: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self.views: list[EngineView] = []
        """The rows as shown."""
        self.cursor = ""
        """Url of the row with the cursor: it stays on its engine when the order changes."""
        self._moved = False
        self._columns = columns(80, ())

    def watch_snapshot(self) -> None:
        """Draws the new state."""
        self._renew()

    def watch_row_id(self) -> None:
        """Marks the engine in focus."""
        if not self._moved:
            self.cursor = self.row_id
            self.reveal()
        self.repaint()

    def watch_order(self) -> None:
        """Sorts."""
        self._renew()
        self.reveal()

    def watch_pattern(self) -> None:
        """Filters."""
        self._renew()
        self.reveal()

    @property
    def index(self) -> int:
        """Where the cursor is; -1 when there is nothing."""
        at = next((index for index, view in enumerate(self.views) if view.id == self.cursor), -1)
        return at if at >= 0 or not self.views else 0

    def total(self) -> int:
        """One row an engine, or one that says there is none."""
        return max(len(self.views), 1)

    def head(self, width: int) -> Sequence[Row]:
        """The headings, when there is something below them."""
        if not self.views:
            return ()
        self._columns = columns(self._inner(width), self.views)
        return (heading(self._columns, self.order),)

    def line(self, index: int, width: int) -> Row:
        """One engine."""
        if not self.views:
            return empty("none matches the filter; Esc clears it" if self.pattern else "none yet", width)
        view = self.views[index]
        return engine_row(view, self._columns, cursor=index == self.index, focused=view.id == self.row_id)

    def step(self, rows: int) -> None:
        """Moves the cursor."""
        if self.views:
            self._moved = True
            self.cursor = self.views[min(max(self.index + rows, 0), len(self.views) - 1)].id
            self.reveal()

    def reveal(self) -> None:
        """Brings the cursor into view."""
        index, room = self.index, self.page()
        self.first = min(max(self.first, index - room + 1), index)
        self.repaint()

    def choose(self) -> None:
        """Asks for the engine under the cursor."""
        if self.views:
            self.post_message(self.Chosen(self.views[self.index].id))

    def on_click(self, event: events.Click) -> None:
        """A heading sorts, a row is chosen."""
        at = event.get_content_offset(self)
        if at is None or not self.views:
            return
        if at.y == 0:
            key = column_at(self._columns, at.x)
            if key is not None:
                self.order = "found" if key == self.order else key
            return
        index = self.first + at.y - 1
        if index < len(self.views):
            self._moved = True
            self.cursor = self.views[index].id
            self.repaint()
            self.choose()

    def next_order(self) -> Key:
        """Sorts by the next column and says which."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        return self.order

    def _inner(self, width: int) -> int:
        return width - 2 if len(self.views) > self.content_size.height - 1 else width

    def _renew(self) -> None:
        engines = self.snapshot.engines
        self.views = arrange(engines, self.order, self.pattern)
        if not self._moved or (self.views and self.cursor not in {view.id for view in engines}):
            before, self.cursor = self.cursor, self.row_id or (self.views[0].id if self.views else "")
            if before != self.cursor:
                self.reveal()
        found = (
            f"{len(self.views)} of {len(engines)}" if self.pattern else str(len(engines)) if len(engines) > 1 else ""
        )
        shown = f"filter: {self.pattern}" if self.pattern else ""
        self.retitle(f"² engines {found}".rstrip(), shown)
        self.repaint()
