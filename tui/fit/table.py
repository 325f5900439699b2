"""The rows of `llmtop fit` as text for a terminal, as Markdown, and as CSV."""

import csv
import io
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..format import exact_rate, percent, seconds, size, span

if TYPE_CHECKING:  # the estimator behind it takes a while to load: the screen draws before
    from .rows import Row

HEAD = ("MODEL", "QUANT", "TOK/S", "NEEDS", "RUNS ON", "CONTEXT", "1ST TOKEN", "PER TOKEN")
PLACES = {"gpu": "GPU", "cpu": "CPU"}
GAP = 2
LEAST = 5
"""Columns that are shown however narrow the terminal is."""
NAME = 30
"""Cells that a model's name may take."""


def text(rows: Sequence["Row"]) -> str:
    """Aligned columns."""
    return "\n".join(aligned([HEAD, *(_cells(row) for row in rows)]))


def aligned(cells: Sequence[tuple[str, ...]], indent: int = 0, columns: int | None = None) -> list[str]:
    """Lines of a table in so many columns, None for the terminal's; where they are few, the right is left out."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    room = (columns or shutil.get_terminal_size().columns) - indent
    shown = len(widths)
    while shown > LEAST and sum(widths[:shown]) + GAP * (shown - 1) > room:
        shown -= 1
    return [
        " " * indent
        + (" " * GAP).join(cell.ljust(width) for cell, width in zip(line[:shown], widths[:shown], strict=True)).rstrip()
        for line in cells
    ]


def markdown(rows: Sequence["Row"]) -> str:
    """One table."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def comma_separated(rows: Sequence["Row"]) -> str:
    """All fields, bands as three columns, units in the names."""
    from .rows import Row  # noqa: PLC0415

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    bands = ("decode_tps", "prefill_tps", "ttft_s")
    plain = tuple(name for name in Row.__struct_fields__ if name not in bands)
    writer.writerow([*plain, *(f"{band}{end}" for band in bands for end in ("", "_low", "_high"))])
    for row in rows:
        values = [_plain(getattr(row, name)) for name in plain]
        for name in bands:
            band = getattr(row, name)
            values += [band.value, band.low, band.high] if band else ["", "", ""]
        writer.writerow(values)
    return out.getvalue().rstrip("\n")


def _plain(value: object) -> object:
    if value is None:
        return ""
    return "|".join(map(str, value)) if isinstance(value, tuple) else value


def _cells(row: "Row") -> tuple[str, ...]:
    name = row.model if len(row.model) <= NAME else f"{row.model[: NAME - 1]}…"
    return (
        name,
        row.quant or "–",
        _speed(row),
        size(row.memory_bytes),
        place(row),
        tokens(row.max_context),
        seconds(row.ttft_s.value) if row.ttft_s else "–",
        f"{row.joules_per_token:.2g} J" if row.joules_per_token is not None else "–",
    )


def _speed(row: "Row") -> str:
    """Of decoding; of reading where it does that only."""
    band, read = row.decode_tps, row.prefill_tps
    if band:
        return f"{exact_rate(band.value)} ({span(band.low, band.high)})"
    return f"reads {exact_rate(read.value)}" if read else "–"


def place(row: "Row") -> str:
    """Where it runs, or how much is missing."""
    if row.runs_on is None:
        return f"no: {size(row.memory_bytes - row.memory_free_bytes)} missing"
    if row.runs_on == "gpu+cpu":
        return f"{percent(row.gpu_share)} GPU, rest CPU"
    return PLACES[row.runs_on]


def tokens(count: int | None) -> str:
    """Thousands as people write them: "131k"."""
    if count is None:
        return "–"
    return f"{count / 1024:.0f}k" if count >= 10_000 else str(count)
