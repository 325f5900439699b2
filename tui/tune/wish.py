"""What a person wants to know of the power limit."""

from msgspec import Struct

from ...estimator.tuning.steps import Measured
from .arguments import KEEP, MEASURE_S, SETTLE_S


class Wish(Struct, frozen=True, kw_only=True):
    """How it is measured."""

    keep: float = KEEP
    """Share of the speed that must be left."""
    steps: int | None = None
    """Limits of an even grid."""
    settle_s: float = SETTLE_S
    measure_s: float = MEASURE_S
    phases: tuple[Measured, ...] = ("decode",)
    generate: bool = False
    """Whether llmtop makes the load."""
    streams: int = 1
    """Requests at once of that load."""
