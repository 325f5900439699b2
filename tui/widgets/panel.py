"""Bordered panels: a title that changes costs its line, and long lists scroll by rows."""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.geometry import Region

from .painted import Painted
from .row import Row, left, row


class Panel(Painted):
    """A painted area with a border and titles in it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._titles = ("", "")

    def retitle(self, title: str, subtitle: str = "") -> None:
        """Sets the words in the upper and the lower border, and draws those of the two lines that changed.

        Setting the public `border_title` would draw the whole panel.
        """
        before, self._titles = self._titles, (title, subtitle)
        outer, corner = self.outer_size, self.content_offset
        if before[0] != title:
            self._border_title = Content(title)
            self.refresh(Region(-corner.x, -corner.y, outer.width, 1))
        if before[1] != subtitle:
            self._border_subtitle = Content(subtitle)
            self.refresh(Region(-corner.x, outer.height - 1 - corner.y, outer.width, 1))


class Listing(Panel):
    """A panel of many rows, of which only those in view are made."""

    can_focus = True

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self.first = 0
        """Index of the topmost row in view."""

    def total(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> Row:
        """The row at `index`."""
        raise NotImplementedError

    def head(self, width: int) -> Sequence[Row]:
        """Lines that stay above the rows."""
        del width
        return ()

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The head, the rows in view, and a thumb at the right edge when there are more."""
        above = list(self.head(width))
        room, total = max(height - len(above), 0), self.total()
        self.first = min(max(self.first, 0), max(total - room, 0))
        shown = range(self.first, min(self.first + room, total))
        if total <= room or room < 2:
            return [*above, *(self.line(index, width) for index in shown)]
        length = max(room * room // total, 1)
        start = self.first * (room - length) // (total - room)
        thumb = range(start, start + length)
        for at, index in enumerate(shown):
            inner = self.line(index, width - 2)
            pad = " " * (width - 1 - inner.width)
            mark = ("┃", "dim") if at in thumb else ("│", "faint")
            above.append(row(*inner.spans, (pad, "text"), mark)._replace(ground=inner.ground))
        return above

    def page(self) -> int:
        """Rows that fit in view."""
        return max(self.content_size.height - len(self.head(self.content_size.width)), 1)

    def scroll_rows(self, rows: int) -> None:
        """Moves the view by this many rows."""
        self.first += rows
        self.repaint()

    def step(self, rows: int) -> None:
        """What the arrow keys do here."""
        self.scroll_rows(rows)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls."""
        event.stop()
        self.scroll_rows(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls."""
        event.stop()
        self.scroll_rows(-3)


def empty(text: str, width: int) -> Row:
    """The line of a panel that has nothing to show."""
    return row((left(text, width), "dim"))
