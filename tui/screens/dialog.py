"""What all dialogs share: rows in a framed page that scrolls, and keys that close it."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen

from ..widgets.panel import Listing
from ..widgets.row import BLANK, Row

Result = TypeVar("Result")


class Page(Listing):
    """Rows that change with the width only."""

    def __init__(self, make: Callable[[int], Sequence[Row]]) -> None:
        super().__init__(id="page")
        self._make = make
        self._made: Sequence[Row] = ()
        self._made_for = -1

    def total(self) -> int:
        """Lines of the page."""
        return len(self._all(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as its rows; the style sheet sets the limit."""
        del container, viewport
        return len(self._all(width))

    def line(self, index: int, width: int) -> Row:
        """One line of the page."""
        del width
        return self._made[index] if index < len(self._made) else BLANK

    def _all(self, width: int) -> Sequence[Row]:
        if self._made_for != width:
            self._made = self._make(max(width - 2, 10))
            self._made_for = width
        return self._made


class Dialog(ModalScreen[Result], Generic[Result]):
    """A page over the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", show=False),
        Binding("up,k", "scroll_page(-1)", show=False),
        Binding("down,j", "scroll_page(1)", show=False),
        Binding("pageup", "scroll_page(-10)", show=False),
        Binding("pagedown", "scroll_page(10)", show=False),
    ]

    heading = ""
    footing = "Esc closes"

    def rows(self, width: int) -> Sequence[Row]:
        """The lines of the page, for a page of this width."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The page."""
        page = Page(self.rows)
        page.border_title = Content(self.heading)
        page.border_subtitle = Content(self.footing)
        yield page

    def action_close(self) -> None:
        """Leaves the dialog without a result."""
        self.dismiss(None)

    def action_scroll_page(self, rows: int) -> None:
        """Scrolls."""
        self.query_one(Page).scroll_rows(rows)
