"""`llmtop accuracy`: predictions held against published measurements."""

import argparse
import csv
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ..estimator.accuracy import Answer, Score, answers, question, score
from ..estimator.catalogue.names import UnknownName
from ..estimator.groups import GROUPS, Sort, sort
from ..estimator.measurements import SHIPPED, BadRows, Measurement, load
from ..estimator.question import Question
from ..estimator.snapshot import SCHEMA
from ..estimator.terms import Unanswerable
from .answer import width
from .format import UNKNOWN
from .refusal import Refusal

COLUMNS = ("id", "metric", "value", "predicted", "low", "high", "problem")
FITTED = (
    "These are the rows that the constants were fitted on. How far predictions lie from devices, families and sources "
    "that the fit never saw stands in docs/accuracy.md."
)
LEGEND = (
    "answ.: rows with a prediction, on so many devices (dev.). Error is |predicted / measured - 1|: its median, its "
    "90th percentile, and the share of rows where it is below 20 %. in band: the share inside the predicted range."
)
HEAD = {"rows": 6, "answ.": 6, "dev.": 5, "median": 7, "p90": 6, "<20 %": 7, "in band": 8}
"""The columns and how wide they are."""
MOST_REASONS = 12
"""Reasons that are listed; more are counted."""


def accuracy(options: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        Refusal: the rows cannot be read, or the output file cannot be written or is there already.
    """
    path = options.rows or SHIPPED
    try:
        found = answers(load(path))
    except BadRows as bad:
        raise Refusal(str(bad)) from None
    if options.out is not None:
        _write(options.out, found)
    groups = {name: score(chosen) for name, chosen in _grouped(found, options.by).items()}
    if options.json:
        sys.stdout.buffer.write(document(found, groups) + b"\n")
    else:
        print(text(found, groups, fitted=path.resolve() == SHIPPED.resolve()))  # noqa: T201
    return 0


def document(found: Sequence[Answer], groups: dict[str, Score]) -> bytes:
    """The JSON document."""
    overall = score(found)
    fields = {
        "schema": SCHEMA,
        "rows": len(found),
        "answered": overall.answered,
        "overall": overall,
        "groups": groups,
        "problems": _problems(found),
    }
    return msgspec.json.format(msgspec.json.encode(fields))


def text(found: Sequence[Answer], groups: dict[str, Score], *, fitted: bool) -> str:
    """A table of the groups, then why some rows have no answer."""
    overall = score(found)
    shown = {name: each for name, each in groups.items() if each.rows} | {"all rows": overall}
    most = max(width() - sum(HEAD.values()), 20)
    label = min(max(map(len, shown)), most)
    lines = [" " * label + "".join(f"{name:>{wide}}" for name, wide in HEAD.items())]
    lines += [f"{_short(name, label):<{label}}{_figures(each)}" for name, each in shown.items()]
    lines += ["", *textwrap.wrap(LEGEND, width())]
    problems = _problems(found)
    if problems:
        lines += ["", f"{len(found) - overall.answered} of {len(found)} rows have no prediction:"]
        for reason, times in list(problems.items())[:MOST_REASONS]:
            lines += textwrap.wrap(f"{times:>5}  {reason}", width(), subsequent_indent=" " * 7)
        rest = list(problems.values())[MOST_REASONS:]
        lines += [f"{sum(rest):>5}  for {len(rest)} more reasons: see them with --json"] if rest else []
    if fitted:
        lines += ["", *textwrap.wrap(FITTED, width())]
    return "\n".join(lines)


def _figures(of: Score) -> str:
    shares = (of.median_error, of.p90_error, of.within_20, of.in_band)
    cells = [str(of.rows), str(of.answered), str(of.devices)]
    cells += [UNKNOWN if share is None else f"{share:.0%}" for share in shares]
    return "".join(f"{cell:>{wide}}" for cell, wide in zip(cells, HEAD.values(), strict=True))


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _problems(found: Sequence[Answer]) -> dict[str, int]:
    """How often each reason stands for a row without an answer, the most frequent first."""
    return dict(Counter(each.problem for each in found if each.problem).most_common())


def _grouped(found: Sequence[Answer], by: str) -> dict[str, list[Answer]]:
    if by == "class":
        sorts = [sort(each.row, _question(each)) for each in found]
        return {name: _chosen(found, sorts, choice) for name, choice in GROUPS.items()}
    column = {"device": "hardware"}.get(by, by)
    groups: dict[str, list[Answer]] = {}
    for each in found:
        groups.setdefault(getattr(each.row, column) or f"no {by} named", []).append(each)
    return dict(sorted(groups.items()))


def _chosen(found: Sequence[Answer], sorts: Sequence[Sort], choice: Callable[[Sort], bool]) -> list[Answer]:
    return [each for each, of in zip(found, sorts, strict=True) if choice(of)]


def _question(of: Answer) -> Question | None:
    try:
        return question(of.row)
    except (UnknownName, Unanswerable):
        return None


def _write(path: Path, found: Sequence[Answer]) -> None:
    """One line a row. A file that holds something is never written over."""
    try:
        if path.is_file() and path.stat().st_size:
            raise Refusal(f"{path} is there already: nothing is written over, give a new name")
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows(_line(each.row, each) for each in found)
    except OSError as error:
        raise Refusal(f"cannot write {path}: {error.strerror}") from None


def _line(row: Measurement, of: Answer) -> tuple[object, ...]:
    band = of.predicted
    rates = ("", "", "") if band is None else tuple(f"{rate:.6g}" for rate in (band.value, band.low, band.high))
    return (row.id, row.metric, "" if row.value is None else f"{row.value:.15g}", *rates, of.problem or "")
