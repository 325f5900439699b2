"""The speed at the highest limit, which moves with heat and load while other limits are measured."""

from collections.abc import Sequence

from .error import Estimate, mean, of_rate
from .point import Point, Rate


def middle(point: Point) -> float:
    """The moment that a stay stands for, in monotonic seconds."""
    return point.started + point.seconds / 2.0


class Drift:
    """Stays at the highest limit, and what lies between them."""

    def __init__(self, stays: Sequence[tuple[Point, Rate]]) -> None:
        """At least one stay."""
        found = sorted(stays, key=lambda each: middle(each[0]))
        self._times = [middle(point) for point, _ in found]
        self._rates = [of_rate(rate) for _, rate in found]

    def at(self, moment: float) -> Estimate:
        """The speed at the highest limit then: on the line between the stays around it."""
        return self._between(self._times, self._rates, moment)

    @property
    def moved(self) -> float:
        """How far apart the fastest and the slowest stay were, as a share."""
        values = [each.value for each in self._rates]
        return max(values) / min(values) - 1.0

    @property
    def surprise(self) -> tuple[float, int]:
        """Chi-square of the stays against their neighbours, and how many were compared.

        More than 1 each means that stays differ by more than their own errors tell: blocks that follow each other are
        alike, or the load changes between stays.
        """
        total, count = 0.0, 0
        for index in range(1, len(self._times) - 1):
            times = self._times[:index] + self._times[index + 1 :]
            rates = self._rates[:index] + self._rates[index + 1 :]
            expected, found = self._between(times, rates, self._times[index]), self._rates[index]
            if expected.error and found.error:
                total += (found.value - expected.value) ** 2 / (expected.error**2 + found.error**2)
                count += 1
        return total, count

    @staticmethod
    def _between(times: Sequence[float], rates: Sequence[Estimate], moment: float) -> Estimate:
        after = next((index for index, time in enumerate(times) if time > moment), len(times))
        if after == 0:
            return rates[0]
        if after == len(times):
            return rates[-1]
        span = times[after] - times[after - 1]
        part = (moment - times[after - 1]) / span
        return mean(rates[after - 1 : after + 1], [1.0 - part, part])
