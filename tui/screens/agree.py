"""A question before something is done that has effects outside of llmtop."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..widgets.row import BLANK, Row, Span, row, wrap
from .dialog import Dialog


class Agree(Dialog[bool]):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "accept", show=False),
        Binding("n", "close", show=False),
    ]

    def __init__(self, heading: str, words: Sequence[Span], yes: str, no: str = "leave it") -> None:
        """`words` are sentences with their inks; `yes` and `no` say what is done."""
        super().__init__()
        self.heading = heading
        self.footing = "y agrees, Esc leaves it"
        self._words, self._yes, self._no = words, yes, no

    def rows(self, width: int) -> Sequence[Row]:
        """The sentences, then the two answers."""
        found = [line for words, ink in self._words for line in wrap(words, width, 4, ink)]
        return [
            *found,
            BLANK,
            row(("  y", "key"), (f"  {self._yes}", "text")),
            row(("  n", "key"), (f"  {self._no}", "text")),
        ]

    def action_accept(self) -> None:
        """Agrees."""
        self.dismiss(True)
