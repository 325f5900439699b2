"""The limit on its range, below the chart; a click sets it."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from ..format import watts
from ..tune.state import State
from .painted import Painted
from .power_axis import GUTTER, Axis, axis, paces
from .power_facts import SAME_W, chosen_w
from .row import BLANK, Row, Span, right, row

LEAST = 20
"""Cells that a slider needs."""


class Mark(NamedTuple):
    """A limit with a name."""

    limit_w: float
    sign: str
    words: str
    ink: str


class PowerSlider(Painted):
    """Two lines: the track, and the names of its marks."""

    class Asked(Message):
        """Somebody wants this limit."""

        def __init__(self, limit_w: float) -> None:
            super().__init__()
            self.limit_w = limit_w

    state: State | None = None
    stock_w: float | None = None

    def tell(self, state: State, stock_w: float | None) -> None:
        """Another moment; `stock_w` is None where the vendor tells none."""
        self.state, self.stock_w = state, stock_w
        self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The track, and what stands on it."""
        return slider(self.state, self.stock_w, width)[:height] if self.state else ()

    def on_click(self, event: events.Click) -> None:
        """Sets the limit under the mouse."""
        at = event.get_content_offset(self)
        if at is None or self.state is None:
            return
        limit_w = clicked(self.state, self.stock_w, self.content_size.width, at.x)
        if limit_w is not None:
            self.post_message(self.Asked(limit_w))


def slider(state: State, stock_w: float | None, width: int) -> list[Row]:
    """Track and names."""
    along = axis(state, width)
    if along.columns < LEAST:
        return [row((f"{watts(state.limit_w)} of {watts(state.lowest_w)} to {watts(state.top_w)}", "text")), BLANK]
    found = marks(state, stock_w)
    signs: dict[int, Span] = {}
    for mark in reversed(found):  # the first is the most important
        signs[along.column(mark.limit_w)] = (mark.sign, mark.ink)
    here = along.column(state.limit_w)
    track: list[Span] = []
    for column in range(along.columns):
        piece = signs.get(column) or (("━", "measured") if column < here else ("─", "faint"))
        if track and track[-1][1] == piece[1]:
            track[-1] = (track[-1][0] + piece[0], piece[1])
        else:
            track.append(piece)
    small, large = paces(state)
    keys: tuple[Span, ...] = (("[ ]", "key"), (f"{small:g} ".rjust(3), "dim"), (" ", "text"))
    more: tuple[Span, ...] = (("  { }", "key"), (f" {large:g}", "dim"))
    return [row(*keys, *track, *more), _names(found, along, width)]


def marks(state: State, stock_w: float | None) -> list[Mark]:
    """What stands on the track, the most important first."""
    chosen = chosen_w(state)
    named = [
        *([(chosen, "◆", "chosen", "good")] if chosen is not None else []),
        *([(state.original_w, "◇", "before", "text")] if state.changed or not _same(state.original_w, stock_w) else []),
        *([(stock_w, "┼", "stock", "dim")] if stock_w is not None else []),
    ]
    here = "".join(f", {name}" for limit_w, _, name, _ in named if _same(limit_w, state.limit_w))
    return [
        Mark(state.limit_w, "█", f"{watts(state.limit_w)}{here}", "strong"),
        *(Mark(limit_w, sign, f"{watts(limit_w)} {name}", ink) for limit_w, sign, name, ink in named),
        Mark(state.lowest_w, "├", watts(state.lowest_w), "faint"),
        Mark(state.top_w, "┤", watts(state.top_w), "faint"),
    ]


def _same(one: float, other: float | None) -> bool:
    return other is not None and abs(one - other) <= SAME_W


def clicked(state: State, stock_w: float | None, width: int, x: int) -> float | None:
    """The limit at this cell: that of a mark, else a multiple of the small step."""
    along = axis(state, width)
    column = x - GUTTER
    if not 0 <= column < along.columns or along.columns < LEAST:
        return None
    for mark in marks(state, stock_w)[1:]:
        if along.column(mark.limit_w) == column:
            return mark.limit_w
    small, _ = paces(state)
    limit_w = round(along.watts(column / (along.columns - 1)) / small) * small
    return min(max(limit_w, state.lowest_w), state.top_w)


def _names(found: Sequence[Mark], along: Axis, width: int) -> Row:
    """Each below its mark, as long as there is room."""
    taken: list[tuple[int, int, Mark]] = []
    for mark in found:
        column = GUTTER + along.column(mark.limit_w)
        start = min(max(column - len(mark.words) // 2, GUTTER), width - len(mark.words) - 1)
        end = start + len(mark.words)
        if all(end + 2 <= other or start >= until + 2 for other, until, _ in taken):
            taken.append((start, end, mark))
    spans: list[Span] = []
    x = 0
    for start, end, mark in sorted(taken, key=lambda each: each[0]):
        spans += [(right("", start - x), "text"), (mark.words, mark.ink if mark.ink != "faint" else "dim")]
        x = end
    return row(*spans)
