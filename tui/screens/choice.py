"""One of a few: a list with a cursor."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size

from ..widgets.panel import Listing
from ..widgets.row import Row, left, row
from .dialog import Dialog

Option = tuple[str, str]
"""What is chosen, and a word about it."""


class Options(Listing):
    """The list."""

    def __init__(self, options: Sequence[Option], chosen: int) -> None:
        super().__init__(id="page")
        self._options = options
        self._width = max(len(name) for name, _ in options) + 2
        self.index = chosen
        self._chosen = chosen

    def total(self) -> int:
        """One line each."""
        return len(self._options)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows; the style sheet sets the limit."""
        del container, viewport, width
        return len(self._options)

    def line(self, index: int, width: int) -> Row:
        """One line; the one of now carries a mark."""
        name, words = self._options[index]
        mark = ("▸ " if index == self._chosen else "  ", "accent")
        cells = row(mark, (left(name, self._width), "text"), (left(words, max(width - self._width - 2, 0)), "dim"))
        return cells._replace(ground="cursor" if index == self.index else "")

    def step(self, rows: int) -> None:
        """Moves the cursor."""
        self.index = min(max(self.index + rows, 0), len(self._options) - 1)
        room = self.page()
        self.first = min(max(self.first, self.index - room + 1), self.index)
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        at = event.get_content_offset(self)
        if at is not None and self.first + at.y < len(self._options):
            self.index = self.first + at.y
            self.screen.dismiss(self._options[self.index][0])

    def on_resize(self) -> None:
        """Keeps the cursor in view."""
        self.call_after_refresh(self.step, 0)


class Choice(Dialog[str]):
    """Gives what was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("pageup", "step(-10)", show=False),
        Binding("pagedown", "step(10)", show=False),
        Binding("home,g", "step(-1000)", show=False),
        Binding("end,G", "step(1000)", show=False),
        Binding("enter,space", "accept", show=False),
    ]

    footing = "Enter chooses, Esc leaves it"

    def __init__(self, heading: str, options: Sequence[Option], chosen: str) -> None:
        super().__init__()
        self.heading = heading
        self._options = options
        self._chosen = next((at for at, (name, _) in enumerate(options) if name == chosen), 0)

    def compose(self) -> ComposeResult:
        """The list."""
        page = Options(self._options, self._chosen)
        page.border_title = Content(self.heading)
        page.border_subtitle = Content(self.footing)
        yield page

    def on_key(self, event: events.Key) -> None:
        """A letter goes to the next that begins with it."""
        page = self.query_one(Options)
        letter = event.character or ""
        if not letter.isalnum() or letter in "jkgGq":
            return
        order = [(page.index + 1 + at) % len(self._options) for at in range(len(self._options))]
        found = next((at for at in order if self._options[at][0].lower().startswith(letter.lower())), None)
        if found is not None:
            page.step(found - page.index)

    def action_step(self, rows: int) -> None:
        """Moves the cursor."""
        self.query_one(Options).step(rows)

    def action_accept(self) -> None:
        """Takes the one under the cursor."""
        self.dismiss(self._options[self.query_one(Options).index][0])
