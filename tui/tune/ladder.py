"""The limits that can be stepped through: of the first device in watts, of the others at the same share."""

from collections.abc import Sequence

from msgspec import Struct

from ...probes.limits.contract import Limit, LimitError

UNLIMITED_W, BOOST = 3_000.0, 3.0
"""Mainboards write limits of 4095 W into CPUs that are to have none: such a sweep begins at so many times the thermal
design power, which no CPU draws."""
LOWEST_SHARE = 0.4
"""Of the highest limit, for devices whose vendor tells no lowest one: below, cards hardly run."""


class _Rung(Struct, frozen=True, kw_only=True):
    lowest_w: float
    highest_w: float
    top_w: float


class Ladder(Struct, frozen=True, kw_only=True):
    """In watts of the first device; a CPU of several packages is one device."""

    lowest_w: float
    highest_w: float
    """Where they stood before, the baseline: what somebody has lowered is not raised unasked, as by a sweep."""
    top_w: float
    """The highest that the vendor allows."""
    rungs: tuple[_Rung, ...]
    """One for each limit of all devices."""

    def settings(self, watts: float) -> tuple[float, ...]:
        """What each limit is set to, in whole watts within its own range."""
        share = watts / self.highest_w
        return tuple(float(round(min(max(share * rung.highest_w, rung.lowest_w), rung.top_w))) for rung in self.rungs)

    def within(self, watts: float) -> float:
        """The nearest that the first device takes."""
        return min(max(watts, self.lowest_w), self.top_w)


def ladder(limits: Sequence[Sequence[Limit]], originals_w: Sequence[float]) -> Ladder:
    """Of the limits of each device, in order, and what they all stand at before anything is changed.

    Raises:
        LimitError: one tells no limit.
    """
    rungs: list[_Rung] = []
    for limit, original_w in zip((each for device in limits for each in device), originals_w, strict=True):
        highest = original_w
        if highest >= UNLIMITED_W and limit.default_w:
            highest = BOOST * limit.default_w
        if highest <= 0.0:
            raise LimitError(f"{limit.name}: the driver tells a power limit of 0 W, so there is none to change")
        top = max(highest, limit.default_w or 0.0, limit.max_w or 0.0)
        lowest = min(max(limit.min_w or LOWEST_SHARE * highest, 1.0), highest)
        rungs.append(_Rung(lowest_w=lowest, highest_w=highest, top_w=top))
    own = rungs[: len(limits[0])]
    highest = sum(rung.highest_w for rung in own)
    return Ladder(
        lowest_w=round(max(rung.lowest_w / rung.highest_w for rung in own) * highest, 3),
        highest_w=highest,
        top_w=round(min(rung.top_w / rung.highest_w for rung in own) * highest, 3),
        rungs=tuple(rungs),
    )
