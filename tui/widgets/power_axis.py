"""Watts from left to right: the one scale that chart and slider share."""

from typing import NamedTuple

from ..tune.state import State

GUTTER, MARGIN = 7, 9
"""Cells left and right of the scale."""
SMALL_W = 50.0
"""Range below which limits are stepped through one by one."""


class Axis(NamedTuple):
    """From the lowest limit to the highest that the vendor allows."""

    lowest_w: float
    top_w: float
    columns: int

    def column(self, watts: float) -> int:
        """The cell of a limit; at the ends those beyond."""
        return round(self.place(watts) * (self.columns - 1))

    def place(self, watts: float) -> float:
        """0 at the lowest, 1 at the top."""
        wide = self.top_w - self.lowest_w
        return min(max((watts - self.lowest_w) / wide, 0.0), 1.0) if wide > 0 else 1.0

    def watts(self, place: float) -> float:
        """The limit there."""
        return self.lowest_w + min(max(place, 0.0), 1.0) * (self.top_w - self.lowest_w)


def axis(state: State, width: int) -> Axis:
    """For a widget of this width."""
    return Axis(state.lowest_w, max(state.top_w, state.lowest_w), max(width - GUTTER - MARGIN, 1))


def paces(state: State) -> tuple[float, float]:
    """The small and the large step, in watts."""
    return (1.0, 5.0) if state.top_w - state.lowest_w < SMALL_W else (5.0, 25.0)
