"""Which limit to stay at next: down from the highest, then closer and closer around the knee."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from .choice import Choice, choose
from .clear import clear
from .error import NORMAL, of_rate
from .grid import even, finest, rounded, spaced
from .point import Point
from .steps import Measured, Step, rate_of

Why = Literal["highest", "down", "closer", "again"]
EVERY = 3
"""Stays at other limits between two at the highest."""
RETHINKS = 2
"""Times that the last stay at the highest limit shows that another limit needs more."""
FAR, FAR_LIMITS = 0.10, 2
"""So many limits that surely keep so much less than is asked for end the way down."""
COARSE, FINE = 1.0 / 8.0, 1.0 / 20.0
"""Error of a stay that is enough, as a share of the loss allowed: on the way down, and where it is decided."""
LEAST_BLOCKS = 5
"""Blocks below which an error is not believed enough to end a stay early."""
AGAIN = 3
"""Stays for each phase that noise usually takes."""
CLOSER = 12
"""Stays after the way down that are allowed for each phase, without those at the highest limit."""


class Stay(Struct, frozen=True, kw_only=True):
    """One stay to make."""

    power_limit_w: float
    at_most_s: float
    enough: float
    """Standard error of the speed that is enough, as a share of it."""
    why: Why


class Left(Struct, frozen=True):
    """Stays that are still to come."""

    least: int
    usual: int
    most: int


class Sweep:
    """Plans the stays; it has no clock, and sees nothing but the points that it is given.

    Args:
        lowest_w: the lowest limit that the device takes, or that is wanted.
        highest_w: the highest, against which all others are compared.
        steps: so many limits at even distances, and none between them.
        keep: the share of the speed that the chosen limit must keep.
        step_w: distance of the limits on the way down; a tenth of the range where None.
        repeats: stays at one limit at most, where noise leaves it undecided.
        measure_s: the longest stay.
        whole: go down to the lowest, however slow it gets.
        phases: those that are measured; each has its own knee.
    """

    def __init__(
        self,
        lowest_w: float,
        highest_w: float,
        *,
        steps: int | None = None,
        keep: float = 0.97,
        step_w: float | None = None,
        repeats: int = 3,
        measure_s: float = 30.0,
        whole: bool = False,
        phases: Sequence[Measured] = ("decode",),
    ) -> None:
        if not 0.0 < lowest_w <= highest_w:
            raise ValueError(f"the lowest limit, {lowest_w:.0f} W, must be above 0 and no more than {highest_w:.0f} W")
        if not 0.0 < keep < 1.0:
            raise ValueError(f"the share to keep, {keep:g}, must be between 0 and 1")
        self.lowest_w, self.highest_w, self.keep = lowest_w, highest_w, keep
        self.repeats, self.phases = repeats, tuple(phases)
        self._measure_s, self._whole, self._loss = measure_s, whole, 1.0 - keep
        self._down = even(lowest_w, highest_w, steps) if steps else spaced(lowest_w, highest_w, step_w)
        self._apart_w = self._down[0] - self._down[1] if len(self._down) > 1 else 0.0
        self.finest_w = None if steps else finest(lowest_w, highest_w)
        self.points: list[Point] = []
        self.skipped: dict[float, str] = {}
        self._asked: list[float] = []  # what was asked for each point: a driver may round
        self._next: Stay | None = None
        self._closer = 0
        self._plan()

    def next(self) -> Stay | None:
        """The stay to make now; the same until its point is added or skipped, None when all is done."""
        return self._next

    def add(self, point: Point) -> None:
        """The point of the stay that was asked for. Its limit may differ: drivers round."""
        if self._next is None:
            return
        self.points.append(point)
        self._asked.append(self._next.power_limit_w)
        self._closer += self._next.why in {"closer", "again"}
        self._plan()

    def skip(self, limit_w: float, reason: str) -> None:
        """A limit that could not be set or measured; it is not asked for again."""
        self.skipped[limit_w] = reason
        self._plan()

    def settled(self, point: Point) -> bool:
        """Whether the stay may end with what it has so far: the error is small enough, or the answer is clear."""
        stay = self._next
        rates = [rate for phase in self.phases if (rate := rate_of(point, phase)) is not None]
        if stay is None or len(rates) < len(self.phases):
            return False
        if any(rate.blocks < LEAST_BLOCKS or rate.error_tps is None for rate in rates):
            return False
        enough = NORMAL * stay.enough  # against the margin, which few blocks make wide
        return all((of_rate(rate).margin or 0.0) <= enough * rate.tps for rate in rates) or self._clear(point, stay)

    @property
    def done(self) -> bool:
        """Whether no stay is left."""
        return self._next is None

    @property
    def left(self) -> Left:
        """The stay that `next` says counts as left."""
        stay = self._next
        if stay is None:
            return Left(0, 0, 0)
        down = len(self._ahead()) - (stay.why == "down") if not self._far_enough() else 0
        closer = max(self._allowed - self._closer - (stay.why in {"closer", "again"}), 0)
        halvings = math.ceil(math.log2(max(self._apart_w / self.finest_w, 1.0))) if self.finest_w else 0
        usual = min(max((halvings + AGAIN) * len(self.phases) - self._closer, 0), closer)
        since = 0 if stay.why == "highest" else self._since() + 1

        def with_highest(others: int) -> int:
            return 1 + others + math.ceil((since + others) / EVERY)

        return Left(
            with_highest(down if self._whole else 0), with_highest(down + usual), with_highest(down + closer) + RETHINKS
        )

    def choices(self) -> tuple[Choice, ...]:
        """What the points say so far, for each phase that was measured at the highest limit."""
        return tuple(
            choose(self.points, self.keep, phase)
            for phase in self.phases
            if any(rate_of(point, phase) is not None for point in self._at_highest())
        )

    def _at_highest(self) -> list[Point]:
        return [point for point, asked in zip(self.points, self._asked, strict=True) if asked == self.highest_w]

    @property
    def _allowed(self) -> int:
        return CLOSER * len(self.phases) if self.repeats > 1 or self.finest_w else 0

    def _plan(self) -> None:
        self._next = self._planned()

    def _planned(self) -> Stay | None:
        if self.highest_w in self.skipped:
            return None
        since = self._since()
        if not self._asked or since >= EVERY:
            return self._stay(self.highest_w, "highest")
        ahead = self._ahead()
        if ahead and not self._far_enough():
            return self._stay(ahead[0], "down")
        wanted = self._wanted()
        if wanted is not None:
            return wanted
        return self._stay(self.highest_w, "highest") if since else None

    def _since(self) -> int:
        """Stays at other limits after the last one at the highest."""
        backwards = enumerate(reversed(self._asked))
        return next((count for count, limit in backwards if limit == self.highest_w), len(self._asked))

    def _stay(self, limit_w: float, why: Why) -> Stay:
        enough = (COARSE if why == "down" else FINE) * self._loss
        return Stay(power_limit_w=limit_w, at_most_s=self._measure_s, enough=enough, why=why)

    def _ahead(self) -> list[float]:
        """Limits of the way down that are still to come."""
        return [limit for limit in self._down if limit not in self.skipped and limit not in self._asked]

    def _far_enough(self) -> bool:
        if self._whole:
            return False
        choices = self.choices()
        return len(choices) == len(self.phases) and all(
            sum(step.falling + (step.margin or math.inf) < self.keep - FAR for step in choice.steps[1:]) >= FAR_LIMITS
            for choice in choices
        )

    def _wanted(self) -> Stay | None:
        """Around the knee of each phase in turn."""
        if self._closer >= self._allowed:
            return None
        for choice in self.choices():
            if choice.uneven is None:
                found = self._between(choice) or self._undecided(choice) or self._below_chosen(choice)
                if found is not None:
                    return found
        return None

    def _between(self, choice: Choice) -> Stay | None:
        """The middle of the two limits between which the speed falls below what is to be kept."""
        for upper, lower in pairwise(choice.steps):
            if upper.falling >= self.keep > lower.falling:
                return self._middle(upper.power_limit_w, lower.power_limit_w)
        return None

    def _below_chosen(self, choice: Choice) -> Stay | None:
        """The middle of the chosen limit and the next lower one, where that one stays undecided."""
        chosen_w = choice.chosen.power_limit_w if choice.chosen else self.highest_w
        lower = next((step.power_limit_w for step in choice.steps if step.power_limit_w < chosen_w), None)
        return None if lower is None else self._middle(chosen_w, lower)

    def _middle(self, high: float, low: float) -> Stay | None:
        if self.finest_w is None or high - low <= 1.5 * self.finest_w:
            return None
        middle = rounded((high + low) / 2.0, self.finest_w)
        fresh = max(low, self.lowest_w) < middle < high and middle not in self.skipped and middle not in self._asked
        return self._stay(middle, "closer") if fresh else None

    def _undecided(self, choice: Choice) -> Stay | None:
        """The lowest limit that seems to keep enough, as long as it is not sure; next those above it."""
        chosen_w = choice.chosen.power_limit_w if choice.chosen else self.highest_w
        maybe: list[Step] = [
            step
            for step, verdict in zip(choice.steps, choice.verdicts, strict=True)
            if verdict == "unsure" and step.falling >= self.keep and step.power_limit_w < chosen_w
        ]
        for step in reversed(maybe):
            asked = self._asked_for(step.power_limit_w)
            if asked is not None and step.stays < self.repeats and asked not in self.skipped:
                return self._stay(asked, "again")
        return None

    def _asked_for(self, limit_w: float) -> float | None:
        pairs = zip(self._asked, self.points, strict=True)
        return next((asked for asked, point in pairs if abs(point.power_limit_w - limit_w) < 0.1), None)

    def _clear(self, point: Point, stay: Stay) -> bool:
        if stay.why == "highest":
            return False
        for phase in self.phases:
            rate = rate_of(point, phase)
            tops = [top for each in self._at_highest() if (top := rate_of(each, phase)) is not None]
            if rate is None or not tops or not clear(rate, tops[-1], self.keep):
                return False
        return True
