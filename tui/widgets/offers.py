"""The list of what a machine can run: one row has the cursor, those on the disk come first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from .fit_table import ORDERS, Order, arrange, columns, heading, offered_row, order_at
from .panel import Listing
from .row import BLANK, Row, left, row, wrap

if TYPE_CHECKING:
    from ..fit.asking import Answer
    from ..fit.rows import Row as Offered

VECTORS = "embed"
"""How a word begins that asks for models that make vectors."""


class Offers(Listing):
    """All models, sorted and filtered."""

    @dataclass
    class Pointed(Message):
        """Another row has the cursor, or none."""

        offered: "Offered | None"

    @dataclass
    class Studied(Message):
        """A person wants to see this one in depth."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self.answer: Answer | None = None
        self.items: list[Offered | str] = []
        """The rows as shown, and the words above a part of them."""
        self.order: Order = "worth"
        self.pattern = ""
        self.index = 0
        """Where the cursor is."""
        self._moved = False
        self._every: list[Offered] = []
        self._columns = columns(80, ())
        self._columns_for = -1

    @property
    def offered(self) -> "Offered | None":
        """The row under the cursor."""
        item = self.items[self.index] if self.index < len(self.items) else None
        return None if isinstance(item, str) else item

    def tell(self, answer: "Answer") -> None:
        """Shows this answer; the cursor stays on its model, if a person has put it there."""
        self.answer = answer
        self._every = [*answer.disk, *answer.rows, *answer.vectors]
        self._columns_for = -1
        self._renew()

    def sort(self, order: Order) -> None:
        """In this order."""
        self.order = order
        self._renew()

    def next_order(self) -> Order:
        """Sorts by the next column and says which."""
        self.sort(ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])
        return self.order

    def filter(self, pattern: str) -> None:
        """Leaves what matches."""
        self.pattern = pattern
        self._renew()

    def total(self) -> int:
        """One line a row, or those that say why there is none."""
        return len(self.items) or 3

    def head(self, width: int) -> Sequence[Row]:
        """The headings, when there is something below them."""
        if not self.items:
            return ()
        if self._columns_for != width:
            self._columns_for = width
            self._columns = columns(width - 2, self._every)
        return (heading(self._columns, self.order),)

    def line(self, index: int, width: int) -> Row:
        """One row."""
        if not self.items:
            lines = wrap(*self._nothing(width))
            return lines[index] if index < len(lines) else BLANK
        item = self.items[index]
        if isinstance(item, str):
            return row((left(item, width), "strong"))
        marked = self.answer is not None and self.answer.ask.everything
        return offered_row(item, self._columns, cursor=index == self.index, marked=marked)

    def step(self, rows: int) -> None:
        """Moves the cursor, over the words between the rows."""
        if not self.items:
            return
        self._moved = self._moved or rows != 0
        self.index = min(max(self.index + rows, 0), len(self.items) - 1)
        while isinstance(self.items[self.index], str):
            self.index += 1 if rows > 0 or self.index == 0 else -1
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """A heading sorts, a row gets the cursor, a second click shows it in depth."""
        at = event.get_content_offset(self)
        if at is None or not self.items:
            return
        if at.y == 0:
            order = order_at(self._columns, at.x)
            if order is not None:
                self.sort("worth" if order == self.order else order)
            return
        index = self.first + at.y - 1
        if index < len(self.items) and not isinstance(self.items[index], str):
            self.index = index
            self._moved = True
            self._reveal()
            if event.chain > 1:
                self.post_message(self.Studied())

    def on_resize(self) -> None:
        """Keeps the cursor in view."""
        self.call_after_refresh(self._reveal)

    def _nothing(self, width: int) -> tuple[str, int, int, str]:
        answer = self.answer
        if answer is None:
            return "Reckoning …", width, 3, "dim"
        if answer.problem:
            return answer.problem, width, 3, "warn"
        if self.pattern:
            return "None matches the filter; Esc clears it.", width, 3, "dim"
        task = ", or for no task with w" if answer.ask.task else ""
        return f"No model of the catalogue fits: ask for less context with c{task}; a shows them all.", width, 3, "warn"

    def _reveal(self) -> None:
        room = self.page()
        above = 1 if self.index == 1 and isinstance(self.items[0], str) else 0
        self.first = min(max(self.first, self.index - room + 1), self.index - above)
        self.repaint()
        self.post_message(self.Pointed(self.offered))

    def _renew(self) -> None:
        before = self.offered if self._moved else None
        self.items = self._arranged()
        at = next((at for at, item in enumerate(self.items) if before is not None and _same(item, before)), None)
        self.index = at if at is not None else 0
        if at is None:
            self.first = 0
            self.step(0)
        else:
            self._reveal()
        if not self.items:
            self.repaint()
            self.post_message(self.Pointed(None))
        number = sum(not isinstance(item, str) for item in self.items)
        many = f"{number} of {len(self._every)}" if self.pattern else str(number) if number else ""
        self.retitle(f"models {many}".rstrip(), f"filter: {self.pattern}" if self.pattern else "")

    def _arranged(self) -> "list[Offered | str]":
        if self.answer is None:
            return []
        disk = arrange(self.answer.disk, self.order, self.pattern)
        rest = arrange(self.answer.rows, self.order, self.pattern)
        words = self.pattern.lower().split()
        if words and (any(word.startswith(VECTORS) for word in words) or not rest):
            rest += arrange(self.answer.vectors, self.order, self.pattern)
        if not disk:
            return [*rest]
        below: list[Offered | str] = ["In the catalogue", *rest] if rest else []
        return ["On this disk", *disk, *below]


def _same(item: "Offered | str", other: "Offered") -> bool:
    return not isinstance(item, str) and (item.model, item.store, item.quant) == (other.model, other.store, other.quant)
