"""One model in depth: the text of `llmtop fit MODEL` in a page that scrolls."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..fit.asking import Study
from ..fit.deep import sections
from ..widgets.row import BLANK, Row, row, wrap
from .dialog import Dialog


class StudyPage(Dialog[None]):
    """Quantisations, contexts, caches, batches, what binds, what would help."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,f", "close", show=False)]

    footing = "↑ ↓ scroll, Esc goes back"

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study = study
        self.heading = f"{study.name} on {study.words}"

    def rows(self, width: int) -> Sequence[Row]:
        """The sections; their first lines and the chosen quantisation stand out."""
        lines: list[Row] = []
        for section in sections(self._study.depth, width):
            lines += [BLANK] if lines else []
            lines += [row((line, _ink(line, first=at == 0))) for at, line in enumerate(section)]
        notes = [line for note in self._study.notes for line in wrap(f"note: {note}", width, 3, "dim")]
        return [*lines, *([BLANK] if notes else []), *notes]


def _ink(line: str, *, first: bool) -> str:
    if line.startswith("*"):
        return "expected"
    return "strong" if first and not line.startswith("  ") else "text"
