"""How far the fit may be trusted: predictions of rows by constants that never saw their device, family or source."""

from collections.abc import Callable, Sequence

import numpy as np
from llmtop.estimator.accuracy import metric
from llmtop.estimator.constants import ALL, Constants, Phase, Spread
from llmtop.estimator.expected import band
from llmtop.estimator.software import year
from msgspec import Struct
from numpy.typing import NDArray

from .cases import Case
from .fit import Array, Fit

LEAST_ROWS, LEAST_DEVICES = 6, 2
"""A spread of its own needs so many."""
OUTWARDS = 0.4
"""So that 8 of 10 measurements on held-out devices are inside."""
DRAWN = 6.0
"""Rows' worth of its kin's spread that is mixed into a spread."""
PHASES: dict[str, Phase] = {"decode_tps": "decode", "prefill_tps": "prefill", "throughput_tps": "throughput"}


class Held(Struct, frozen=True, kw_only=True):
    """Predictions of held-out rows: logarithms of the rates, and the band around each as ratios."""

    rates: Array
    low: Array
    high: Array


def held_out(fit: Fit, key: Callable[[Case], str]) -> Held:
    """Predicts every row by a fit without any row of the same key."""
    keys = np.array([key(case) for case in fit.cases])
    folds = [keys == name for name in sorted(set(keys.tolist()))]
    rates = np.zeros(len(keys))
    begin = fit.solve(np.ones(len(keys), dtype=bool))
    for fold in folds:
        rates[fold] = fit.predict(fit.solve(~fold, begin))[fold]
    low, high = np.zeros(len(keys)), np.zeros(len(keys))
    for fold in folds:
        known = Constants(decode={}, prefill={}, spreads=spreads(fit.cases, rates, ~fold))
        for index in map(int, np.flatnonzero(fold)):
            low[index], high[index] = _spread_of(fit.cases[index], known)
    return Held(rates=rates, low=low, high=high)


def spreads(cases: Sequence[Case], rates: Array, used: NDArray[np.bool_]) -> dict[Phase, dict[str, Spread]]:
    """Measured / predicted at p10 and p90, by every name that enough rows have; each drawn to its more general kin."""
    ratio = np.log([case.row.value or 1.0 for case in cases]) - rates
    phases: tuple[Phase, ...] = ("decode", "prefill", "throughput")
    own = [index for index, case in enumerate(cases) if used[index] and case.fits]
    return {phase: _phase(cases, ratio, [at for at in own if _phase_of(cases[at]) == phase]) for phase in phases}


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
        if len(rows) < LEAST_ROWS or len({cases[index].row.hardware for index in rows}) < LEAST_DEVICES:
            continue
        general = quantiles[next((other for other in kin[name] if other in quantiles), ALL)]
        weight = len(rows) / (len(rows) + DRAWN)
        quantiles[name] = weight * _quantiles(ratio, rows, cases) + (1.0 - weight) * general
    return {name: _spread(found, groups[name], cases) for name, found in sorted(quantiles.items())}


def _quantiles(ratio: Array, rows: Sequence[int], cases: Sequence[Case]) -> Array:
    """p10 and p90 for a device that is not among them, each device with the same weight as far as it has rows enough.

    A few devices show too little of what the next one does: with n of them the levels are moved outwards by
    (n + OUTWARDS) / n. Conformal prediction takes 1 (Vovk et al. 2005), which is safe and holds 87 % here.
    """
    count: dict[str, int] = {}
    for index in rows:
        count[cases[index].row.hardware] = count.get(cases[index].row.hardware, 0) + 1
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


def _spread_of(case: Case, known: Constants) -> tuple[float, float]:
    """The band around 1 by the rule that ships."""
    found, _ = band(case.setup, _phase_of(case), 1.0, known)
    return found.low, found.high


def _phase_of(case: Case) -> Phase:
    return PHASES[metric(case.row)]
