"""A number with its standard error: means, ratios, and how sure one can be of them.

Errors are carried on to first order; degrees of freedom by Welch and Satterthwaite (Welch, Biometrika 34, 1947). The
bound is one-sided at 95 %: Student's t, which few blocks make wide.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from .point import Rate

NORMAL = 1.6449
"""The quantile for endless blocks."""
STUDENT = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)
"""For 1 to 10 degrees of freedom, from the tables of Student's t."""
LEAST_ERROR = 2e-4
"""Share of a rate below which no error is believed: clocks and counters are not better than that."""


def quantile(freedom: float) -> float:
    """The one-sided 95 % quantile of Student's t; endless below 1 degree of freedom."""
    if freedom < 1.0:
        return math.inf
    if freedom < len(STUDENT):
        below = int(freedom)
        upper, lower = STUDENT[below - 1], STUDENT[below]
        part = (1.0 / below - 1.0 / freedom) / (1.0 / below - 1.0 / (below + 1))
        return upper + (lower - upper) * part
    z = NORMAL  # the expansion of Fisher and Cornish
    return z + (z**3 + z) / (4.0 * freedom) + (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / (96.0 * freedom**2)


class Estimate(Struct, frozen=True):
    """A value that was measured."""

    value: float
    error: float | None = None
    """Standard error; None where nothing is known of it."""
    freedom: float = math.inf
    """Degrees of freedom that the error has."""

    @property
    def margin(self) -> float | None:
        """How far below or above the truth may be, each with 95 % confidence."""
        return None if self.error is None else self.error * quantile(self.freedom) if self.error else 0.0

    def widened(self, factor: float, freedom: float) -> "Estimate":
        """The same with a larger error, which was told from so many degrees of freedom."""
        if self.error is None or factor <= 1.0:
            return self
        return Estimate(self.value, self.error * factor, min(self.freedom, freedom))


def of_rate(rate: Rate) -> Estimate:
    """What a stay says of its speed."""
    if rate.error_tps is None or rate.blocks < 2:
        return Estimate(rate.tps)
    return Estimate(rate.tps, max(rate.error_tps, LEAST_ERROR * rate.tps), rate.blocks - 1.0)


def mean(found: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """The weighted mean of independent values; the weights sum up to 1."""
    value = sum(weight * each.value for each, weight in zip(found, weights, strict=True))
    return Estimate(value, *_summed([(each, weight) for each, weight in zip(found, weights, strict=True) if weight]))


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """One over the other, which must not be 0."""
    value = above.value / below.value
    error, freedom = _summed([(above, 1.0 / below.value), (below, value / below.value)])
    return Estimate(value, error, freedom)


def pooled(found: Sequence[Estimate]) -> Estimate:
    """Several measurements of one value, the sure ones counting most; those of unknown error only among themselves."""
    known = [each for each in found if each.error is not None]
    if not known:
        return mean(found, [1.0 / len(found)] * len(found))
    exact = [each for each in known if not each.error]
    if exact:
        return exact[0]
    weights = [1.0 / (each.error or 1.0) ** 2 for each in known]
    return mean(known, [weight / sum(weights) for weight in weights])


def _summed(parts: Sequence[tuple[Estimate, float]]) -> tuple[float | None, float]:
    """The error of a weighted sum, and its degrees of freedom."""
    squares: list[tuple[float, float]] = []
    for each, weight in parts:
        if each.error is None:
            return None, math.inf
        squares.append(((weight * each.error) ** 2, each.freedom))
    total = sum(square for square, _ in squares)
    spent = sum(square**2 / freedom for square, freedom in squares)
    return math.sqrt(total), total**2 / spent if spent else math.inf
