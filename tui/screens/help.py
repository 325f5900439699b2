"""The help page: every command of a screen, and what its colours or columns say."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ..commands import Command
from ..widgets.row import BLANK, Row, left, row
from .dialog import Dialog

Legend = Sequence[tuple[str, str, str]]
"""A word, its ink, and what it says."""

LEGEND: Legend = (
    ("measured", "measured", "tokens/s that the engine makes now, from its own counters"),
    ("expected", "expected", "what good software reaches on this hardware"),
    ("ceiling", "ceiling", "the physical roof: memory bandwidth or compute"),
    ("~18.0", "measured", "about: pieces are counted, or it moves when a request ends"),
    ("(45.6)", "dim", "no rate of now is told: this was the last request's"),
    ("48/12", "text", "requests running and waiting"),
)


class Help(Dialog[None]):
    """All keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "close", show=False)]

    heading = "help"

    def __init__(self, commands: Sequence[Command], legend: Legend = LEGEND, *, version: str = "") -> None:
        super().__init__()
        self._commands = commands
        self._legend = legend
        self._version = version

    def rows(self, width: int) -> Sequence[Row]:
        """The legend, then the commands by group."""
        lines = [row((left(word, 10), ink), (left(text, width - 10), "text")) for word, ink, text in self._legend]
        group = ""
        for command in self._commands:
            if command.group != group:
                group = command.group
                lines += [BLANK, row((group, "strong"))]
            lines.append(row(("  ", "text"), (left(command.shown, 8), "key"), (left(command.help, width - 10), "text")))
        if self._version:
            lines += [BLANK, row((f"llmtop {self._version}", "dim"))]
        return lines
