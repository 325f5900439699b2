"""The question before the memory bandwidth is measured: it loads the machine."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..widgets.row import BLANK, Row, row, wrap
from .dialog import Dialog


class ConfirmMeasure(Dialog[bool]):
    """Yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "accept", show=False),
        Binding("n,m", "close", show=False),
    ]

    heading = "measure the memory bandwidth"
    footing = "y measures, Esc leaves it"

    def __init__(self, running: Sequence[str]) -> None:
        super().__init__()
        self._slowed = running

    def rows(self, width: int) -> Sequence[Row]:
        """What it does, and who suffers."""
        rows = wrap("This reads memory with every core for about 10 seconds.", width, 2, "text")
        if self._slowed:
            rows += wrap(f"▲ It slows down what is running now: {', '.join(self._slowed)}.", width, 3, "warn")
        else:
            rows += wrap("Anything else that runs is slowed down meanwhile.", width, 2, "text")
        rows += wrap("The result is kept for this machine and gives CPU engines their ceiling.", width, 2, "dim")
        rows += [BLANK, row(("  y", "key"), ("  measure now", "text")), row(("  n", "key"), ("  leave it", "text"))]
        return rows

    def action_accept(self) -> None:
        """Measures."""
        self.dismiss(True)
