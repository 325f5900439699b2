"""The report of a fit: what docs/accuracy.md holds."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from llmtop.estimator.accuracy import Answer, Score, score
from llmtop.estimator.constants import Constants
from llmtop.estimator.groups import GROUPS, Sort
from llmtop.estimator.measurements import Measurement
from llmtop.estimator.snapshot import Band

from .cases import Case
from .validate import Held

CHOICES: dict[str, Callable[[Sort], bool]] = {**GROUPS, "all rows": lambda _: True}
"""What is looked at apart."""


def report(rows: Sequence[Measurement], found: Sequence[Case], fitted: Constants, held: Mapping[str, Held]) -> str:
    """The text in Markdown."""
    lines = [
        "# How accurate the estimates are",
        "",
        "Written by `python benchmarks/calibrate.py --write`; `llmtop accuracy` prints the same figures for any rows.",
        "",
        f"{len(found)} of {len(rows)} published rows can be predicted, on {_count(found, 'hardware')} devices, from",
        f"{_count(found, 'source')} sources.",
        "",
        "Each row below is predicted by constants that never saw its device (or its model family, or its source).",
        "Error: |predicted / measured - 1|.",
    ]
    for name, each in held.items():
        lines += ["", f"## Held out by {name}", "", *_table(found, each)]
    count = sum(len(names) for table in (fitted.decode, fitted.prefill) for names in table.values())
    lines += ["", f"{count} constants, of which {_bases(fitted)} are those of all cases.", ""]
    return "\n".join(lines)


def _table(found: Sequence[Case], held: Held) -> list[str]:
    lines = [
        "| rows | n | devices | median error | p90 error | within 20 % | in band | bias |",
        "|---|---|---|---|---|---|---|---|",
    ]
    answers, sorts = _answers(found, held), [_sort(case) for case in found]
    for name, choice in CHOICES.items():
        chosen = score([answer for answer, sort in zip(answers, sorts, strict=True) if choice(sort)])
        if chosen.answered:
            lines.append(f"| {name} | {_figures(chosen)} |")
    return lines


def _answers(found: Sequence[Case], held: Held) -> list[Answer]:
    values = np.exp(held.rates)
    return [
        Answer(row=case.row, predicted=Band(value=float(value), low=float(value * low), high=float(value * high)))
        for case, value, low, high in zip(found, values, held.low, held.high, strict=True)
    ]


def _figures(of: Score) -> str:
    shares = (of.median_error, of.p90_error, of.within_20, of.in_band)
    return " | ".join(
        [str(of.answered), str(of.devices), *(f"{100 * (share or 0.0):.1f} %" for share in shares), f"{of.bias:.2f}"]
    )


def _sort(case: Case) -> Sort:
    return Sort(
        metric=case.row.metric,
        engine=case.setup.software.engine.name,
        devices=case.row.n_devices,
        experts=case.experts,
        depth=case.depth,
    )


def _bases(fitted: Constants) -> int:
    return len(fitted.decode) + len(fitted.prefill)


def _count(found: Sequence[Case], column: str) -> int:
    return len({getattr(case.row, column) for case in found})
