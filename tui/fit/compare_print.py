"""`llmtop fit --compare`: prints the answer as text, Markdown, CSV or JSON."""

import argparse
import csv
import io
import sys
import textwrap
from collections.abc import Sequence

import msgspec

from ...estimator.compare import Entry, match, total
from ...estimator.snapshot import SCHEMA, Band
from ..answer import width
from ..asked_names import asked_engine
from ..format import exact_rate, joules, span
from ..refusal import Refusal
from .columns import Form, fitting
from .compare import LETTERS, Compared, Line, compared
from .nothing import nothing
from .rows import row, wish
from .table import comma_separated, tokens
from .verdict import counts, measures, reason, winners

NAME = 22
"""Cells that a model's name may take."""


def compare(options: argparse.Namespace) -> int:
    """Runs the command. Raises as `compared` does."""
    found = compared(options)
    if options.json:
        sys.stdout.buffer.write(document(found) + b"\n")
        return 0
    if options.csv:
        print(separated(found))  # noqa: T201
        return 0
    if not found.lines:
        raise Refusal(nothing(options))
    cells = [_head(found), *(_cells(line, found) for line in found.lines)]
    legend = [
        f"{letter}: {box.words}{f', for {price:g}' if price else ''}"
        for letter, box, price in zip(LETTERS, found.machines, found.prices, strict=False)
    ]
    what = found.lines[0].name if found.one else "the same quantisation on each"
    legend.append(f"{what} · {asked_engine(options.engine).name} · {options.context} tokens of context")
    said = [*winners(found), *([] if found.one else counts(found, wish(options).least_tps))]
    notes = [f"note: {note}" for note in found.notes]
    if options.markdown:
        table = [cells[0], tuple("---" for _ in cells[0]), *cells[1:]]
        lines = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in table]
        print("\n\n".join(["  \n".join(legend), "\n".join(lines), *said, *notes]))  # noqa: T201
        return 0
    head, below = _wrapped(legend), _wrapped([*said, *notes])
    print("\n".join([*head, "", *_table(cells, len(found.machines)), "", *below]))  # noqa: T201
    return 0


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, width(), subsequent_indent="  ")]


def _table(cells: Sequence[tuple[str, ...]], machines: int) -> list[str]:
    """In a narrow terminal without the ranges, then without the quantisation, and who is faster."""
    speeds = range(2, 2 + machines)
    bare = [tuple(cell.partition(" (")[0] if at in speeds else cell for at, cell in enumerate(line)) for line in cells]
    heads = (*cells[0][:2], *LETTERS[:machines], *cells[0][2 + machines :])
    kept = (0, 1, *speeds, 2 + machines)
    brief, told = [heads, *bare[1:]], (0, *speeds, 2 + machines)
    return fitting([Form(cells, kept, 0), Form(bare, kept, 0), Form(brief, told, 0), Form(brief, (0, *speeds), 0)])


def _head(found: Compared) -> tuple[str, ...]:
    letters = LETTERS[: len(found.machines)]
    speeds = [f"{letter} TOK/S" for letter in letters]
    moneys = [f"{letter} PER 1000" for letter in letters] if any(found.prices) else []
    others = [f"{letter} {what}" for what in ("CONTEXT", "PER TOKEN", "TOK/S/W") for letter in letters]
    return ("MODEL", "QUANT", *speeds, "FASTER", *moneys, *others)


def _cells(line: Line, found: Compared) -> tuple[str, ...]:
    entries = line.entries
    name = line.name if len(line.name) <= NAME else f"{line.name[: NAME - 1]}…"
    moneys = [_number(each.tps_per_money, 1000.0) for each in entries] if any(found.prices) else []
    return (
        name,
        line.quant or "–",
        *(_speed(each) for each in entries),
        _faster([each.tps for each in entries]),
        *moneys,
        *(tokens(each.offer.max_context) for each in entries),
        *(_energy(each) for each in entries),
        *(_number(each.tokens_per_joule, 1.0) for each in entries),
    )


def _speed(entry: Entry) -> str:
    if entry.tps:
        return f"{exact_rate(entry.tps.value)} ({span(entry.tps.low, entry.tps.high)})"
    return "–" if entry.offer.found else "no"


def _energy(entry: Entry) -> str:
    draw = entry.offer.found.draw if entry.offer.found else None
    return joules(draw.joules_per_token if draw else None)


def _number(band: Band | None, times: float) -> str:
    return f"{band.value * times:.3g}" if band else "–"


def _faster(bands: Sequence[Band | None]) -> str:
    """Which machine, and how many times: "A 2.1x"; "?" where the bands do not tell."""
    found = match(bands)
    if not found.known:
        return "none"
    if found.winner is None:
        return f"? {exact_rate(found.factor)}x" if found.factor else "?"
    letter = LETTERS[found.winner]
    return f"{letter} {exact_rate(found.factor)}x" if found.factor else f"{letter} only"


def document(found: Compared) -> bytes:
    """The JSON document."""
    machines = [
        {"name": letter, "words": box.words, "local": box.local, "price": price}
        | {"gpus": box.box.gpus, "cpu": box.box.cpu}
        for letter, box, price in zip(LETTERS, found.machines, found.prices, strict=False)
    ]
    summary: dict[str, object] = {}
    for name, rows in measures(found).items():
        whole = total(rows)
        summary[name] = {
            "models": whole.rows,
            "won": dict(zip(LETTERS, whole.won, strict=False)),
            "factors": dict(zip(LETTERS, whole.factors, strict=False)),
            "winner": None if whole.winner is None else LETTERS[whole.winner],
        }
    fields = {
        "schema": SCHEMA,
        "machines": machines,
        "models": [_plain(line) for line in found.lines],
        "summary": summary,
        "words": winners(found),
        "notes": found.notes,
    }
    return msgspec.json.format(msgspec.json.encode(fields))


def _plain(line: Line) -> dict[str, object]:
    found = match([each.tps for each in line.entries])
    return {
        "model": line.name,
        "quant": line.quant,
        "faster": None if found.winner is None else LETTERS[found.winner],
        "factor": found.factor,
        "reason": reason(found),
        "machines": {
            letter: {
                "answer": row(each.offer),
                "tokens_per_joule": each.tokens_per_joule,
                "tps_per_money": each.tps_per_money,
            }
            for letter, each in zip(LETTERS, line.entries, strict=False)
        },
    }


def separated(found: Compared) -> str:
    """CSV: a row a model and machine."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    flat = [
        (letter, each, box)
        for line in found.lines
        for letter, each, box in zip(LETTERS, line.entries, found.machines, strict=False)
    ]
    head, *rows = csv.reader(io.StringIO(comma_separated([row(each.offer) for _, each, _ in flat])))
    writer.writerow(["machine", "hardware", "price", "tokens_per_joule", "tps_per_money", *head])
    for (letter, each, box), cells in zip(flat, rows, strict=True):
        numbers = [each.price, *(band.value if band else None for band in (each.tokens_per_joule, each.tps_per_money))]
        writer.writerow([letter, box.words, *numbers, *cells])
    return out.getvalue().rstrip("\n")
