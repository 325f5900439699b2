"""The rows of `llmtop fit` as text for a terminal, as Markdown, and as CSV."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..format import exact_rate, joules, percent, seconds, size, span
from .columns import Form, fitting

if TYPE_CHECKING:  # the estimator behind it takes a while to load: the screen draws before
    from .rows import Row

HEAD = ("MODEL", "QUANT", "TOK/S", "NEEDS", "RUNS ON", "CONTEXT", "1ST TOKEN", "PER TOKEN")
PLACES = {"gpu": "GPU", "cpu": "CPU"}
NAME = 30
"""Cells that a model's name may take."""


def text(rows: Sequence["Row"], columns: int | None = None) -> str:
    """Aligned columns, in so many cells or those of the terminal: in few, places are short, then ranges go."""
    every = [_cells(row) for row in rows]
    brief = [(*cells[:4], short_place(row), *cells[5:]) for row, cells in zip(rows, every, strict=True)]
    bare = [(*cells[:2], cells[2].partition(" (")[0], *cells[3:]) for cells in brief]
    forms = [
        Form([HEAD, *every], range(5), 0),
        Form([HEAD, *brief], (0, 1, 2, 4), 0),
        Form([HEAD, *bare], (0, 1, 2, 4), 0),
    ]
    return "\n".join(fitting(forms, columns=columns))


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
        joules(row.joules_per_token),
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
        return f"{row.gpu_layers}/{row.layers} layers on GPU" if row.gpu_layers else short_place(row)
    return PLACES[row.runs_on]


def short_place(row: "Row") -> str:
    """The same in few letters."""
    if row.runs_on is None:
        return "no"
    return f"{percent(row.gpu_share)} GPU" if row.runs_on == "gpu+cpu" else PLACES[row.runs_on]


def tokens(count: int | None) -> str:
    """Thousands as people write them: "131k"."""
    if count is None:
        return "–"
    return f"{count / 1024:.0f}k" if count >= 10_000 else str(count)
