"""The report of a fit: what docs/accuracy.md holds."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from llmtop.estimator.accuracy import Answer, Score, score
from llmtop.estimator.constants import Constants
from llmtop.estimator.measurements import Measurement
from llmtop.estimator.snapshot import Band

from .cases import Case
from .validate import Held

Choice = Callable[[Case], bool]


def _single(case: Case) -> bool:
    return case.row.n_devices == 1


def _llamacpp(case: Case) -> bool:
    return case.names[0].startswith(("llama.cpp", "ds4")) and not case.user


GROUPS: dict[str, Choice] = {
    "decode, llama.cpp, one device": lambda case: _is(case, "decode_tps") and _llamacpp(case) and _single(case),
    "· mixture of experts": lambda case: _is(case, "decode_tps") and _llamacpp(case) and _single(case) and case.experts,
    "· context above 4k": lambda case: (
        _is(case, "decode_tps") and _llamacpp(case) and _single(case) and case.depth > 4096
    ),
    "decode, llama.cpp, several devices": lambda case: (
        _is(case, "decode_tps") and _llamacpp(case) and not _single(case)
    ),
    "decode, user-submitted (llamafile, Ollama)": lambda case: _is(case, "decode_tps") and case.user,
    "decode, other engines": lambda case: _is(case, "decode_tps") and not _llamacpp(case) and not case.user,
    "prefill, llama.cpp, one device": lambda case: _is(case, "prefill_tps") and _llamacpp(case) and _single(case),
    "prefill, all others": lambda case: (
        _is(case, "prefill_tps") and not (_llamacpp(case) and _single(case)) and not case.user
    ),
    "prefill, user-submitted": lambda case: _is(case, "prefill_tps") and case.user,
    "throughput, dense": lambda case: _is(case, "throughput_tps") and not case.experts,
    "throughput, mixture of experts": lambda case: _is(case, "throughput_tps") and case.experts,
    "all rows": lambda _: True,
}
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


def _table(found: Sequence[Case], held: Held, groups: Mapping[str, Choice] = GROUPS) -> list[str]:
    lines = [
        "| rows | n | devices | median error | p90 error | within 20 % | in band | bias |",
        "|---|---|---|---|---|---|---|---|",
    ]
    answers = _answers(found, held)
    for name, choice in groups.items():
        chosen = score([answer for answer, case in zip(answers, found, strict=True) if choice(case)])
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


def _is(case: Case, metric: str) -> bool:
    return case.row.metric == metric


def _bases(fitted: Constants) -> int:
    return len(fitted.decode) + len(fitted.prefill)


def _count(found: Sequence[Case], column: str) -> int:
    return len({getattr(case.row, column) for case in found})
