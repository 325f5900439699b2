"""The chart of a rate over time, in braille, with the expected band and the ceiling drawn in."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ...estimator.snapshot import Band
from ..format import duration, exact_rate, mark, span
from .row import Row, Span, left, right, row

HEATS = 6
"""Inks of the filled area, from the bottom ("heat0") to the top ("heat5")."""

_LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
_BRAILLE = tuple(tuple(chr(0x2800 + a + b) if a + b else " " for b in _RIGHT) for a in _LEFT)

FAR = 3.0
"""A ceiling this many times above everything else is named at the edge instead of flattening the curve."""

STEPS = (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between two marks of the time axis."""


class Look(NamedTuple):
    """What the chart is scaled to."""

    top: float
    """Value at the upper edge of the area."""
    far: bool
    """Whether the ceiling lies beyond the upper edge."""


def look(values: Sequence[float | None], band: Band | None, ceiling: float | None) -> Look | None:
    """The scale for these values, or None when there is nothing to draw."""
    largest = max((value for value in values if value is not None), default=0.0)
    largest = max(largest, band.high if band else 0.0)
    if ceiling is not None and ceiling > 0 and (largest <= 0 or ceiling <= FAR * largest):
        return Look(max(ceiling, largest), far=False)
    if largest <= 0:
        return None
    return Look(largest * 1.1, far=ceiling is not None and ceiling > largest)


def levels(values: Sequence[float | None], top: float, rows: int) -> list[int]:
    """Each value as a number of dots; 0 is a hole, and a measured zero still shows one dot."""
    dots = rows * 4
    return [0 if value is None else min(max(round(value / top * dots), 1), dots) for value in values]


def area(values: Sequence[float | None], top: float, columns: int, rows: int) -> list[str]:
    """The filled area, top line first: two values a column, newest at the right.

    A column is drawn when both of its values are known, so that most pictures need not be painted again.
    """
    whole_columns = values[: len(values) // 2 * 2]
    recent = whole_columns[-2 * columns :] if columns > 0 else ()
    return _lines(tuple(recent), top, columns, rows)


@lru_cache(maxsize=128)
def _lines(recent: tuple[float | None, ...], top: float, columns: int, rows: int) -> list[str]:
    dots = [0] * (2 * columns - len(recent)) + levels(recent, top, rows)
    pairs = list(zip(dots[::2], dots[1::2], strict=True))
    whole = 4 * rows
    steps = [0] * whole + [0, 1, 2, 3] + [4] * whole
    lines: list[str] = []
    for base in range(whole - 4, -1, -4):
        held = steps[whole - base :]
        lines.append("".join([_BRAILLE[held[a]][held[b]] for a, b in pairs]))
    return lines


def band_rows(band: Band | None, top: float, rows: int) -> range:
    """The lines (from the top) that the band covers: at least one when it is on the chart."""
    if band is None or rows <= 0 or band.low >= top:
        return range(0)
    first = min(max(int((1 - band.high / top) * rows + 0.5), 0), rows - 1)
    last = min(max(int((1 - band.low / top) * rows - 0.5), first), rows - 1)
    return range(first, last + 1)


def chart(
    values: Sequence[float | None],
    band: Band | None,
    ceiling: float | None,
    size: tuple[int, int],
    period: float,
) -> list[Row]:
    """The whole chart in `size` (columns, lines): the ceiling above, the area, and a time axis when there is room."""
    width, height = size
    scaled = look(values, band, ceiling)
    if scaled is None or height < 2 or width < 20:
        return [row()] * max(height, 0)
    words = width >= 90
    gutter, margin = 7, 10 if words else 0
    columns = width - gutter - margin
    axis = 1 if height >= 7 else 0
    head = 1 if ceiling is not None and height >= 3 else 0
    rows = height - axis - head
    drawn: list[Row] = []
    if head:
        drawn.append(_ceiling(scaled, ceiling or 0.0, gutter, columns, words=words))
    covered = band_rows(band, scaled.top, rows)
    newest = values[-1] if values else None
    here = rows - 1 - (levels([newest], scaled.top, rows)[0] - 1) // 4 if newest is not None else -1
    for index, line in enumerate(area(values, scaled.top, columns, rows)):
        inside = index in covered
        heat = (rows - 1 - index) * HEATS // rows
        label, ink = "", "faint"
        if band is not None and inside:
            if len(covered) == 1:
                both = span(band.low, band.high)
                label, ink = both if len(both) < gutter else mark(band.high), "expected"
            elif index == covered[0]:
                label, ink = mark(band.high), "expected"
            elif index == covered[-1]:
                label, ink = mark(band.low), "expected"
        elif index == rows - 1:
            label = "0"
        elif index == 0 and not head:
            label = mark(scaled.top)
        edge = ("▐", "expected") if inside else (" ", "text")
        spans: list[Span] = [(right(label, gutter - 1), ink), edge]
        spans.append((line, f"heat{heat}-band" if inside else f"heat{heat}"))
        if words and index == here and newest is not None:
            spans.append((f"◂ {exact_rate(newest)}", "measured"))
        elif words and inside and index == covered[len(covered) // 2]:
            spans.append((" expected", "expected"))
        drawn.append(row(*spans))
    if axis:
        drawn.append(_axis(gutter, columns, period))
    return drawn


def _ceiling(scaled: Look, ceiling: float, gutter: int, columns: int, *, words: bool) -> Row:
    if scaled.far:
        told = f"ceiling {mark(ceiling)} ↑"
        return row((" " * gutter, "text"), (told if len(told) <= columns else f"{mark(ceiling)} ↑", "ceiling"))
    line = "┈" * columns
    if not words:
        line = "┈" * (columns - 8) + " ceiling"
    return row(
        (right(mark(ceiling), gutter - 1) + " ", "ceiling"),
        (line, "ceiling-line"),
        (" ceiling" if words else "", "ceiling"),
    )


def _axis(gutter: int, columns: int, period: float) -> Row:
    """Times below the chart, at round distances from now."""
    total = 2 * columns * period
    step = next((step for step in STEPS if total / step <= max(columns // 20, 2)), STEPS[-1])
    line = [" "] * columns
    for tick in range(1, int(total / step) + 1):
        text = f"-{duration(tick * step)}"
        at = columns - round(tick * step / total * columns)
        if at + len(text) < columns - 4:
            line[at : at + len(text)] = text
    line[-3:] = "now"
    return row((left("decode", gutter), "faint"), ("".join(line), "faint"))
