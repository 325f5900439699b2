"""What each limit keeps of the speed at the highest: stays put together, drift taken out."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from .drift import Drift, middle
from .error import Estimate, of_rate, pooled, ratio
from .point import Point, Rate
from .stays import merged

Measured = Literal["decode", "prefill"]
Verdict = Literal["keeps", "fails", "unsure"]
SAME_W = 2.0
"""Draws that differ by no more are the same draw."""


class Step(Struct, frozen=True, kw_only=True):
    """One limit."""

    power_limit_w: float
    point: Point
    """All stays at it together."""
    kept: float
    """Share of the speed at the highest limit at the same time."""
    kept_error: float | None
    """Standard error; 0 at the highest limit, None where too little was measured."""
    kept_low: float | None
    kept_high: float | None
    """It keeps no less than one and no more than the other, each with 95 % confidence."""
    falling: float
    """`kept` in a curve that only falls as the limit does, and never rises above 1: what outliers are judged by."""
    binds: bool | None
    """Whether it draws less under this limit than under the highest; None where the draw is not known."""
    stays: int

    @property
    def margin(self) -> float | None:
        """The smallest loss that could be told from none at this limit."""
        return None if self.kept_low is None else self.kept - self.kept_low

    @property
    def surely(self) -> float | None:
        """What it keeps at least, with 95 % confidence and no more than the falling curve allows."""
        return None if self.margin is None else min(self.kept, self.falling) - self.margin

    def verdict(self, keep: float) -> Verdict:
        """Whether it keeps so much, with 95 % confidence."""
        if self.margin is None:
            return "unsure"
        if self.falling - self.margin >= keep:
            return "keeps"
        return "fails" if self.falling + self.margin < keep else "unsure"


class Steps(Struct, frozen=True, kw_only=True):
    """All limits, from the highest down, and how far the highest moved."""

    steps: tuple[Step, ...]
    moved: float
    restless: float
    """How much more stays differ than their own errors tell, as a factor; all errors were widened by it."""


def rate_of(point: Point, phase: Measured) -> Rate | None:
    """The speed of the phase; None where it was not measured, or nothing moved."""
    rate = point.decode if phase == "decode" else point.prefill
    return rate if rate is not None and rate.tps > 0.0 else None


def steps(points: Sequence[Point], phase: Measured) -> Steps:
    """The limits of all points in which the phase was measured.

    Raises:
        ValueError: there is none.
    """
    by_limit: dict[float, list[tuple[Point, Rate]]] = {}
    for point in points:
        rate = rate_of(point, phase)
        if rate is not None:
            by_limit.setdefault(round(point.power_limit_w, 1), []).append((point, rate))
    if not by_limit:
        raise ValueError(f"no speed of {phase} was measured")
    order = sorted(by_limit, reverse=True)
    drift = Drift(by_limit[order[0]])
    ratios = {
        limit: [ratio(of_rate(rate), drift.at(middle(point))) for point, rate in by_limit[limit]] for limit in order[1:]
    }
    restless, compared = _restless(drift, list(ratios.values()))
    kept = [Estimate(1.0, 0.0), *(pooled(ratios[limit]).widened(restless, compared) for limit in order[1:])]
    falling = _falling(kept)
    merges = [merged([point for point, _ in by_limit[limit]]) for limit in order]
    return Steps(
        steps=tuple(
            _step(point, each, fallen, merges[0], len(by_limit[limit]))
            for limit, point, each, fallen in zip(order, merges, kept, falling, strict=True)
        ),
        moved=drift.moved,
        restless=restless,
    )


def _step(point: Point, kept: Estimate, falling: float, top: Point, stays: int) -> Step:
    margin = kept.margin
    known = margin is not None and math.isfinite(margin)
    drawn = point.power_w is not None and top.power_w is not None
    return Step(
        power_limit_w=point.power_limit_w,
        point=point,
        kept=kept.value,
        kept_error=kept.error,
        kept_low=kept.value - margin if known and margin is not None else None,
        kept_high=kept.value + margin if known and margin is not None else None,
        falling=falling,
        binds=(point.power_w or 0.0) < (top.power_w or 0.0) - SAME_W if drawn else None,
        stays=stays,
    )


def _restless(drift: Drift, ratios: Sequence[Sequence[Estimate]]) -> tuple[float, int]:
    """Birge's ratio: stays against their neighbours, repeated limits against each other; at least 1, and from how many.

    R. T. Birge, Physical Review 40, 1932.
    """
    total, count = drift.surprise
    for again in ratios:
        for one, other in pairwise(again):
            if one.error and other.error:
                total += (one.value - other.value) ** 2 / (one.error**2 + other.error**2)
                count += 1
    return (max(1.0, math.sqrt(total / count)) if count >= 2 else 1.0), count


def _falling(kept: Sequence[Estimate]) -> list[float]:
    """The falling curve that is nearest to the values: neighbours that rise are put together, by their weights."""
    blocks: list[tuple[float, float, int]] = []  # value, weight, limits
    for each in kept[1:]:
        value, weight, count = each.value, 1.0 / max(each.error or 0.05, 1e-4) ** 2, 1
        while blocks and blocks[-1][0] < value:
            other, heavy, more = blocks.pop()
            value, weight, count = (value * weight + other * heavy) / (weight + heavy), weight + heavy, count + more
        blocks.append((value, weight, count))
    return [1.0, *(min(value, 1.0) for value, _, count in blocks for _ in range(count))]
