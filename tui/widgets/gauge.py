"""The gauge: measured as a solid bar on a scale that ends at the ceiling, with the expected band marked on it."""

from typing import NamedTuple

from ...estimator.snapshot import Band
from ..format import mark
from .bar import EIGHTHS
from .row import Row, Span, row


class Scale(NamedTuple):
    """What the gauge measures against."""

    end: float
    band: Band | None = None
    ceiling: float | None = None


def scale(measured: float | None, band: Band | None, ceiling: float | None) -> Scale | None:
    """The scale for these numbers: to the ceiling, else to well beyond what is expected, else none."""
    if ceiling is not None and ceiling > 0:
        return Scale(max(ceiling, measured or 0.0), band, ceiling)
    if band is not None and band.high > 0:
        return Scale(max(band.high * 1.25, measured or 0.0), band, None)
    return None


def cell(value: float, end: float, width: int) -> int:
    """The cell that the value falls in."""
    return min(max(int(value / end * width), 0), width - 1)


def gauge(measured: float | None, on: Scale, width: int) -> Row:
    """The bar, `width` cells with the figure of the ceiling at its end."""
    label = f"▏{mark(on.ceiling)}" if on.ceiling is not None else ""
    room = max(width - len(label), 1)
    eighths = round(min(max((measured or 0.0) / on.end, 0.0), 1.0) * room * 8)
    full, part = divmod(eighths, 8)
    low, high = (cell(on.band.low, on.end, room), cell(on.band.high, on.end, room)) if on.band else (room, room)
    spans: list[Span] = []
    for index in range(room):
        inside = low <= index <= high
        solid = index < full or (index == full and part > 0)
        character = "█" if index < full else EIGHTHS[part] if solid else "░" if inside else " "
        ink = ("bar" if solid else "track") + ("-band" if inside else "")
        if spans and spans[-1][1] == ink:
            spans[-1] = (spans[-1][0] + character, ink)
        else:
            spans.append((character, ink))
    return row(*spans, (label, "ceiling"))


def ruler(on: Scale, width: int) -> Row:
    """The line below the gauge that names the band: " 61 ╰─ expected ─╯ 78 "."""
    label = len(mark(on.ceiling)) + 1 if on.ceiling is not None else 0
    room = max(width - label, 1)
    if on.band is None:
        return row(("0", "faint"))
    low, high = cell(on.band.low, on.end, room), cell(on.band.high, on.end, room)
    inner = high - low - 1
    if inner >= 10:
        bracket = "╰" + " expected ".center(inner, "─") + "╯"
    elif inner >= 0:
        bracket = "╰" + "─" * inner + "╯"
    else:
        bracket = "╵"
    before, after = mark(on.band.low), mark(on.band.high)
    if inner < 10:
        after += " expected"
    start = max(low - len(before) - 1, 2)
    prefix = "0".ljust(start) + before + " "
    if len(prefix) > low:
        prefix = "0".ljust(low) if low else ""
    return row(
        ("0" if prefix else "", "faint"), (prefix[1:], "expected"), (f"{bracket} {after}"[: width - low], "expected")
    )
