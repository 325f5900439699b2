"""What a user's own runs are worth: predictions of a device's other models, corrected by a few of its own.

    python benchmarks/own_runs.py [ROWS.csv]

The rows of one device, engine, backend and source stand for one user's box. It is predicted by constants that never saw
the device, as a new user's is. Then some of its models are taken as the user's runs, the shrunk median of their ratios
corrects the prediction of the others, and both errors are printed. Every box has the same weight. `K` is the number of
runs' worth of "no correction" that is mixed in (`own.DRAWN`).
"""

import argparse
from collections.abc import Sequence
from itertools import combinations
from math import expm1, inf, log
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
from fitting.cases import Case, cases
from fitting.fit import Array, Fit
from fitting.validate import held_out
from llmtop.estimator.accuracy import Answer
from llmtop.estimator.measurements import SHIPPED, load
from llmtop.estimator.own import DRAWN, NARROWER, shrunk
from msgspec import Struct

COUNTS = (1, 2, 3, 5, 10)
DRAWS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
TRIES = 60
"""Choices of own runs of one box, where there are more."""
PHASES = {"decode": "decode_tps", "prefill": "prefill_tps"}


class Point(Struct, frozen=True, kw_only=True):
    """One model in one format on a box: logarithms of measured / predicted and of the band's ends."""

    model: str
    ratio: float
    low: float
    high: float


class Box(Struct, frozen=True, kw_only=True):
    """One user's machine."""

    device: str
    points: tuple[Point, ...]


class Tried(Struct, frozen=True, kw_only=True):
    """The other models of one box, all choices of own runs together, as arrays over the predictions."""

    device: str
    before: Array
    after: Array
    held: float
    """Share inside the band without a correction."""
    held_narrower: float
    """Share inside the narrower band around the corrected value."""


def boxes(found: Sequence[Case], held: Sequence[Answer], metric: str) -> list[Box]:
    """Machines of one owner: rows that anybody may have sent in, of any machine of that name, are left out."""
    grouped: dict[tuple[str, ...], dict[tuple[str, str], list[tuple[float, float, float]]]] = {}
    for case, answer in zip(found, held, strict=True):
        row, band = case.row, answer.predicted
        alone = row.n_devices == 1 and row.batch == 1 and row.power_limit_w is None and case.fits
        if row.metric != metric or not alone or not row.value or not band or "localscore" in row.engine:
            continue
        box = grouped.setdefault((row.hardware, row.engine, row.backend, row.source), {})
        box.setdefault((row.model, row.quant), []).append(
            (log(row.value / band.value), log(band.low / band.value), log(band.high / band.value))
        )
    return [
        Box(device=key[0], points=tuple(_point(name[0], values) for name, values in sorted(box.items())))
        for key, box in sorted(grouped.items())
    ]


def tried(box: Box, count: int, drawn: float, same_model: bool) -> Tried | None:
    """Corrects by each choice of `count` own runs; None where the box has too few."""
    choices = list(combinations(box.points, count))
    if len(choices) > TRIES:
        choices = Random(7).sample(choices, TRIES)
    off: list[tuple[float, float, bool, bool]] = []
    for own in choices:
        shift = shrunk([point.ratio for point in own], drawn)
        known = {point.model for point in own}
        for point in box.points:
            if point in own or (point.model in known and not same_model):
                continue
            left = point.ratio - shift
            narrow = NARROWER * point.low <= left <= NARROWER * point.high
            off.append((_error(point.ratio), _error(left), point.low <= point.ratio <= point.high, narrow))
    if not off:
        return None
    before, after, held, narrower = (np.array(column, dtype=np.float64) for column in zip(*off, strict=True))
    return Tried(
        device=box.device, before=before, after=after, held=float(held.mean()), held_narrower=float(narrower.mean())
    )


def table(found: Sequence[Box], same_model: bool) -> list[str]:
    names = ["own runs", "boxes", "devices", "median error", "corrected", "p90 error", "corrected", "boxes made better"]
    names += ["in band", "in narrower band, corrected"]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for count in COUNTS:
        each = [one for box in found if (one := tried(box, count, DRAWN, same_model))]
        if not each:
            continue
        better = np.mean([one.after.mean() < one.before.mean() for one in each])
        sides = [one.before for one in each], [one.after for one in each]
        errors = [f"{_quantile(side, share):.1%}" for share in (0.5, 0.9) for side in sides]
        lines.append(
            f"| {count} | {len(each)} | {len({one.device for one in each})} | {' | '.join(errors)} | {better:.0%} "
            f"| {np.mean([one.held for one in each]):.0%} | {np.mean([one.held_narrower for one in each]):.0%} |"
        )
    return lines


def by_draw(found: Sequence[Box], same_model: bool) -> str:
    """Mean over boxes of the mean error with all other runs of the box as own ones, three at least, for each K."""
    told: list[str] = []
    for drawn in (*DRAWS, inf):
        errors = [_left_out(box, drawn, same_model) for box in found]
        kept = [error for error in errors if error is not None]
        told.append(f"{'none' if drawn == inf else f'K={drawn:g}'} {np.mean(kept):.3f}" if kept else "-")
    return ", ".join(told)


def _error(ratio: float) -> float:
    """|predicted / measured - 1| from the logarithm of measured / predicted."""
    return abs(expm1(-ratio))


def _left_out(box: Box, drawn: float, same_model: bool) -> float | None:
    errors: list[float] = []
    for point in box.points:
        own = [it.ratio for it in box.points if it is not point and (same_model or it.model != point.model)]
        if len(own) >= 3:
            errors.append(abs(point.ratio - shrunk(own, drawn)))
    return float(np.mean(errors)) if errors else None


def _point(model: str, values: Sequence[tuple[float, float, float]]) -> Point:
    """One model counts once, however many rows it has."""
    ratio, low, high = (median(column) for column in zip(*values, strict=True))
    return Point(model=model, ratio=ratio, low=low, high=high)


def _quantile(arrays: Sequence[Array], share: float) -> float:
    """Of all values, each array with the same weight."""
    values = np.concatenate(arrays)
    weight = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in arrays])
    order = np.argsort(values)
    place = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(share, place / weight.sum(), values[order]))


def main() -> None:
    options = argparse.ArgumentParser(description="What a user's own runs are worth, on published measurements.")
    options.add_argument("rows", type=Path, nargs="?", default=SHIPPED)
    found = cases(load(options.parse_args().rows))
    held = held_out(Fit(found), lambda case: case.row.hardware)
    for phase, metric in PHASES.items():
        known = boxes(found, held, metric)
        sizes = [len(box.points) for box in known]
        print(f"\n{phase}: {len(known)} boxes, median of {median(sizes):g} models and formats, K = {DRAWN:g}")
        for title, same_model in (("other models or formats", True), ("other models", False)):
            print(f"\n{title}\n\n" + "\n".join(table(known, same_model)))
            print(f"\nMean |log error| with all other runs of the box as own ones: {by_draw(known, same_model)}")


if __name__ == "__main__":
    main()
