"""Tables that fit a terminal: what matters least goes first, and no line is wider than the terminal."""

import shutil
from collections.abc import Sequence
from typing import NamedTuple

GAP = 2
SHORTEST = 8
"""Cells that a name keeps when it has to be cut."""
READABLE = 16
"""Cells of a name from which a table is wide enough."""

SPARED = 24
"""Cells of a name that are not taken for a column that may go."""


class Form(NamedTuple):
    """One way to write a table, its heading first."""

    cells: Sequence[tuple[str, ...]]
    keep: Sequence[int]
    """Columns that stay; the others go when there is no room for them, from the right."""
    name: int | None = None
    """The column whose texts may be cut."""


def fitting(forms: Sequence[Form], indent: int = 0, columns: int | None = None) -> list[str]:
    """Lines of the first form that fits so many columns, None for the terminal's; the last one is made to fit."""
    room = (columns or shutil.get_terminal_size().columns) - indent
    form = next((form for form in forms if _least(form) <= room), forms[-1])
    return [f"{' ' * indent}{line}"[: room + indent] for line in _lines(form, room)]


def _widths(form: Form) -> list[int]:
    return [max(map(len, column)) for column in zip(*form.cells, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _least(form: Form) -> int:
    """Cells of the columns that stay, with names that are cut as far as they can still be read."""
    widths = _widths(form)
    return _total([min(widths[at], READABLE) if at == form.name else widths[at] for at in form.keep])


def _lines(form: Form, room: int) -> list[str]:
    widths = _widths(form)
    shown = list(range(len(widths)))
    at_least = list(widths)
    if form.name is not None:
        at_least[form.name] = min(widths[form.name], SPARED)
    for at in reversed(range(len(widths))):
        if at not in form.keep and _total([at_least[each] for each in shown]) > room:
            shown.remove(at)
    over = _total([widths[at] for at in shown]) - room
    if form.name is not None and over > 0:
        widths[form.name] = max(widths[form.name] - over, min(SHORTEST, widths[form.name]))
    return [(" " * GAP).join(_cut(line[at], widths[at]) for at in shown).rstrip() for line in form.cells]


def _cut(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"
