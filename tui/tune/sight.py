"""What measured points say so far: which limit to choose, and the curve that is expected."""

from collections.abc import Sequence

from msgspec import Struct

from ...estimator.power import Phase
from ...estimator.tuning.choice import Choice, choose
from ...estimator.tuning.curve import Guess, predicted, refitted
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import Measured, rate_of
from .ladder import Ladder
from .target import Target
from .wish import Wish

FEWEST_BLOCKS = 3
"""Blocks of a stay below which it is not worth a point, where nobody waited for more."""
BATCH_FROM = 1.5
"""Streams from which decode is that of a batch."""
SAME_W = 1.0
ALIKE_W = 5.0
"""Draws that give the same curve."""
ROUNDED_W = 5.0
"""By which a driver may have rounded the highest limit down."""


class Curve(Struct, frozen=True, kw_only=True):
    """Of one device, from the highest limit down."""

    guesses: tuple[Guess, ...] = ()
    refitted: bool = False
    """Whether it was drawn through what was measured here."""


def is_worth(point: Point, phases: Sequence[Measured]) -> bool:
    """Whether a stay that nobody waited for tells enough."""
    return any((rate := rate_of(point, phase)) is not None and rate.blocks >= FEWEST_BLOCKS for phase in phases)


def choices(points: Sequence[Point], phases: Sequence[Measured], keep: float, highest_w: float) -> tuple[Choice, ...]:
    """For each phase that was measured at the highest limit, with which the others are compared."""
    return tuple(
        choose(points, keep, phase)
        for phase in phases
        if any(rate_of(point, phase) and point.power_limit_w >= highest_w - ROUNDED_W for point in points)
    )


def curve(target: Target, rungs: Ladder, phase: Measured, choice: Choice | None, now: Point | None) -> Curve:
    """Empty where no law is known for the devices.

    Args:
        target: its first device and its engine.
        rungs: the range.
        phase: what is measured.
        choice: what was measured so far.
        now: the stay of now.
    """
    device, highest, lowest = target.devices[0], rungs.highest_w, rungs.lowest_w
    top = choice.baseline if choice else now
    many = top is not None and (top.streams or 0.0) > BATCH_FROM
    law: Phase = "batch" if phase == "decode" and many else phase
    if choice is not None and choice.uneven is None:
        found = refitted(device, highest, lowest, choice.steps, law, devices=len(target.devices))
        if found is not None:
            return Curve(guesses=found.curve, refitted=True)
    drawn = None
    if top is not None and top.power_w and abs(top.power_limit_w - highest) <= SAME_W:
        drawn = top.power_w / len(target.devices)
    share = target.engine.expected.core_share if target.engine and phase == "decode" else None
    return Curve(guesses=predicted(device, highest, lowest, phase=law, core_share=share, measured_w=drawn))


class Sight:
    """Both together, reckoned again only where something has come that changes them."""

    def __init__(self, target: Target, rungs: Ladder) -> None:
        self._target, self._rungs = target, rungs
        self._made_of: object = None
        self._seen: tuple[tuple[Choice, ...], Curve] = ((), Curve())

    def look(
        self, points: tuple[Point, ...], now: Point | None, phase: Measured, wish: Wish
    ) -> tuple[tuple[Choice, ...], Curve]:
        """The choices of all phases, and the curve of one; `now` tells the draw before anything is measured."""
        top = None if points else now
        drawn = None if top is None else (top.power_limit_w, round((top.power_w or 0.0) / ALIKE_W))
        made_of = points, drawn, phase, wish.phases, wish.keep
        if made_of != self._made_of:
            found = choices(points, wish.phases, wish.keep, self._rungs.highest_w)
            choice = next((each for each in found if each.phase == phase), None)
            self._made_of, self._seen = made_of, (found, curve(self._target, self._rungs, phase, choice, top))
        return self._seen
