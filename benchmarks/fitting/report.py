"""The report of a fit: what docs/accuracy.md holds."""

from collections.abc import Callable, Mapping, Sequence

from llmtop.estimator.accuracy import Answer, Score, metric, score
from llmtop.estimator.constants import Constants
from llmtop.estimator.groups import GROUPS, Sort
from llmtop.estimator.measurements import Measurement

from .cases import Case
from .goals import goals

CHOICES: dict[str, Callable[[Sort], bool]] = {**GROUPS, "all rows": lambda _: True}
"""What is looked at apart."""
INTRODUCTION = """\
# How accurate the estimates are

Written by `python benchmarks/calibrate.py --write`. `llmtop accuracy ROWS.csv` prints such figures for any rows;
without a file it takes the shipped ones, which the constants were fitted on.

{found} of {rows} published rows can be predicted, on {devices} devices, from {sources} sources. {constants} constants
were fitted, of which {bases} are those of all cases; each of the others is drawn to that of its more general kin as far
as it has few rows.

Error: |predicted / measured - 1|. In the tables below no row is predicted by constants that ever saw its device (or its
model family, or its source).

## What is asked of them

Held out by device. By rows, a device with many rows counts as often; with each device counted once, the figure is that
of the device's median error.
"""
HINDRANCES = """\
What holds back the rest:

- Three devices have 258 of the 548 rows of llama.cpp with one stream (Strix Halo, MI50, R9700), and each is nearly
  alone in its class: held out, nothing is left to tell how far ROCm or Vulkan gets there. Counted once they weigh as
  other devices do.
- Of the tenth of these rows that lies above the p90 error more than half are those of MI50 and Strix Halo: the first
  has no kin in llama.cpp; of the second, BF16 files under Vulkan without bfloat16 in the driver, which reads them two
  to three times slower (the rows do not name the driver), and caches of 32k tokens and more.
- Two thirds of the rows with several streams are one source's (argonne-lcf/LLM-Inference-Bench, static batches); many
  rows of a device and a source together weigh little more than a few. In the fit the dense ones have a median error of
  about 10 %.
- Which experts a batch touches depends on the text; independent routing, which is reckoned with, is the worst case.
- Prefill depends on the kernels of a build more than decode does: one card and model moved by 60 % within a year.
- User-submitted rows of one device lie up to 18 times apart. The band says so; no formula can.
"""
"""Why a goal is missed."""


def report(
    rows: Sequence[Measurement], found: Sequence[Case], fitted: Constants, held: Mapping[str, Sequence[Answer]]
) -> str:
    """The text in Markdown."""
    count = sum(len(names) for table in (fitted.decode, fitted.prefill) for names in table.values())
    lines = [
        INTRODUCTION.format(
            found=len(found),
            rows=len(rows),
            devices=_count(found, "hardware"),
            sources=_count(found, "source"),
            constants=count,
            bases=_bases(fitted),
        ),
        *goals(found, held["device"]),
        "",
        HINDRANCES.rstrip(),
    ]
    for name, each in held.items():
        lines += ["", f"## Held out by {name}", "", *_table(found, each)]
    return "\n".join([*lines, ""])


def _table(found: Sequence[Case], every: Sequence[Answer]) -> list[str]:
    lines = [
        "| rows | n | devices | median error | p90 error | within 20 % | in band | bias |",
        "|---|---|---|---|---|---|---|---|",
    ]
    sorts = [_sort(case) for case in found]
    for name, choice in CHOICES.items():
        chosen = score([answer for answer, sort in zip(every, sorts, strict=True) if choice(sort)])
        if chosen.answered:
            lines.append(f"| {name} | {_figures(chosen)} |")
    return lines


def _figures(of: Score) -> str:
    shares = (of.median_error, of.p90_error, of.within_20, of.in_band)
    return " | ".join(
        [str(of.answered), str(of.devices), *(f"{100 * (share or 0.0):.1f} %" for share in shares), f"{of.bias:.2f}"]
    )


def _sort(case: Case) -> Sort:
    return Sort(
        metric=metric(case.row),
        engine=case.setup.software.engine.name,
        devices=case.row.n_devices,
        experts=case.experts,
        depth=case.depth,
    )


def _bases(fitted: Constants) -> int:
    return len(fitted.decode) + len(fitted.prefill)


def _count(found: Sequence[Case], column: str) -> int:
    return len({getattr(case.row, column) for case in found})
