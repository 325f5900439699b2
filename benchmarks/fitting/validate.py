"""How far the fit may be trusted: predictions of rows by constants that never saw their device, family or source."""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from llmtop.estimator.accuracy import Answer, answer, metric
from llmtop.estimator.constants import ALL, Constants, Phase, Spread
from llmtop.estimator.software import year
from numpy.typing import NDArray

from .cases import Case
from .fit import Array, Fit

LEAST_ROWS, LEAST_DEVICES = 6, 2
"""A spread of its own needs so many."""
OUTWARDS = 0.2
"""So that 8 of 10 measurements on held-out devices are inside."""
DRAWN = 5.0
"""Devices' worth of its kin's spread that is mixed into a spread."""
PHASES: tuple[Phase, ...] = ("decode", "prefill", "throughput")
UNKNOWN: dict[Phase, dict[str, Spread]] = {
    phase: {ALL: Spread(low=0.5, high=2.0, rows=0, devices=0, years="")} for phase in PHASES
}
"""Stands for the spreads as long as there are none."""
Used = NDArray[np.bool_]


def held_out(fit: Fit, key: Callable[[Case], str]) -> list[Answer]:
    """Answers every row as the estimator does, with constants and bands that no row of the same key was used for."""
    keys = np.array([key(case) for case in fit.cases])
    folds = [keys == name for name in sorted(set(keys.tolist()))]
    begin = fit.solve(fit.everything)
    fitted = [fit.constants(fit.solve(~fold, begin), UNKNOWN) for fold in folds]
    first = _answered(fit.cases, folds, fitted)
    known = [
        msgspec.structs.replace(one, spreads=spreads(first, fit.cases, ~fold))
        for fold, one in zip(folds, fitted, strict=True)
    ]
    return _answered(fit.cases, folds, known)


def _answered(cases: Sequence[Case], folds: Sequence[Used], fitted: Sequence[Constants]) -> list[Answer]:
    found: dict[int, Answer] = {}
    for fold, known in zip(folds, fitted, strict=True):
        for index in map(int, np.flatnonzero(fold)):
            found[index] = answer(cases[index].row, known)
    return [found[index] for index in range(len(cases))]


def spreads(answers: Sequence[Answer], cases: Sequence[Case], used: Used) -> dict[Phase, dict[str, Spread]]:
    """Measured / predicted at p10 and p90, by every name that enough rows have; each drawn to its more general kin."""
    ratio = np.log([answer.ratio or 1.0 for answer in answers])
    own = [index for index, case in enumerate(cases) if used[index] and case.fits]
    return {phase: _phase(cases, ratio, [at for at in own if phase_of(cases[at]) == phase]) for phase in PHASES}


def _phase(cases: Sequence[Case], ratio: Array, own: list[int]) -> dict[str, Spread]:
    groups: dict[str, list[int]] = {ALL: own}
    kin: dict[str, tuple[str, ...]] = {}
    for index in own:
        names = tuple(dict.fromkeys(cases[index].names))
        for place, name in enumerate(names):
            groups.setdefault(name, []).append(index)
            kin.setdefault(name, names[place + 1 :])
    quantiles: dict[str, Array] = {ALL: _quantiles(ratio, own, cases)}
    for name in sorted(kin, key=lambda name: (len(kin[name]), name)):
        rows = groups[name]
        devices = len({cases[index].row.hardware for index in rows})
        if len(rows) < LEAST_ROWS or devices < LEAST_DEVICES:
            continue
        general = quantiles[next((other for other in kin[name] if other in quantiles), ALL)]
        weight = devices / (devices + DRAWN)
        quantiles[name] = weight * _quantiles(ratio, rows, cases) + (1.0 - weight) * general
    return {name: _spread(found, groups[name], cases) for name, found in sorted(quantiles.items())}


def _quantiles(ratio: Array, rows: Sequence[int], cases: Sequence[Case]) -> Array:
    """p10 and p90 for a device that is not among them, each device with the same weight as far as it has rows enough.

    A few devices show too little of what the next one does: with n of them the levels are moved outwards by
    (n + OUTWARDS) / n. Conformal prediction takes 1 (Vovk et al. 2005), which is safe and holds more than 8 of 10 here.
    """
    count = Counter(cases[index].row.hardware for index in rows)
    weight = np.array([count[cases[index].row.hardware] ** -0.5 for index in rows])
    order = np.argsort(ratio[list(rows)])
    place = np.cumsum(weight[order]) - weight[order] / 2
    level = min(0.9 * (len(count) + OUTWARDS) / len(count), 1.0)
    return np.interp([1.0 - level, level], place / weight.sum(), ratio[list(rows)][order])


def _spread(quantiles: Array, rows: Sequence[int], cases: Sequence[Case]) -> Spread:
    known = [when for index in rows if (when := year(cases[index].row.engine_version_or_date))]
    years = sorted({int(when) for when in known})
    return Spread(
        low=round(float(np.exp(quantiles[0])), 3),
        high=round(float(np.exp(quantiles[1])), 3),
        rows=len(rows),
        devices=len({cases[index].row.hardware for index in rows}),
        years=f"{years[0]}-{years[-1]}" if len(years) > 1 else str(years[0]) if years else "undated",
    )


def phase_of(case: Case) -> Phase:
    """Which spread a row tells of: all output over all time of one stream is mostly decoding."""
    measured = metric(case.row)
    if measured == "prefill_tps":
        return "prefill"
    return "throughput" if case.setup.streams > 1 else "decode"
